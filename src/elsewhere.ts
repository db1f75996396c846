import { type Listener, servesPages, takesRecords } from './config/listener.ts';
import type { Config } from './config/settings.ts';

/** A listener and its URL: `http://127.0.0.1:8080`, or the path of a unix socket. */
export interface Place {
  listener: Listener;
  url: string;
}

/** Paths that people and scripts call. */
export const OF_PAGES = /^\/(telemetryui|api|metrics|static)(\/|$)/;

/** Where people and scripts find the pages, said on an address that takes records only; empty where nothing serves them. */
export function pagesElsewhere({ http }: Config, places: Place[]): string {
  const url = http.public_url ?? places.find(({ listener }) => servesPages(listener))?.url;
  return url === undefined ? '' : `; this address takes records, pages and API are at ${url}`;
}

/** What a 404 says: which of the other addresses serves what was asked for, where one does. */
export function nothingThere(method: string, path: string, here: Listener, config: Config, places: Place[]): string {
  const message = `there is nothing at ${path}`;
  if (OF_PAGES.test(path) && !servesPages(here)) return `${message}${pagesElsewhere(config, places)}`;
  if (method !== 'POST' || OF_PAGES.test(path) || takesRecords(here)) return message;
  const collector = places.find(({ listener }) => takesRecords(listener));
  if (!collector) return `${message}; this address takes no records (http.listen)`;
  return `${message}; this address serves pages and API, records are taken at ${collector.url}`;
}
