import { needsAccounts, servesPagesToOthers } from '../config/access-mode.ts';
import { servesPages, urlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import { type Database, NoDatabase, openExisting } from '../db/database.ts';
import { runningSocket } from '../db/embedded.ts';
import { createLog } from '../log.ts';
import { makeLink } from './links.ts';
import { hasUsers } from './users.ts';

/** A link that makes the first account; undefined unless one is needed and the server runs. Ends earlier links. */
export async function firstAccountLink(config: Config): Promise<string | undefined> {
  if (!needsAccounts(config)) return undefined;
  if (config.database.url === undefined && !(await runningSocket(config.state.dir))) return undefined;
  let database: Database;
  try {
    database = await openExisting(config, createLog('warn', config.log.format));
  } catch (error) {
    if (error instanceof NoDatabase) return undefined;
    throw error;
  }
  try {
    return (await hasUsers(database.sql)) ? undefined : `${siteOf(config)}${await makeLink(database.sql, null)}`;
  } finally {
    await database.close();
  }
}

/**
 * The URL of the pages: http.public_url, or the first listener that serves them, preferably one that other machines
 * reach.
 */
export function siteOf(
  { http }: Config,
  places = http.listen.map(listener => ({ listener, url: urlOf(listener) })),
): string {
  const pages = places.filter(({ listener }) => servesPages(listener) && !('unix' in listener));
  const best = pages.find(({ listener }) => servesPagesToOthers(listener)) ?? pages[0];
  return http.public_url ?? best?.url ?? 'http://localhost';
}
