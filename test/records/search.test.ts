import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { indexPayloads } from '../../src/records/payload-index.ts';
import { get, getJson, getPage, OTHER_TID, post, type TestApp, TID, testApp } from '../app.ts';
import { quietLog } from '../database.ts';
import { passDays } from '../time.ts';

const PAGE = '/telemetryui/records';

let server: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
let all: any[];

const few = (...values: string[]) => fc.constantFrom(...values);
const posted = fc.record({
  system_name: few('debian', 'ubuntu', 'arch'),
  build: few('1', '9.9', '9.10', 'rolling'),
  classification: few('a/b/c', 'a/b/d', 'a/x/c', 'ab/b/c', 'x/y/z'),
  severity: few('1', '1', '1', '2', '3', '4'),
  machine_id: few('m1', 'm2', 'm3', 'm4'),
  event_id: few('1'.repeat(32), '2'.repeat(32)),
  'X-Telemetry-TID': few(TID, OTHER_TID),
  'X-CLR-External': few('true', 'false'),
});
const payload = few(
  'segfault at 0',
  'Segfault (core dumped)',
  'all is well',
  'a.c:12 =SUM(A1)',
  'two\nlines, "quoted"',
);

beforeAll(async () => {
  server = await testApp();
  const days = fc.sample(fc.array(fc.tuple(posted, payload), { minLength: 60, maxLength: 90, size: 'max' }), {
    numRuns: 5,
    seed: 11,
  });
  for (const [index, day] of days.entries()) {
    if (index > 0) await passDays(server.database.sql, index);
    for (const [n, [changes, text]] of day.entries())
      await post(server.app, { ...changes, creation_timestamp: String(1_700_000_000 + index * 1000 + n) }, text);
  }
  all = (await getJson(server.app, '/api/records')).json.records;
});
afterAll(() => server.close());

const DAY_MS = 86_400_000;
const dayOf = (n: number) => new Date(Date.now() - n * DAY_MS).toISOString().slice(0, 10);

const filter = fc.record(
  {
    os: few('debian', 'ubuntu', 'nowhere'),
    build: few('1', '9.10', 'rolling'),
    classification: few(
      'a/b/c',
      'a/*',
      'a/b/*',
      'ab/*',
      'x/y/z',
      'a/b/c,x/*',
      'a/b/d,ab/b/c,a/x/c',
      '*/b/c',
      '*/b/c,a/*/c,no/such/one',
    ),
    severity: few('1', '3', '4'),
    machine_id: few('m1', 'm3'),
    source: few('internal', 'external'),
    fleet: few('servers', 'default'),
    event_id: few('1'.repeat(32)),
    arch: few('x86_64', 'none'),
    host_type: few('vendor|product|1.0'),
    kernel_version: few('6.18.4-1'),
    cpu_model: few('cpu model', '-'),
    payload: few('[Ss]egfault', '^all', '\\d+', '(?i)SEGFAULT'),
    not_payload: few('core', 'lines'),
    from: few(dayOf(9), dayOf(4), `${dayOf(7)}T00:00`),
    to: few(dayOf(0), dayOf(3), `${dayOf(4)}T00:00:00`),
  },
  { requiredKeys: [] },
);
type Filter = Partial<Record<keyof (typeof filter extends fc.Arbitrary<infer F> ? F : never), string>>;

/** The same, told over all records one by one. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
function fits(record: any, f: Filter): boolean {
  const received = Date.parse(record.ts_reception.replace(' UTC', 'Z').replace(' ', 'T'));
  const end = (text: string) => Date.parse(`${text.slice(0, 10)}T00:00Z`) + (text.length === 10 ? DAY_MS : 0);
  return (
    (!f.os || record.system_name === f.os) &&
    (!f.build || record.build === f.build) &&
    (!f.classification || f.classification.split(',').some(name => fitsPattern(record.classification, name))) &&
    (!f.severity || record.severity === Number(f.severity)) &&
    (!f.machine_id || record.machine_id === f.machine_id) &&
    (!f.source || record.external === (f.source === 'external')) &&
    (!f.fleet || record.fleet === f.fleet) &&
    (!f.arch || record.arch === f.arch) &&
    (!f.host_type || record.machine_type === f.host_type) &&
    (!f.kernel_version || record.kernel_version === f.kernel_version) &&
    (!f.cpu_model || (record.cpu_model ?? '-') === f.cpu_model) &&
    (!f.event_id || record.event_id === f.event_id) &&
    (!f.payload ||
      new RegExp(f.payload.replace('(?i)', ''), f.payload.startsWith('(?i)') ? 'i' : '').test(record.payload)) &&
    (!f.not_payload || !new RegExp(f.not_payload).test(record.payload)) &&
    (!f.from || received >= Date.parse(`${f.from.slice(0, 10)}T00:00Z`)) &&
    (!f.to || received < end(f.to))
  );
}

const fitsPattern = (classification: string, pattern: string) =>
  pattern.split('/').every((part, n) => part === '*' || part === classification.split('/')[n]) &&
  (pattern.endsWith('*') || pattern.split('/').length === 3);

const idsOn = (html: string) => [...html.matchAll(/record_details\/(\d+)"/g)].map(([, id]) => Number(id));
const query = (values: Filter, more: Record<string, string> = {}) =>
  new URLSearchParams({ ...(values as Record<string, string>), ...more }).toString();

test('any filters find what they say: in the list, in the count, in both exports and in the API', async () => {
  await fc.assert(
    fc.asyncProperty(filter, async values => {
      const expected = all.filter(record => fits(record, values)).map(record => record.id);
      const list = await getPage(server.app, `${PAGE}?${query(values, { per_page: '1000' })}`);
      expect({ values, ids: idsOn(list.html) }).toEqual({ values, ids: expected });
      const count = await getPage(server.app, `${PAGE}/count?${query(values)}`);
      expect(count.html).toContain(`>${expected.length} record${expected.length === 1 ? '' : 's'} found<`);
      const ndjson = await (await get(server.app, `${PAGE}/export/records-x.ndjson?${query(values)}`)).text();
      expect(
        ndjson
          .split('\n')
          .filter(Boolean)
          .map(line => JSON.parse(line).id),
      ).toEqual(expected);
      const csv = await (
        await get(server.app, `${PAGE}/export/records-x.csv?${query(values, { download: '1' })}`)
      ).text();
      expect([...csv.matchAll(/^(\d+),(?:true|false),/gm)].map(([, id]) => Number(id))).toEqual(expected);
      const { os, source, ...same } = values;
      const api = new URLSearchParams({
        ...(same as Record<string, string>),
        ...(os && { system_name: os }),
        ...(source && { external: String(source === 'external') }),
      });
      const { json } = await getJson(server.app, `/api/records?${api}`);
      expect(json.records.map((record: { id: number }) => record.id)).toEqual(expected);
    }),
    { numRuns: 120, seed: 3 },
  );
});

test('pages of any filter show each record once, forwards and backwards', async () => {
  for (const values of fc.sample(filter, { numRuns: 25, seed: 5 })) {
    const expected = all.filter(record => fits(record, values)).map(record => record.id);
    const pages: number[][] = [];
    let path: string | undefined = `${PAGE}?${query(values, { per_page: '7' })}`;
    let last = path;
    while (path) {
      const { html } = await getPage(server.app, path);
      pages.push(idsOn(html));
      last = path;
      path = /<a href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(pages.flat()).toEqual(expected);
    let back: string | undefined = last;
    const seen: number[] = [];
    while (back) {
      const { html } = await getPage(server.app, back);
      seen.unshift(...idsOn(html));
      back = /<a href="([^"]+)" rel="prev"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    }
    expect([...new Set(seen)]).toEqual(expected);
  }
});

describe('a mistake is told at its field, and the rest of the form is kept', () => {
  test.each<[field: string, value: string, message: string]>([
    ['payload', '(', 'not a regular expression: parentheses () not balanced'],
    ['not_payload', '[z-a]', 'not a regular expression: invalid character range'],
    ['payload', '(((a{1,40}){1,40}){1,40})', 'a regular expression that is too complex'],
    ['not_payload', '((((((a{0,20}){0,20}){0,20}){0,20})', 'not a regular expression: parentheses () not balanced'],
    ['from', 'yesterday', 'expected a date and time in UTC such as 2026-11-23T21:30'],
    ['to', '2026-02-30', 'expected a date and time in UTC'],
    ['event_id', 'x'.repeat(65), 'expected at most 64 printable characters'],
    ['per_page', '1001', 'expected an integer from 1 to 1000'],
  ])('%s: %s', async (field, value, message) => {
    const { status, html } = await getPage(
      server.app,
      `${PAGE}?${new URLSearchParams({ [field]: value, build: '9.10' })}`,
    );
    expect(status).toBe(400);
    expect(html).toContain(`id="f-${field}-error"`);
    expect(html).toContain(message);
    expect(html).toContain('value="9.10"');
    const api = await getJson(server.app, `/api/records?${new URLSearchParams({ [field]: value })}`);
    if (field !== 'per_page') expect(api.status).toBe(400);
  });
});

test('a search of payloads is stopped after 5 seconds, with advice; meanwhile the server answers', async () => {
  const lock = server.database.client('test');
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = lock.begin(async tx => {
    await tx`lock table records in access exclusive mode`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  const started = performance.now();
  const searched = getPage(server.app, `${PAGE}?payload=segfault`);
  const builds = getPage(server.app, '/telemetryui/builds');
  const first = await Promise.race([builds.then(() => 'builds'), searched.then(() => 'search')]);
  expect([first, (await builds).status]).toEqual(['builds', 200]);
  const { status, html } = await searched;
  const ms = performance.now() - started;
  release.resolve();
  await done;
  expect(ms).toBeWithin(4_900, 30_000);
  expect(status).toBe(503);
  expect(html).toContain('id="f-payload-error"');
  expect(html).toContain('stopped after 5 seconds: narrow it by dates, OS, build');
  expect(html).toContain('value="segfault"');
  expect(html).toContain('The search was stopped');
});

test('days that are over are indexed for payload searches, once', async () => {
  const { sql } = server.database;
  const indexed = async () =>
    (
      await sql`select indexrelid::regclass::text as name from pg_index where indrelid::regclass::text ~ '^records_' and indexrelid::regclass::text ~ '_payload$' order by 1`
    ).map(row => row.name);
  await sql`select make_records_day((now() at time zone 'UTC')::date - 1)`;
  await indexPayloads(sql, quietLog);
  const once = await indexed();
  expect(once.length).toBeGreaterThan(0);
  expect(once).not.toContain(`records_${dayOf(0).replaceAll('-', '')}_payload`);
  await indexPayloads(sql, quietLog);
  expect(await indexed()).toEqual(once);
  const expected = all.filter(record => /core dumped/.test(record.payload)).map(record => record.id);
  expect(idsOn((await getPage(server.app, `${PAGE}?payload=core+dumped&per_page=1000`)).html)).toEqual(expected);
});

test('a day that is dropped before its turn comes keeps no other from being indexed', async () => {
  const { sql } = server.database;
  const [days] = await sql<{ newest: string; dropped: string; oldest: string }[]>`
    select to_char(day - 300, 'YYYYMMDD') as newest, to_char(day - 301, 'YYYYMMDD') as dropped, to_char(day - 302, 'YYYYMMDD') as oldest
      from (select (now() at time zone 'UTC')::date as day) today`;
  for (const day of Object.values(days!)) await sql`select make_records_day(to_date(${day}, 'YYYYMMDD'))`;
  let indexing: Promise<void> | undefined;
  await sql.begin(async tx => {
    // The first index waits for whoever has written to its day.
    await tx`lock table ${tx(`records_${days!.newest}`)} in row exclusive mode`;
    indexing = indexPayloads(server.database.client('index'), quietLog);
    for (let waits = 0; waits === 0; await Bun.sleep(20)) {
      const [row] = await sql<{ n: number }[]>`
        select count(*) as n from pg_stat_activity where query like 'create index concurrently%' and wait_event_type = 'Lock'`;
      waits = row!.n;
    }
    for (const kind of ['records', 'crashes', 'parsed']) await sql`drop table ${sql(`${kind}_${days!.dropped}`)}`;
  });
  await indexing;
  const [made] = await sql<{ oldest: boolean; dropped: boolean }[]>`
    select to_regclass(${`records_${days!.oldest}_payload`}) is not null as oldest, to_regclass(${`records_${days!.dropped}`}) is not null as dropped`;
  expect(made).toEqual({ oldest: true, dropped: false });
});

describe('an export', () => {
  test('neutralises formulas and quotes by RFC 4180', async () => {
    await post(server.app, { machine_id: '=cmd', creation_timestamp: '1' }, '=1+1,"x"\r\n@y');
    const answer = await get(
      server.app,
      `${PAGE}/export/records-2026.csv?machine_id=${encodeURIComponent('=cmd')}&download=1`,
    );
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="records-2026.csv"');
    expect(answer.headers.get('content-type')).toStartWith('text/csv');
    const [heading, line] = (await answer.text()).split(/\r\n(?=\d|$)/);
    expect(heading).toBe('id,external,received,severity,classification,os,build,machine_id,payload,parsed');
    expect(line).toEndWith(`,43010,'=cmd,"'=1+1,""x""\r\n@y",`);
  });

  test('begins with a byte order mark where it is for Excel', async () => {
    const bytes = async (query: string) => {
      const answer = await get(server.app, `${PAGE}/export/records-x.csv?machine_id=none${query}`);
      return Buffer.from(await answer.arrayBuffer())
        .toString('latin1')
        .slice(0, 5);
    };
    expect([await bytes('&download=1&bom=1'), await bytes('&bom=1'), await bytes('&download=1')]).toEqual([
      '\xef\xbb\xbfid',
      '\xef\xbb\xbfid',
      'id,ex',
    ]);
    const { html } = await getPage(server.app, PAGE);
    expect(html).toMatch(/<a href="[^"]+\.csv\?download=1&amp;bom=1" download="">All for Excel<\/a>/);
  });

  test('is shown in the browser up to 10,000 records, and is not found by another name', async () => {
    const answer = await get(server.app, `${PAGE}/export/records-x.csv`);
    expect(answer.headers.get('content-disposition')).toBe('inline');
    expect(answer.headers.get('content-type')).toStartWith('text/plain');
    expect((await get(server.app, `${PAGE}/export/passwd`)).status).toBe(404);
    expect((await get(server.app, `${PAGE}/export/records-x.csv?payload=(`)).status).toBe(400);
  });
});

describe('a machine', () => {
  test('has a page with all it reported, day by day', async () => {
    const { status, html } = await getPage(server.app, '/telemetryui/machines/m3');
    expect(status).toBe(200);
    const own = all.filter(record => record.machine_id === 'm3');
    expect(html).toContain(`${own.length} records found`);
    expect(idsOn(html)).toEqual(own.slice(0, 50).map(record => record.id));
    expect(html).toContain(`<h2>${own[0].ts_reception.slice(0, 10)}</h2>`);
    expect(html).toContain('last seen on ');
  });

  test('that never reported is not found', async () => {
    expect((await getPage(server.app, '/telemetryui/machines/nobody')).status).toBe(404);
    expect((await getPage(server.app, `/telemetryui/machines/${'x'.repeat(33)}`)).status).toBe(400);
  });
});
