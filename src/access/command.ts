import { servesPages, urlOf } from '../config/listener.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { openDatabase } from '../db/database.ts';
import { runningSocket } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { createLog } from '../log.ts';
import { makeLink } from './links.ts';
import { needsAccounts } from './mode.ts';
import { hasUsers } from './users.ts';

/** Runs a command on accounts or tokens; beside a running server in that one's PostgreSQL. */
export async function withDatabase<T>(
  file: string | undefined,
  work: (sql: Sql, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = loadConfig({ file });
  const log = createLog('warn', config.log.format);
  const database = await openDatabase(config, log, { join: true });
  try {
    const client = database.client('access');
    await migrate(client, log);
    return await work(client, config);
  } finally {
    await database.close();
  }
}

/** A link that makes the first account, where one is needed and the server runs; it ends earlier ones. */
export async function firstAccountLink(config: Config): Promise<string | undefined> {
  if (!needsAccounts(config)) return undefined;
  if (config.database.url === undefined && !(await runningSocket(config.state.dir))) return undefined;
  const database = await openDatabase(config, createLog('warn', config.log.format), { join: true });
  try {
    return (await hasUsers(database.sql)) ? undefined : `${siteOf(config)}${await makeLink(database.sql, null)}`;
  } finally {
    await database.close();
  }
}

/** Where people find the pages: http.public_url, else the first listener that serves them. */
export function siteOf({ http }: Config): string {
  const pages = http.listen.find(servesPages);
  return http.public_url ?? (pages && !('unix' in pages) ? urlOf(pages) : 'http://localhost');
}
