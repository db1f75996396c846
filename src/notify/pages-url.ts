import { hostname } from 'node:os';
import { loopbackHost } from '../config/access-mode.ts';
import { type Listener, servesPages, urlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';

/**
 * The URL by which others most likely reach the pages: http.public_url, or an address that shows them, preferably one
 * that other hosts reach. Undefined if there is none, as for a unix socket, or a port that is chosen at the start.
 */
export function pagesUrl({ http }: Config): string | undefined {
  if (http.public_url) return http.public_url;
  const shown = http.listen.filter(isNamed);
  const listener = shown.find(one => loopbackHost(one) === undefined) ?? shown[0];
  if (!listener) return undefined;
  const host = /^(0\.0\.0\.0|::)$/.test(listener.host) ? hostname() : listener.host;
  return urlOf({ ...listener, host });
}

function isNamed(listener: Listener): listener is Extract<Listener, { host: string }> {
  return servesPages(listener) && 'host' in listener && listener.port !== 0;
}
