import fc from 'fast-check';
import { recordHeaders, recordJson } from '../app.ts';
import { type As, EVERYONE } from './accounts-app.ts';

/** Must appear in a page only as text. */
export const MARK = '<x-fuzz>';
/** The id of a session that belongs to none of the senders. */
export const SESSION = '800000';

const words = (text: string) => text.split(' ');

/** Inputs that often break programs like this one. */
const WORST = [MARK, `">${MARK}`, `'"x-fuzz="1" x-fuzz='1`, '\0', '\ud800', '', '\r\nx-fuzz: 1', '//x-fuzz.example'];
const ODD = [
  ...['javascript:x-fuzz', 'https://x-fuzz.example/', '/\\x-fuzz.example', '/telemetryui\\@x-fuzz.example'],
  ...words(
    '%00 %zz .. ../../etc/passwd &lt;x-fuzz&gt; 𝒜é __proto__ constructor null [] {} {"a": $1 %s \\ ( [a- (a+)+$',
  ),
  ...[' ', 'a'.repeat(5000), '1'.repeat(40), "'; drop table records; --"],
  ...words('-1 0 1 2 3 1.5 1e9 NaN 2147483648 9007199254740991 9007199254740993'),
  ...words(
    '2026-02-30 2026-11-23 0000-00-00 0000-01-01 9999-12-31 9999-12-31T23:59 (((a{1,9}){1,9}){1,9}){1,9} yes true regex csv all admin other',
  ),
  ...words('clear-linux-os 43010 default machines records:read'),
  SESSION,
];
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...WORST) },
  { weight: 4, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer().map(String) },
);
const inPath = fc.oneof(
  odd.map(text => encodeURIComponent(text.toWellFormed()) || 'x'),
  fc.constantFrom(...words('1 2 3 4 records-1.csv records-x.ndjson')),
  fc.constantFrom(...words('% %zz %c3 %2e%2e ..%2f..%2f %00 a%00b a%0d%0ax-fuzz:%201')),
);

const QUERY = [
  ...words(
    'since lane again more table id os days fleet sort build limit offset machine_id before_id after_id from_id from to payload not_payload',
  ),
  ...words(
    'format classification classifications severity kernel_version arch external event_id source stack per_page',
  ),
  ...words('created_in_days created_in_sec settled q v record next who action reason replayed refused discarded'),
  ...words('download error code state cpu_model parsed.x over host_type ts_capture'),
];
/** The fields of all our forms, with valid values: with one field replaced, a request gets far. */
const FORM: Record<string, string> = {
  ...{ id: '1', record: '2', frame: '1', function: 'f()', module: '/m', comment: 'c', back: '/telemetryui/crashes' },
  ...{ name: 'someone', role: 'viewer', days: '1', scope: 'records:read', next: '/telemetryui/records' },
  ...{ password: 'as good as any', repeated: 'as good as any', current: 'as good as any' },
};
const FIELDS = [...Object.keys(FORM), 'confirmed', 'reason', 'record_id'];

function named<T>(names: string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: odd });
  return fc.dictionary(name, value, { maxKeys: 6 });
}

const HEADERS = [
  ...words('accept accept-encoding accept-language authorization content-type cookie expect hx-request hx-target'),
  ...words('hx-history-restore-request if-modified-since if-none-match origin range referer sec-fetch-site user-agent'),
  ...words('x-forwarded-for x-forwarded-host x-http-method-override x-original-url x-remote-user x-telemetry-tid'),
];
const headerValue = fc.oneof(
  odd.map(text => text.replaceAll(/[^\t -~\xa0-\xff]/g, '').trim()),
  fc.constantFrom('same-origin', 'http://localhost:8080', 'true', 'gzip', 'br', 'application/json', '*/*', 'bytes=0-5'),
  fc.constantFrom('Bearer tmd_x', 'Basic eDp4', 'telemetricsd=x', 'telemetricsd=%zz; telemetricsd=', '"', 'text/html'),
);

interface Body {
  type?: string;
  body: Bun.BodyInit;
}
const TYPES = ['multipart/form-data', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', '', 'x'];
const BODIES = ['--x\r\n', '--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n1\r\n--x--', 'id=%zz&=&&id'];
const json = (value: unknown): Body => ({ type: 'application/json', body: JSON.stringify(value) });
const file = new File([MARK], MARK);

const form = fc
  .tuple(fc.constantFrom({}, FORM), fc.option(fc.constantFrom('id', 'back'), { nil: 'x' }), named(FIELDS, odd))
  .map(([plausible, without, replaced]) => wellFormed({ ...plausible, [without]: '', ...replaced }));
const body: fc.Arbitrary<Body | undefined> = fc.oneof(
  fc.constant(undefined),
  { weight: 4, arbitrary: form.map(fields => ({ body: new URLSearchParams(fields) })) },
  form.map(json),
  named(FIELDS, fc.jsonValue()).map(json),
  fc.oneof(fc.json(), odd).map(text => ({ ...json(''), body: text })),
  form.map(fields => ({ body: multipart({ ...fields, file }) })),
  named(FIELDS, fc.constant(file)).map(fields => ({ body: multipart(fields) })),
  fc.record({ type: fc.constantFrom(...TYPES), body: fc.oneof(odd, fc.constantFrom(...BODIES)) }),
);

function wellFormed(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(pair => pair.map(text => text.toWellFormed())));
}

function multipart(fields: Record<string, string | File>) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

const record = fc.record({
  inHeaders: fc.boolean(),
  changes: fc.dictionary(fc.constantFrom(...Object.keys(recordHeaders()).slice(1)), headerValue, { maxKeys: 4 }),
  payload: odd,
});

/** A request to any route, by anyone, with any content. */
export const fuzzed = fc.record({
  as: fc.constantFrom<As>(...EVERYONE, 'analyst', 'admin', 'admin'),
  /** An index into a list, which wraps around at its end. */
  route: fc.nat(),
  parts: fc.tuple(inPath, inPath),
  query: named(QUERY, odd),
  rawQuery: fc.constantFrom('', '&%', '&%zz=%zz', '&id=1&id=2', '&__proto__=1'),
  headers: fc.oneof(
    fc.constant({}),
    fc.dictionary(fc.constantFrom(...HEADERS), headerValue, { noNullPrototype: true, maxKeys: 3 }),
  ),
  body,
  /** A request to the collector, in one of the wire formats. */
  record: fc.option(record, { freq: 3, nil: undefined }),
});
export type Fuzzed = typeof fuzzed extends fc.Arbitrary<infer T> ? T : never;

/** The request itself. */
export function sent({ route, parts, query, rawQuery, headers, body, record }: Fuzzed, routes: string[]) {
  const [method = '', path = ''] = routes[route % routes.length]!.split(' ');
  const [one, other] = parts;
  const search = `${new URLSearchParams(wellFormed(query))}${rawQuery}`;
  const target = `${path.replace(/:\w+/, () => one).replace(/:\w+/, () => other)}?${search}`;
  if (method === 'GET') return { method, path, target, asked: { headers } };
  if (record && !/^\/(telemetryui|api)/.test(path)) {
    const { inHeaders, changes, payload } = record;
    const { 'X-Telemetry-TID': tid = '', ...fields } = recordHeaders(changes);
    const asked = inHeaders
      ? { headers: { ...headers, ...fields, 'X-Telemetry-TID': tid }, body: payload }
      : { headers: { ...headers, 'X-Telemetry-TID': tid }, body: JSON.stringify(recordJson(changes, payload)) };
    return { method, path, target, asked };
  }
  const type: Record<string, string> = body?.type === undefined ? {} : { 'Content-Type': body.type };
  // Signing out would end the session for the following requests.
  const cookie: Record<string, string> = path === '/telemetryui/logout' ? { Cookie: '' } : {};
  return { method, path, target, asked: { headers: { ...headers, ...type, ...cookie }, body: body?.body } };
}
