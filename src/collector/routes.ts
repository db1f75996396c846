import { type Context, Hono } from 'hono';
import { recordToJson } from '../records/json.ts';
import { type Collector, wrongTid } from './collector.ts';

export interface CollectorBindings {
  /** The peer's address; absent on unix sockets. */
  readonly address?: string | null;
}

const PATHS = ['/', '/v2/collector', '/v3/collector'];
const OTHER_METHODS = ['PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** JSON writes a control character as six bytes; and there is metadata. */
const JSON_GROWTH = 6;
const METADATA_BYTES = 64 * 1024;

/** The largest body that is read: a payload of the greatest length in its longest JSON form. */
export function bodyLimit(maxPayload: number) {
  return maxPayload * JSON_GROWTH + METADATA_BYTES;
}

/**
 * POST on any of the three paths takes one record in either wire format: 201 with the stored record, once it is
 * committed; 201 `{"quarantined": true, …}` for a refused one that comes again; 400, 413 or 503 with `{"message": …}`.
 */
export function collectorRoutes(collector: Collector, maxPayload: number, servesPages: boolean) {
  const app = new Hono<{ Bindings: CollectorBindings }>();
  const others = servesPages ? OTHER_METHODS : [...OTHER_METHODS, 'GET'];
  for (const path of PATHS) {
    app.use(path, async (c, next) => {
      const started = performance.now();
      await next();
      if (c.req.method === 'POST') collector.metrics.answered(c.res.status, (performance.now() - started) / 1000);
    });
    app.post(path, c => receive(c, collector, maxPayload));
    if (servesPages) app.get(path, c => c.redirect('/telemetryui', 302));
    app.on(others, path, c =>
      c.json({ message: `${c.req.method} is not for this address: POST a record to it` }, 405, {
        Allow: servesPages ? 'GET, HEAD, POST' : 'POST',
      }),
    );
  }
  return app;
}

async function receive(c: Context<{ Bindings: CollectorBindings }>, collector: Collector, maxPayload: number) {
  const tid = c.req.header('x-telemetry-tid');
  const fleet = tid === undefined ? undefined : collector.fleetOf(tid);
  if (!fleet) return c.json({ message: wrongTid(tid) }, 400);
  const headers = [...c.req.raw.headers] as [string, string][];
  const inHeaders = c.req.header('record_format_version') ?? c.req.header('record-format-version');
  const limit = inHeaders === undefined ? bodyLimit(maxPayload) : maxPayload;
  if (Number(c.req.header('content-length') ?? 0) > limit) return tooLarge(c, limit);
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.byteLength > limit) return tooLarge(c, limit);

  const answer = await collector.receive({ fleet, headers, body, address: () => c.env?.address ?? null });
  if (answer.kind === 'oversized') return tooLarge(c, maxPayload);
  if (answer.kind === 'stored') return Response.json(recordToJson(answer.record), { status: 201 });
  const { message } = answer.refusal;
  if (!answer.kept?.returned) return c.json({ message }, 400);
  return c.json(
    {
      quarantined: true,
      message: answer.kept.evicted
        ? `${message}; it was kept in quarantine and has had to make room since: do not send it again`
        : `${message}; it is kept in quarantine: do not send it again`,
    },
    201,
  );
}

function tooLarge(c: Context, limit: number) {
  return c.json({ message: `the body is too large, expected at most ${limit} bytes (collector.max_payload)` }, 413);
}
