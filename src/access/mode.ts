import { type Listener, servesPages } from '../config/listener.ts';
import type { Config } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';

/** Whether people must sign in: as configured, else as soon as pages can be reached from another machine. */
export function needsAccounts({ access, http }: Config): boolean {
  const reachable = http.listen.filter(servesPagesToOthers);
  if (access.mode === 'accounts') return true;
  if (access.mode === undefined) return reachable.length > 0 && !access.allow_open;
  if (reachable.length > 0 && !access.allow_open)
    throw new OperatorError(
      `access.mode is "open", but ${reachable.map(({ address }) => address).join(' and ')} shows pages to whoever can reach it`,
      'Leave access.mode out so that people sign in; or let http.listen serve pages on a loopback address or a unix socket only; ' +
        'or set access.allow_open = true, if everyone in that network may read and change everything.',
    );
  return false;
}

function servesPagesToOthers(listener: Listener): boolean {
  return servesPages(listener) && !isLoopback(listener) && !('unix' in listener);
}

export function isLoopback(listener: Listener): boolean {
  return 'host' in listener && /^(localhost|127(\.\d+){3}|::1)$/.test(listener.host);
}
