import type { MiddlewareHandler } from 'hono';
import { type CollectorBindings, isCollector } from './collector/routes.ts';
import type { Log } from './log.ts';

/** What stands in such a path is as good as a password. */
const SECRET_PATH = /^(\/telemetryui\/links\/).+/;

/** A line for each answer, without the query, which may hold what was searched for; `pages`: all but what machines post. */
export function accessLog(which: 'pages' | 'all', log: Log): MiddlewareHandler<{ Bindings: CollectorBindings }> {
  return async (c, next) => {
    const started = performance.now();
    // Nobody knows it any more once the client has left.
    const address = c.env?.address;
    await next();
    if (which === 'pages' && isCollector(c.req.method, c.req.path)) return;
    log.info('answered', {
      method: c.req.method,
      path: c.req.path.replace(SECRET_PATH, '$1…'),
      status: c.res.status,
      ms: Math.round(performance.now() - started),
      address,
      user: c.get('visitor')?.name,
    });
  };
}
