import { type Listener, servesPages } from './listener.ts';
import type { Config } from './settings.ts';

/** Whether people must sign in: as configured, else as soon as pages can be reached from another machine. */
export function needsAccounts({ access, http }: Config): boolean {
  if (access.mode !== undefined) return access.mode === 'accounts';
  return !access.allow_open && http.listen.some(servesPagesToOthers);
}

export function servesPagesToOthers(listener: Listener): boolean {
  return servesPages(listener) && loopbackHost(listener) === undefined && !('unix' in listener);
}

/** The host of a listener that this machine alone can reach. */
export function loopbackHost(listener: Listener): string | undefined {
  return 'host' in listener && isLoopback(listener.host) ? listener.host : undefined;
}

/** Of a host without brackets: whether it means the machine that asks. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/.test(host);
}
