import { type Listener, servesPages, takesRecords } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';

/** A listener and its URL: `http://127.0.0.1:8080`, or the path of a unix socket. */
export interface ServedAddress {
  listener: Listener;
  url: string;
}

/** Where machines post records. */
export const RECORD_PATHS = ['/', '/v2/collector', '/v3/collector'];

/** What is said to whoever posts to another path. */
export const WHERE_RECORDS_GO = `records are posted to ${RECORD_PATHS.slice(0, -1).join(', ')} or ${RECORD_PATHS.at(-1)}`;

/** Paths that people and scripts call. */
export const OF_PAGES = /^\/(telemetryui|api|metrics|static)(\/|$)/;

/** Where people and scripts find the pages, said on an address that takes records only; empty where nothing serves them. */
export function pagesElsewhere({ http }: Config, places: ServedAddress[]): string {
  const url = http.public_url ?? places.find(({ listener }) => servesPages(listener))?.url;
  return url === undefined ? '' : `; this address takes records, pages and API are at ${url}`;
}

/** The manual: anyone may read it, also while the database does not answer. */
export const OF_MANUAL = /^\/telemetryui\/help(\/|$)/;

/** What a 404 says: which of the other addresses serves what was asked for, where one does. */
export function nothingThere(
  method: string,
  path: string,
  here: Listener,
  config: Config,
  places: ServedAddress[],
): string {
  const message = `there is nothing at ${path}`;
  if (OF_PAGES.test(path) && !servesPages(here)) return `${message}${pagesElsewhere(config, places)}`;
  if (method !== 'POST' || OF_PAGES.test(path) || takesRecords(here)) return message;
  const collector = places.find(({ listener }) => takesRecords(listener));
  if (!collector) return `${message}; this address takes no records (http.listen)`;
  return `${message}; this address serves pages and API, records are taken at ${collector.url}`;
}

/** A path as the log may show it: what ends the address of a link to sign in is as good as a password. */
export function shownPath(path: string): string {
  return path.replace(/^(\/telemetryui\/links\/).+/, '$1…');
}
