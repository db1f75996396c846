import type { MiddlewareHandler } from 'hono';
import type { Peer } from '../http/peer.ts';
import type { Log } from '../log.ts';
import { RECORD_PATHS, shownPath } from './addresses.ts';

/**
 * Logs a line for each answer, without the query, which may hold search terms; `pages` leaves out what machines post.
 */
export function accessLog(which: 'pages' | 'all', log: Log): MiddlewareHandler<{ Bindings: Peer }> {
  return async (c, next) => {
    const started = performance.now();
    // The address is unknown once the client has left.
    const address = c.env?.address;
    await next();
    const { method, path } = c.req;
    if (which === 'pages' && method === 'POST' && RECORD_PATHS.includes(path)) return;
    logAnswer(log, { method, path, status: c.res.status, started, address, user: c.get('visitor')?.name });
  };
}

interface Answered {
  method: string;
  path: string;
  status: number;
  /** The time from performance.now(). */
  started: number;
  address: string | null | undefined;
  user?: string | undefined;
}

export function logAnswer(log: Log, { method, path, status, started, address, user }: Answered) {
  const ms = Math.round(performance.now() - started);
  log.info('answered', { method, path: shownPath(path), status, ms, address, user });
}
