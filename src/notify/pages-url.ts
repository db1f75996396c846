import { hostname } from 'node:os';
import { loopbackHost } from '../config/access-mode.ts';
import { type Listener, servesPages, urlOf } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';

/**
 * Where somebody elsewhere most likely reaches the pages: http.public_url, else an address that shows them, one that is open to others
 * before one that this host alone reaches. Undefined where it has no name: of a unix socket, and of a port that is only known once it
 * is taken.
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
