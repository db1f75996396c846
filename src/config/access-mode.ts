import { type Listener, servesPages } from './listener.ts';
import type { Config } from './settings.ts';

/** Whether people must sign in: as configured, or by default if other machines can reach the pages. */
export function needsAccounts({ access, http }: Config): boolean {
  if (access.mode !== undefined) return access.mode === 'accounts';
  return !access.allow_open && http.listen.some(servesPagesToOthers);
}

export function servesPagesToOthers(listener: Listener): boolean {
  return servesPages(listener) && loopbackHost(listener) === undefined && !('unix' in listener);
}

/** The host of a listener that only this machine can reach; undefined for others. */
export function loopbackHost(listener: Listener): string | undefined {
  return 'host' in listener && isLoopback(listener.host) ? listener.host : undefined;
}

/** Whether a host (without brackets) means the local machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/.test(host);
}
