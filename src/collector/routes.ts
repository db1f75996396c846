import { Hono } from 'hono';
import { getPath } from 'hono/utils/url';
import type { Config } from '../config/settings.ts';
import type { Fleet } from '../fleets.ts';
import type { Peer } from '../http/peer.ts';
import type { RecordAnswer, RecordRequest } from '../http/service.ts';
import { recordToJson } from '../records/json.ts';
import { RECORD_PATHS } from '../web/addresses.ts';
import type { Collector } from './collector.ts';
import { decodeContent, ENCODINGS } from './content-encoding.ts';
import { type Answer, type Gate, gateOf } from './gate.ts';

const OTHER_METHODS = ['PUT', 'PATCH', 'DELETE'];
/** JSON may write a control character as six bytes, and adds metadata. */
const JSON_GROWTH = 6;
const METADATA_BYTES = 64 * 1024;

/** The largest body that is read: the longest payload in its longest JSON form. */
export function bodyLimit(maxPayload: number) {
  return maxPayload * JSON_GROWTH + METADATA_BYTES;
}

/** Takes a record in either wire format; throws if it can't be answered. */
type ReceiveRecord = (request: RecordRequest) => Promise<RecordAnswer>;

/**
 * Answers 201 with the stored record once it is committed; 201 `{"quarantined": true, …}` for a refused one that comes
 * again; 201 `{"dropped": true, …}` for one beyond a limit that drops; 400, 403, 408, 413, 415 or 503 with `{"message":
 * …}`.
 */
export function recordReceiver(collector: Collector, config: Config): ReceiveRecord {
  const gate = gateOf(collector, config);
  return request => receive(request, collector, config.collector.max_payload, gate);
}

/**
 * POST on any of the three paths takes a record, see recordReceiver. `elsewhere` names the address of the pages if they
 * are not here.
 */
export function collectorRoutes(collector: Collector, config: Config, elsewhere?: () => string) {
  const app = new Hono<{ Bindings: Peer }>();
  const servesPages = elsewhere === undefined;
  const receiveRecord = recordReceiver(collector, config);
  const others = servesPages ? OTHER_METHODS : [...OTHER_METHODS, 'GET'];
  const allow = servesPages ? 'GET, HEAD, POST' : 'POST';
  for (const path of RECORD_PATHS) {
    app.use(path, async (c, next) => {
      const started = performance.now();
      await next();
      if (c.req.method === 'POST') collector.metrics.answered(c.res.status, (performance.now() - started) / 1000);
    });
    app.post(path, async c => {
      const { raw } = c.req;
      const headers = raw.headers.toJSON();
      const { status, json, ...rest } = await receiveRecord({
        path,
        peer: c.env ?? {},
        headers,
        body: () => raw.bytes(),
      });
      return Response.json(json, { status, ...rest });
    });
    if (servesPages) app.get(path, c => c.redirect('/telemetryui', 302));
    app.options(path, c => c.body(null, 204, { Allow: `${allow}, OPTIONS` }));
    app.on(others, path, c =>
      c.json(
        { message: `${c.req.method} is not supported here: POST records to this address${elsewhere?.() ?? ''}` },
        405,
        {
          Allow: allow,
        },
      ),
    );
  }
  return app;
}

/**
 * The path of a request. A path that machines call may end in a slash or contain several in a row, as configured
 * addresses often do.
 */
export function pathOf(request: Request): string {
  const path = getPath(request);
  if (!path.endsWith('/') && !path.includes('//')) return path;
  const plain = path.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return RECORD_PATHS.includes(plain) || plain.startsWith('/probe/') ? plain : path;
}

export function isCollectorPath(path: string): boolean {
  return RECORD_PATHS.includes(path);
}

async function receive(
  request: RecordRequest,
  collector: Collector,
  maxPayload: number,
  gate: Gate,
): Promise<RecordAnswer> {
  const { headers, peer } = request;
  const tid = headers['x-telemetry-tid'];
  const fleet = tid === undefined ? undefined : collector.fleetOf(tid);
  if (!fleet) return { status: 400, json: { message: collector.wrongTids.refuse(tid, peer.address ?? null) } };
  return respond(await gate.pass(fleet, peer, () => answerTo(request, collector, maxPayload, fleet)));
}

async function answerTo(
  { headers, peer, ...request }: RecordRequest,
  collector: Collector,
  maxPayload: number,
  fleet: Fleet,
): Promise<Answer> {
  const inHeaders = headers.record_format_version ?? headers['record-format-version'];
  const most = inHeaders === undefined ? bodyLimit(maxPayload) : maxPayload;
  if (Number(headers['content-length'] ?? 0) > most) return { kind: 'oversized', most };
  const body = await request.body();
  if (body.byteLength > most) return { kind: 'oversized', most };
  const address = () => peer.address ?? null;
  const encoding = headers['content-encoding'];
  const form = collector.forms.telemetrics;
  if (encoding === undefined) return collector.receive({ fleet, form, headers, body, address });
  const { 'content-encoding': _, ...others } = headers;
  const decoded = await decodeContent(body, encoding, most);
  return 'kind' in decoded ? decoded : collector.receive({ fleet, form, headers: others, body: decoded, address });
}

function respond(answer: Answer): RecordAnswer {
  switch (answer.kind) {
    case 'stored':
      return { status: 201, json: recordToJson(answer.record) };
    case 'oversized': {
      const message = `the body is too large, expected at most ${answer.most} bytes (collector.max_payload)`;
      return { status: 413, json: { message } };
    }
    case 'unsupported':
      return { status: 415, json: { message: answer.message }, headers: { 'Accept-Encoding': ENCODINGS } };
    case 'corrupt':
      return { status: 400, json: { message: answer.message } };
    case 'refused':
      return refused(answer);
    case 'forbidden':
      return { status: 403, json: { message: answer.message } };
    case 'postponed': {
      const headers = { 'Retry-After': String(answer.retryAfterSeconds) };
      return { status: 503, json: { message: answer.message }, headers };
    }
    case 'dropped':
      return { status: 201, json: { dropped: true, message: answer.message } };
  }
}

function refused({ refusal, kept }: Extract<Answer, { kind: 'refused' }>): RecordAnswer {
  const { message } = refusal;
  if (!kept?.returned) return { status: 400, json: { message } };
  const fate = kept.evicted ? 'it was kept in quarantine and has had to make room since' : 'it is kept in quarantine';
  return { status: 201, json: { quarantined: true, message: `${message}; ${fate}: do not send it again` } };
}
