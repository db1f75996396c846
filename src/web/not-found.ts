import type { Context, Hono, NotFoundHandler } from 'hono';
import type { Collector } from '../collector/collector.ts';
import { type Listener, takesRecords } from '../config/listener.ts';
import type { Peer } from '../http/peer.ts';
import { OF_PAGES, WHERE_RECORDS_GO } from './addresses.ts';
import { errorResponse } from './error-response.tsx';

type Routes = Pick<Hono<{ Bindings: Peer }>, 'router'>;

const METHODS = ['GET', 'POST', 'DELETE'];

/** Answers what no route takes: OPTIONS of an existing route, a record at the wrong address, and 404 for the rest. */
export function notFound({
  app,
  listener,
  collector,
  asset,
  nothingThere,
}: {
  app: Routes;
  listener: Listener;
  collector: Collector;
  asset: (name: string) => string;
  /** The message of a 404. */
  nothingThere: (method: string, path: string) => string;
}): NotFoundHandler<{ Bindings: Peer }> {
  return c => {
    const { method, path } = c.req;
    const allowed = method === 'OPTIONS' ? methodsAt(app, path) : [];
    if (allowed.length > 0) return c.body(null, 204, { Allow: [...allowed, 'OPTIONS'].join(', ') });
    const message = nothingThere(method, path);
    if (method !== 'POST' || OF_PAGES.test(path)) return errorResponse(c, { status: 404, message }, asset);
    collector.astray.note({ path, address: addressOf(c), hasTid: c.req.header('x-telemetry-tid') !== undefined });
    const remedy = takesRecords(listener) ? `; ${WHERE_RECORDS_GO}` : '';
    return errorResponse(c, { status: 404, message: `${message}${remedy}` }, asset);
  };
}

function addressOf(c: Context<{ Bindings: Peer }>): string | null {
  return c.env?.address ?? null;
}

function methodsAt(app: Routes, path: string): string[] {
  const taken = METHODS.filter(method =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  return taken.flatMap(method => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}
