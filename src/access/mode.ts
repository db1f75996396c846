import { type Listener, servesPages } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';

/** Whether people must sign in: as configured, else as soon as pages can be reached from another machine. */
export function needsAccounts({ access, http }: Config): boolean {
  if (access.mode !== undefined) return access.mode === 'accounts';
  return !access.allow_open && http.listen.some(servesPagesToOthers);
}

export function servesPagesToOthers(listener: Listener): boolean {
  return servesPages(listener) && !isLoopback(listener) && !('unix' in listener);
}

export function isLoopback(listener: Listener): boolean {
  return 'host' in listener && /^(localhost|127(\.\d+){3}|::1)$/.test(listener.host);
}
