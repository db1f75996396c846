import { type Context, Hono } from 'hono';
import { getPath } from 'hono/utils/url';
import type { Config } from '../config/settings.ts';
import { isCutOff, isTooLarge } from '../errors.ts';
import type { Fleet } from '../fleets.ts';
import { recordToJson } from '../records/json.ts';
import type { Collector, CollectorAnswer } from './collector.ts';
import { decodeContent, ENCODINGS, type Undecoded } from './content-encoding.ts';
import type { TurnedAway } from './limits.ts';
import type { RequestHeaders } from './parse.ts';

export interface CollectorBindings {
  /** The peer's address; absent on unix sockets. */
  readonly address?: string | null;
  /** 'accepted': the peer has shown a certificate of tls.client_ca; else why that is not so. */
  readonly clientCertificate?: string;
}

/** The address of a client that has left already: an absent one would pass for a unix socket, which may be a trusted proxy. */
export const PEER_GONE = '0.0.0.0';

const PATHS = ['/', '/v2/collector', '/v3/collector'];
const OTHER_METHODS = ['PUT', 'PATCH', 'DELETE'];
/** JSON writes a control character as six bytes; and there is metadata. */
const JSON_GROWTH = 6;
const METADATA_BYTES = 64 * 1024;

/** The largest body that is read: a payload of the greatest length in its longest JSON form. */
export function bodyLimit(maxPayload: number) {
  return maxPayload * JSON_GROWTH + METADATA_BYTES;
}

/**
 * POST on any of the three paths takes one record in either wire format: 201 with the stored record, once it is
 * committed; 201 `{"quarantined": true, …}` for a refused one that comes again; 201 `{"dropped": true, …}` for one past a
 * limit whose excess is dropped; 400, 403, 413, 415 or 503 with `{"message": …}`. `elsewhere` says where pages are, where they are not here.
 */
export function collectorRoutes(
  collector: Collector,
  { collector: { max_payload }, tls }: Config,
  elsewhere?: () => string,
) {
  const app = new Hono<{ Bindings: CollectorBindings }>();
  const servesPages = elsewhere === undefined;
  const certified = new Set(tls.client_cert_fleets);
  const others = servesPages ? OTHER_METHODS : [...OTHER_METHODS, 'GET'];
  const allow = servesPages ? 'GET, HEAD, POST' : 'POST';
  for (const path of PATHS) {
    app.use(path, async (c, next) => {
      const started = performance.now();
      await next();
      if (c.req.method === 'POST') collector.metrics.answered(c.res.status, (performance.now() - started) / 1000);
    });
    app.post(path, c => receive(c, collector, max_payload, certified));
    if (servesPages) app.get(path, c => c.redirect('/telemetryui', 302));
    app.options(path, c => c.body(null, 204, { Allow: `${allow}, OPTIONS` }));
    app.on(others, path, c =>
      c.json({ message: `${c.req.method} is not for this address: POST a record to it${elsewhere?.() ?? ''}` }, 405, {
        Allow: allow,
      }),
    );
  }
  return app;
}

/** The path that a request is for: one of a record may end in a slash, or have several in a row, as configured servers often do. */
export function pathOf(request: Request): string {
  const path = getPath(request);
  if (!path.endsWith('/') && !path.includes('//')) return path;
  const plain = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return PATHS.includes(plain) ? plain : path;
}

/** What is said to whoever posts to another path. */
export const WHERE_RECORDS_GO = `records are posted to ${PATHS.slice(0, -1).join(', ')} or ${PATHS.at(-1)}`;

/** Whether a machine may be sending a record. */
export function isCollector(method: string, path: string): boolean {
  return method === 'POST' && PATHS.includes(path);
}

type CollectorContext = Context<{ Bindings: CollectorBindings }>;

async function receive(c: CollectorContext, collector: Collector, maxPayload: number, certified: Set<string>) {
  const headers = c.req.raw.headers.toJSON();
  const tid = headers['x-telemetry-tid'];
  const fleet = tid === undefined ? undefined : collector.fleetOf(tid);
  if (!fleet) return c.json({ message: collector.refuseTid(tid, c.env?.address ?? null) }, 400);
  let result = 'unavailable';
  try {
    const answer =
      turnedAway(c, collector, fleet, certified) ?? (await answerTo(c, headers, collector, maxPayload, fleet));
    result = answer.kind === 'refused' && answer.kept ? 'quarantined' : answer.kind;
    return respond(c, answer);
  } catch (error) {
    if (isCutOff(error)) result = 'cut off';
    if (isTooLarge(error)) result = 'oversized';
    throw error;
  } finally {
    collector.metrics.received(fleet.name, result);
  }
}

type Answer = CollectorAnswer | TurnedAway | Undecoded;

function turnedAway(c: CollectorContext, { limits }: Collector, fleet: Fleet, certified: Set<string>) {
  const address = () => c.env?.address ?? null;
  const uncertified = certificateMissing(c, fleet, certified);
  if (uncertified) limits.report(fleet, uncertified, address);
  return uncertified ?? limits.turnAway(fleet, address);
}

function certificateMissing(c: CollectorContext, { name }: Fleet, certified: Set<string>): TurnedAway | undefined {
  if (!certified.has(name)) return undefined;
  const { clientCertificate = 'this connection carries none' } = c.env ?? {};
  if (clientCertificate === 'accepted') return undefined;
  const rule = 'must show a certificate signed by tls.client_ca (tls.client_cert_fleets)';
  return { kind: 'forbidden', message: `machines of the fleet ${JSON.stringify(name)} ${rule}: ${clientCertificate}` };
}

async function answerTo(
  c: CollectorContext,
  headers: RequestHeaders,
  collector: Collector,
  maxPayload: number,
  fleet: Fleet,
): Promise<Answer> {
  const inHeaders = headers.record_format_version ?? headers['record-format-version'];
  const most = inHeaders === undefined ? bodyLimit(maxPayload) : maxPayload;
  if (Number(headers['content-length'] ?? 0) > most) return { kind: 'oversized', most };
  const body = await c.req.raw.bytes();
  if (body.byteLength > most) return { kind: 'oversized', most };
  const address = () => c.env?.address ?? null;
  if (headers['content-encoding'] === undefined) return collector.receive({ fleet, headers, body, address });
  const { 'content-encoding': encoding, ...others } = headers;
  const decoded = await decodeContent(body, encoding, most);
  return 'kind' in decoded ? decoded : collector.receive({ fleet, headers: others, body: decoded, address });
}

function respond(c: Context, answer: Answer): Response {
  switch (answer.kind) {
    case 'stored':
      return Response.json(recordToJson(answer.record), { status: 201 });
    case 'oversized': {
      const message = `the body is too large, expected at most ${answer.most} bytes (collector.max_payload)`;
      return c.json({ message }, 413);
    }
    case 'unsupported':
      return c.json({ message: answer.message }, 415, { 'Accept-Encoding': ENCODINGS });
    case 'corrupt':
      return c.json({ message: answer.message }, 400);
    case 'refused':
      return refused(c, answer);
    case 'forbidden':
      return c.json({ message: answer.message }, 403);
    case 'postponed':
      return c.json({ message: answer.message }, 503, { 'Retry-After': String(answer.retryAfterSeconds) });
    case 'dropped':
      return c.json({ dropped: true, message: answer.message }, 201);
  }
}

function refused(c: Context, { refusal: { message }, kept }: Extract<Answer, { kind: 'refused' }>) {
  if (!kept?.returned) return c.json({ message }, 400);
  return c.json(
    {
      quarantined: true,
      message: kept.evicted
        ? `${message}; it was kept in quarantine and has had to make room since: do not send it again`
        : `${message}; it is kept in quarantine: do not send it again`,
    },
    201,
  );
}
