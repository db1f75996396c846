import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isoWeek, slotsOf } from '../../src/time/window.ts';
import { get, getJson, getPage, OTHER_TID, post, type TestApp, TID, testApp } from '../app.ts';
import { compareBuilds } from '../builds/version-order.ts';
import { passDays } from '../time.ts';
import { linkedNumbers } from './linked-numbers.ts';

// Every number of a view is told again over all records, one by one.

let server: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
let all: any[];
const now = new Date();

const few = (...values: string[]) => fc.constantFrom(...values);
const ODD_SYSTEM = '<b>odd & os</b>';
const posted = fc.record({
  system_name: few('debian', 'debian', 'debian', 'arch', ODD_SYSTEM),
  build: few('9.9', '9.10', '24.04', '24.04~rc1', '24.04.1', '24.04.1+rev^2', '1:2', 'rolling'),
  classification: few(
    'a/b/c',
    'x/heartbeat/ping',
    'x/heartbeat/ping',
    'x/mce/corrected',
    'x/mce/UCNA',
    'x/mce/thermal',
    'x/swupd-client/update',
  ),
  severity: few('1', '2', '3', '4'),
  machine_id: fc.integer({ min: 1, max: 15 }).map(n => `m${n}`),
  host_type: few('v|p|1', 'w|<i>q</i>|2'),
  kernel_version: few('6.1', '6.18-rc1'),
  arch: few('x86_64', 'riscv64'),
  cpu_model: few('cpu one', 'cpu two'),
  'X-Telemetry-TID': few(TID, OTHER_TID),
  'X-CLR-External': few('true', 'false'),
});
const payload = fc.constantFrom(
  'current_version=9.9\nserver_version=9.10\n',
  'cmd=update\r\nresult=0\r\ncurrent_version=9.10\r\nserver_version=24.04.1\r\n',
  'from_version: 24.04\nto_version: 9.9\n',
  'current_version= 1.0~rc1\nserver_version=  1:0.9+rev^2\nresult=0\n',
  'current_version=9.10\nserver_version=9.9\nresult=0\n',
  'current_version=60\nserver_version=-404\nresult=0\n',
  'from_version: -1\nto_version: 24.04\n',
  'cmd=update\nresult=1\ncurrent_version=9.9\nserver_version=9.10\n',
  'current_version=9.9\nserver_version=9.9\n',
  'update',
);

/** Days since the records of a batch came; whole periods of 3 days. */
const AGES = [99, 30, 12, 6, 3, 0];

beforeAll(async () => {
  server = await testApp();
  const batches = fc.sample(fc.array(fc.tuple(posted, payload), { minLength: 50, maxLength: 80, size: 'max' }), {
    numRuns: AGES.length,
    seed: 21,
  });
  for (const [index, batch] of batches.entries()) {
    for (const [n, [changes, text]] of batch.entries())
      await post(server.app, { ...changes, creation_timestamp: String(1_700_000_000 + index * 1000 + n) }, text);
    const age = AGES[index]! - (AGES[index + 1] ?? 0);
    if (age > 0) await passDays(server.database.sql, age);
  }
  all = (await getJson(server.app, '/api/records')).json.records;
});
afterAll(() => server.close());

interface Scope {
  os?: string;
  fleet?: string;
  days: number;
  byWeek?: boolean;
}

const scopes: Scope[] = [
  { os: 'debian', days: 14 },
  { os: 'debian', days: 1, fleet: 'servers' },
  { os: 'arch', days: 35 },
  { os: ODD_SYSTEM, days: 364, byWeek: true },
  { os: 'debian', days: 364, byWeek: true, fleet: 'default' },
];

function inScope({ os, fleet, days, byWeek }: Scope) {
  const [first] = slotsOf({ days, byWeek }, now);
  return all.filter(
    record =>
      (!os || record.system_name === os) &&
      (!fleet || record.fleet === fleet) &&
      record.ts_reception.slice(0, 10) >= first!,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
function tally(records: any[], key: (record: any) => string | null | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const record of records) {
    const name = key(record);
    if (name != null) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const byName = (rows: Record<string, unknown>[], name: string, n = 'records') =>
  Object.fromEntries(rows.map(row => [row[name], row[n]]));
const queryOf = ({ byWeek: _, ...scope }: Scope, more = {}) =>
  new URLSearchParams({ ...(scope as unknown as Record<string, string>), ...more }).toString();
const day = (record: { ts_reception: string }) => record.ts_reception.slice(0, 10);
const week = (record: { ts_reception: string }) => isoWeek(day(record));
const sumOf = (counts: Record<string, number>) => Object.values(counts).reduce((sum, n) => sum + n, 0);

describe.each(scopes)('in %p', scope => {
  test('builds: records, machines, days, and over time', async () => {
    const records = inScope(scope);
    const { json } = await getJson(server.app, `/api/builds?${queryOf(scope)}`);
    expect(byName(json.builds, 'build')).toEqual(tally(records, record => record.build));
    for (const row of json.builds) {
      const own = records.filter(record => record.build === row.build);
      // biome-ignore lint/suspicious/noExplicitAny: JSON of the API
      const machines = new Set(own.map((record: any) => `${record.machine_id} ${record.fleet} ${record.external}`));
      expect(row).toMatchObject({
        machines: machines.size,
        first_day: own.map(day).sort()[0],
        last_day: own.map(day).sort().at(-1),
      });
    }
    const order = ['1:2', 'rolling', '24.04.1+rev^2', '24.04.1', '24.04', '24.04~rc1', '9.10', '9.9'];
    const shown = json.builds.map((row: { build: string }) => row.build);
    expect(shown).toEqual(order.filter(build => shown.includes(build)));
    for (const row of json.over_time) {
      const { day: on, week: monday, ...counts } = row;
      const own = records.filter(record => (on ? day(record) === on : week(record) === isoWeek(monday)));
      expect(sumOf(counts)).toBe(own.length);
      for (const [build, n] of Object.entries(counts))
        expect(n).toBe(own.filter(record => record.build === build).length);
    }
  });

  test.each([
    ['uncorrected', /UCNA$/],
    ['corrected', /corrected$/],
    ['thermal', /thermal$/],
    ['update', /update$/],
  ])('rates: machines with %s on machine-days with a heartbeat, by build', async (signal, classification) => {
    const records = inScope(scope);
    const { json } = await getJson(server.app, `/api/builds?${queryOf(scope, { signal, sort: 'rate' })}`);
    expect(json.signal).toBe(signal);
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the API
    const period = (record: any) => Math.floor(Date.parse(day(record)) / 86_400_000 / 3);
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the API
    const source = (record: any) => `${record.machine_id} ${record.fleet} ${record.external}`;
    const beats = all.filter(record => record.classification === 'x/heartbeat/ping');
    const exposed = new Set(beats.map(record => `${record.machine_id} ${period(record)}`));
    const affected = records.filter(
      ({ classification: own, payload: text, ...record }) =>
        classification.test(own) &&
        (signal !== 'update' || /^result=1/m.test(text)) &&
        exposed.has(`${record.machine_id} ${period(record)}`),
    );
    const rates: number[] = [];
    for (const row of json.builds) {
      const own = (some: typeof all) =>
        some.filter(record => record.build === row.build && record.system_name === row.os);
      const days = new Set(
        own(records.filter(record => beats.includes(record))).map(one => `${source(one)} ${day(one)}`),
      ).size;
      const machines = new Set(own(affected).map(one => `${source(one)} ${period(one)}`)).size;
      expect(row).toMatchObject({ machine_days: days, affected: machines });
      expect(row.per_1000).toBe(days < 30 ? null : Number(((1_000 * machines) / days).toFixed(3)));
      rates.push(row.per_1000 ?? -1);
    }
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
  });

  test('stats: each share', async () => {
    const records = inScope(scope);
    const { json } = await getJson(server.app, `/api/stats?${queryOf(scope)}`);
    expect(byName(json.classification, 'name')).toEqual(tally(records, record => record.classification));
    expect(byName(json.severity, 'name')).toEqual(tally(records, record => String(record.severity)));
    expect(byName(json.system, 'name')).toEqual(tally(records, record => record.system_name));
    expect(byName(json.platform, 'name')).toEqual(tally(records, record => record.machine_type));
    expect(byName(json.architecture, 'name')).toEqual(tally(records, record => record.arch));
    expect(byName(json.kernel, 'name')).toEqual(tally(records, record => record.kernel_version));
  });

  test('machine checks and thermal events: weeks, machines, builds, CPU models', async () => {
    const weeks = { ...scope, days: 7 * Math.ceil(scope.days / 7), byWeek: true };
    const records = inScope(weeks);
    const checks = records.filter(record => /\/mce\/(corrected|UCNA)$/.test(record.classification));
    const { json } = await getJson(server.app, `/api/mce?${queryOf(scope, { top: '500' })}`);
    expect(json.weeks).toHaveLength(Math.ceil(scope.days / 7));
    for (const { week: name, ...counts } of json.weeks) {
      const own = tally(
        checks.filter(record => week(record) === name),
        record => record.classification,
      );
      expect(Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0))).toEqual(own);
    }
    expect(sumOf(byName(json.machines, 'machine_id') as Record<string, number>)).toBeLessThanOrEqual(checks.length);
    const onMachines: Record<string, number> = {};
    for (const { machine_id: id, os, build, records: n } of json.machines) onMachines[`${id} ${os} ${build}`] = n;
    expect(onMachines).toEqual(tally(checks, record => `${record.machine_id} ${record.system_name} ${record.build}`));
    expect(byName(json.builds, 'build')).toEqual(tally(checks, record => record.build));
    expect(byName(json.cpus, 'cpu_model')).toEqual(tally(checks, record => record.cpu_model));

    const thermal = records.filter(record => record.classification === 'x/mce/thermal');
    const events = (await getJson(server.app, `/api/thermal?${queryOf(scope)}`)).json;
    for (const { week: name, ...counts } of events.weeks)
      expect(sumOf(counts)).toBe(thermal.filter(record => week(record) === name).length);
    expect(byName(events.builds, 'build')).toEqual(tally(thermal, record => record.build));
  });

  test('updates: successful ones between different builds, in both forms', async () => {
    const paths = tally(inScope(scope), ({ classification, payload: text }) => {
      if (classification !== 'x/swupd-client/update' || text.includes('result=1')) return null;
      const [, from, form, to] =
        /(?:current_version=|from_version:) *(\S+)\s+(server_version=|to_version:) *(\S+)/.exec(text) ?? [];
      if (!from || !to || from === to || from.startsWith('-') || to.startsWith('-')) return null;
      // An updater does nothing where its server is older.
      return form === 'server_version=' && compareBuilds(to, from) < 0 ? null : `${from} ${to}`;
    });
    const { json } = await getJson(server.app, `/api/updates?${queryOf(scope)}`);
    for (const table of ['matrix', 'paths']) {
      const rows = json[table] as { from: string; to: string; records: number }[];
      expect(Object.fromEntries(rows.map(row => [`${row.from} ${row.to}`, row.records]))).toEqual(paths);
    }
    expect(json.total).toBe(sumOf(paths));
  });

  test('population: distinct machine ids of trailing windows, and a day', async () => {
    const { json } = await getJson(server.app, `/api/population?${queryOf(scope)}`);
    const last = new Map<string, number>();
    for (const record of inScope({ ...scope, days: 400 })) {
      const age = (Date.parse(day({ ts_reception: now.toISOString() })) - Date.parse(day(record))) / 86_400_000;
      for (const build of [record.build, null]) {
        const key = JSON.stringify([build, record.external, record.machine_id, record.fleet]);
        last.set(key, Math.min(age, last.get(key) ?? age));
      }
    }
    for (const row of json.machines)
      for (const [column, days] of [
        ['days_1', 1],
        ['days_3', 3],
        ['days_7', 7],
        ['days_14', 14],
        ['overall', 1000],
      ] as const)
        for (const external of [false, true]) {
          const seen = [...last].filter(([key, age]) => {
            const [build, isExternal] = JSON.parse(key);
            return build === row.build && isExternal === external && age < days;
          });
          expect(row[`${column}_${external ? 'external' : 'internal'}`]).toBe(seen.length);
        }
    for (const { day: on, ...builds } of scope.byWeek ? [] : json.adoption)
      for (const [build, n] of Object.entries(builds)) {
        const own = inScope(scope).filter(record => day(record) === on && record.build === build);
        expect(n).toBe(new Set(own.map(record => `${record.machine_id} ${record.fleet} ${record.external}`)).size);
      }
  });
});

test.each([
  ['/telemetryui', 2],
  ['/telemetryui/builds?days=91', 30],
  ['/telemetryui/builds?days=364', 20],
  ['/telemetryui/stats?days=14', 12],
  ['/telemetryui/stats?days=35&os=debian&fleet=servers', 12],
  ['/telemetryui/mce', 40],
  ['/telemetryui/mce?days=28&os=debian&fleet=servers', 10],
  ['/telemetryui/thermal?days=364', 10],
  ['/telemetryui/updates?days=35', 6],
])('numbers of %s lead to as many records', async (path, least) => {
  const { html } = await getPage(server.app, path);
  const links = linkedNumbers(html).filter(({ unit, href }) => unit === 'records' && href.includes('/records?'));
  expect(links.length).toBeGreaterThanOrEqual(least);
  for (const { href, n } of links) {
    const found = await getPage(server.app, href.replace('/records', '/records/count'));
    expect({ href, n: Number(/^\D*([0-9]*)/.exec(found.html.replaceAll(/<[^>]+>/g, ''))![1]) }).toEqual({ href, n });
  }
});

test.each(['os=debian', 'os=debian&fleet=servers&days=7', 'os=arch&days=91'])(
  'numbers of machine ids on the population page of %s lead to records of as many',
  async query => {
    const { html } = await getPage(server.app, `/telemetryui/population?${query}`);
    const cells = html.matchAll(/<td class="num[^"]*">(?:(?!<\/td>).)*?<a href="([^"]+)">([\d,]+)<\/a>/g);
    const links = [...cells].map(([, href, n]) => ({ href: new URL(href!.replaceAll('&amp;', '&'), 'http://x'), n }));
    expect(links.length).toBeGreaterThan(20);
    for (const { href, n } of links) {
      const { os, fleet, build, from, to } = Object.fromEntries(href.searchParams);
      const behind = all.filter(
        record =>
          record.system_name === os &&
          (!fleet || record.fleet === fleet) &&
          (!build || record.build === build) &&
          day(record) >= from! &&
          (!to || day(record) <= to),
      );
      const ids = new Set(behind.map(record => `${record.machine_id} ${record.fleet} ${record.external}`));
      expect([href.search, n]).toEqual([href.search, String(ids.size)]);
    }
  },
);

describe('records found are counted', () => {
  const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  const found = async (query: Record<string, string>) =>
    (await getPage(server.app, `/telemetryui/records/count?${new URLSearchParams(query)}`)).html.replaceAll(
      /<[^>]+>/g,
      '',
    );
  const fields: Record<string, string> = {
    os: 'system_name',
    host_type: 'machine_type',
    classification: 'classification',
    severity: 'severity',
    build: 'build',
    arch: 'arch',
    kernel_version: 'kernel_version',
    fleet: 'fleet',
    cpu_model: 'cpu_model',
  };
  const fitting = ({ from, to, source, ...query }: Record<string, string>) =>
    all.filter(
      record =>
        Object.entries(query).every(([name, value]) => String(record[fields[name]!]) === value) &&
        (!source || record.external === (source === 'external')) &&
        (!from || record.ts_reception.replace(' ', 'T') >= from) &&
        (!to || day(record) <= to),
    );

  test.each<Record<string, string>>([
    {},
    { fleet: 'servers', source: 'external' },
    { from: `${dayAgo(6)}T00:00` },
    { from: `${dayAgo(6)}T00:00`, to: dayAgo(3) },
    { from: `${dayAgo(3)}T13:00`, fleet: 'default' },
    { from: `${dayAgo(6)}T13:30` },
    { os: 'debian', build: '9.10', severity: '2', classification: 'a/b/c', to: dayAgo(1) },
    { arch: 'riscv64' },
    { arch: 'riscv64', kernel_version: '6.1', os: 'arch', fleet: 'servers', from: dayAgo(13) },
    { host_type: 'w|<i>q</i>|2', source: 'internal' },
    { host_type: 'v|p|1', arch: 'x86_64' },
    { host_type: 'v|p|1', severity: '3' },
    { arch: 'x86_64', build: '9.9' },
    { cpu_model: 'cpu one', classification: 'x/mce/corrected' },
    { os: 'nowhere' },
  ])('%j', async query => {
    const n = fitting(query).length;
    expect(await found(query)).toStartWith(`${n} record${n === 1 ? '' : 's'} found`);
  });

  test.each<[query: Record<string, string>, known: boolean]>([
    [{ from: dayAgo(6) }, true],
    [{ from: dayAgo(12), to: dayAgo(0), os: 'debian', source: 'internal' }, true],
    [{ from: dayAgo(6), to: dayAgo(6), build: '9.10' }, true],
    [{ from: dayAgo(12), to: dayAgo(6) }, false],
    [{ to: dayAgo(6) }, false],
    [{ from: dayAgo(6), severity: '1' }, false],
    [{ from: `${dayAgo(6)}T01:00` }, false],
    [{}, false],
  ])('%j: with its machine ids %p', async (query, known) => {
    const key = (record: Record<string, string>) =>
      `${record.machine_id} ${record.system_name} ${record.fleet} ${record.external}`;
    const machines = new Set(fitting(query).map(key)).size;
    expect(await found(query)).toEndWith(known ? `, from ${machines} machine ids` : ' found');
  });

  test('one by one where retention has taken some of a day', async () => {
    const other = await testApp();
    try {
      for (let n = 0; n < 3; n++) await post(other.app, { event_id: `${n}`.padStart(32, '0') }, `${n}`);
      const [gone] = await other.database.sql`select id from records limit 1`;
      await other.database.sql`delete from records where id = ${gone!.id}`;
      await other.database.sql`update record_days set complete = false`;
      const { html } = await getPage(other.app, `/telemetryui/records/count?from=${dayAgo(0)}`);
      expect(html).toContain('>2 records found</p>');
    } finally {
      await other.close();
    }
  });
});

const VIEWS = ['builds', 'stats', 'mce', 'thermal', 'updates', 'population'];

describe.each(VIEWS)('%s', name => {
  const page = `/telemetryui/${name}`;
  const api = `/api/${name}`;

  test('a page shows what its JSON and CSV say, and links to them', async () => {
    const { status, html } = await getPage(server.app, `${page}?${queryOf({ os: 'debian', days: 364 })}`);
    expect(status).toBe(200);
    const links = [...html.matchAll(new RegExp(`href="(${api}[^"]*)"`, 'g'))].map(([, href]) =>
      href!.replaceAll('&amp;', '&'),
    );
    expect(links.length).toBeGreaterThan(1);
    const { json } = await getJson(server.app, links[0]!);
    const tables = Object.entries(json).filter(([, rows]) => Array.isArray(rows)) as [
      string,
      Record<string, unknown>[],
    ][];
    expect(links.length).toBe(1 + tables.length);
    const text = html
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');
    for (const [index, [table, rows]] of tables.entries()) {
      const answer = await get(server.app, links[1 + index]!);
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${name}-${table}.csv"`);
      const [heading, ...lines] = (await answer.text()).trimEnd().split('\r\n');
      expect(lines).toHaveLength(rows.length);
      for (const row of rows) expect(Object.keys(row).sort()).toEqual(heading!.split(',').sort());
      for (const row of rows.filter(row => 'records' in row)) expect(text).toContain(` ${row.records} `);
    }
  });

  test('names of systems and builds are text', async () => {
    const { html } = await getPage(server.app, `${page}?${queryOf({ os: ODD_SYSTEM, days: 364 })}`);
    expect(html).toContain('&lt;b&gt;odd');
    expect(html).not.toContain('<b>odd');
    expect(html).not.toContain('<i>q</i>');
  });

  test('where nothing is, it says which records would fill it', async () => {
    const { status, html } = await getPage(server.app, `${page}?${queryOf({ os: 'nowhere', days: 14 })}`);
    expect(status).toBe(200);
    expect(html).toContain('class="empty"');
    expect(html).toMatch(/on nowhere<|This page counts/);
    expect(html).toContain('href="/telemetryui/connect"');
  });

  test('mistakes are told at the field, or by the API', async () => {
    const { status, html } = await getPage(server.app, `${page}?days=0`);
    expect(status).toBe(400);
    expect(html).toContain('id="f-days-error"');
    expect(html).toContain('expected an integer from 1 to 400');
    const long = await getPage(server.app, `${page}?fleet=${'f'.repeat(41)}&offset=x`);
    expect(long.status).toBe(400);
    expect(long.html).toContain('expected at most 40 printable characters');
    if (['builds', 'population'].includes(name)) expect(long.html).toContain('offset: expected an integer');
    expect(await getJson(server.app, `${api}?days=x`)).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining('days: got "x"') },
    });
    const csv = async (query: string) => (await (await get(server.app, `${api}?${query}`)).bytes()).slice(0, 3);
    expect(await csv('format=csv&bom=1')).toEqual(new Uint8Array([0xef, 0xbb, 0xbf]));
    expect(await csv('format=csv')).not.toEqual(new Uint8Array([0xef, 0xbb, 0xbf]));
    expect((await getPage(server.app, page)).html).toMatch(/href="\/api\/[^"]+format=csv&amp;bom=1"/);
    expect(await getJson(server.app, `${api}?format=csv&table=nothing`)).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining('table: got "nothing", expected "') },
    });
  });
});

test('the matrix of updates has the address of the old server as well', async () => {
  expect((await getPage(server.app, '/telemetryui/update_matrix')).html).toContain('<h1>Updates</h1>');
});

describe('charts of builds', () => {
  /** Names and colours of a chart's series, in their order. */
  const legend = (html: string) =>
    [...html.matchAll(/<figcaption>(.*?)<\/figcaption>/gs)].flatMap(([, caption]) =>
      [...caption!.matchAll(/<span class="key (s\d)">([^<]*)</g)].map(([, colour, name]) => [name, colour] as const),
    );
  /** Builds and colours in the tables of a page. */
  const named = (html: string) =>
    [...html.matchAll(/<span class="key (s\d) mono">(?:<small>([^<]*)<\/small> )?([^<]*)</g)].map(
      ([, colour, os, build]) => ({ os, build: build!, colour: colour! }),
    );

  let other: TestApp;
  const page = async (path: string) => (await getPage(other.app, `/telemetryui/${path}`)).html;

  beforeAll(async () => {
    other = await testApp();
    let events = 0;
    const report = (os: string, build: string, machine: string, more = {}) => {
      const event = `${++events}`.padStart(32, '0');
      return post(other.app, { system_name: os, build, machine_id: machine, event_id: event, ...more });
    };
    // Old ones send most; the newest of all is somebody's trial.
    for (let n = 1; n <= 11; n++)
      for (let machine = 0; machine < 12 - n + 1; machine++) {
        await report('big', `9.${n}`, `${n}a${machine}`);
        if (n < 3) await report('big', `9.${n}`, `${n}a${machine}`, { classification: 'a/b/c' });
      }
    await report('big', '10.0', 'trial');
    for (let machine = 0; machine < 12; machine++)
      for (const build of ['1', '2', '3']) await report('small', build, `b${machine}`);
    for (const build of ['5', '6']) await report('big', build, `c${build}`, { 'X-Telemetry-TID': OTHER_TID });
  });
  afterAll(() => other.close());

  const newest = ['9.11', '9.10', '9.9', '9.8', '9.7', '9.6', '9.5', '9.4'];

  test.each(['builds?os=big', 'population?os=big', 'builds?os=big&days=1', 'population?os=big&days=364'])(
    '%s draws the newest in use, each in a colour of its own, and the others in grey',
    async path => {
      const drawn = legend(await page(path));
      expect(drawn.map(([name]) => name)).toEqual([...newest, 'others']);
      expect(new Set(drawn.map(([, colour]) => colour)).size).toBe(9);
      expect(drawn.at(-1)![1]).toBe('s9');
      expect(await page(path)).toContain('All other builds together are grey');
    },
  );

  test('of all systems those with more machines have more', async () => {
    const names = legend(await page('builds')).map(([name]) => name);
    expect(names).toEqual([...newest.slice(0, 7).map(build => `big ${build}`), 'small 3', 'others']);
  });

  test('of a fleet that is behind its own', async () => {
    for (const view of ['builds', 'population'])
      expect(legend(await page(`${view}?fleet=servers`)).map(([name]) => name)).toEqual(['big 6', 'big 5']);
  });

  test('a build has one colour on all pages', async () => {
    const colours = new Map<string, Set<string>>();
    const note = (build: string, colour: string) => {
      if (colour !== 's9') colours.set(build, (colours.get(build) ?? new Set()).add(colour));
    };
    for (const view of ['builds', 'population', 'crashes'])
      for (const os of ['big', 'small', undefined])
        for (const fleet of ['', 'fleet=default']) {
          const html = await page(`${view}?${os ? `os=${os}` : ''}&${fleet}`);
          for (const [name, colour] of legend(html)) note(os ? `${os} ${name}` : name!, colour!);
          for (const one of named(html)) if (os ?? one.os) note(`${os ?? one.os} ${one.build}`, one.colour);
        }
    for (const { os, build, colour } of named(await page(''))) note(`${os} ${build}`, colour);
    expect(colours.size).toBe(newest.length + 3);
    expect([...colours].filter(([, own]) => own.size > 1)).toEqual([]);
  });
});

test('classifications that count can be configured', async () => {
  const other = await testApp({
    TELEMETRICSD_MACHINE_CHECKS_CLASSIFICATIONS: 'my/hw/*',
    TELEMETRICSD_THERMAL_CLASSIFICATIONS: 'my/hw/hot',
    TELEMETRICSD_UPDATES_CLASSIFICATIONS: 'my/os/updated',
  });
  try {
    await post(other.app, { classification: 'my/hw/hot', machine_id: 'a' });
    await post(other.app, { classification: 'my/os/updated' }, 'from_version: 1\nto_version: 2\n');
    await post(other.app, { classification: 'x/mce/corrected' });
    expect((await getJson(other.app, '/api/mce')).json.machines).toMatchObject([{ machine_id: 'a', records: 1 }]);
    expect((await getJson(other.app, '/api/thermal')).json.weeks.at(-1)).toMatchObject({ 'my/hw/hot': 1 });
    expect((await getJson(other.app, '/api/updates')).json.paths).toEqual([
      { os: 'clear-linux-os', from: '1', to: '2', records: 1 },
    ]);
  } finally {
    await other.close();
  }
});

test('machines with most checks are right where many others have more: in all, in one OS, in a window', async () => {
  const other = await testApp();
  try {
    const check = (machine: string, count: number, system = 'big') =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          post(other.app, { classification: 'x/mce/corrected', machine_id: machine, system_name: system }, `${n}`),
        ),
      );
    for (let n = 0; n < 50; n++) await check(`big-${n}`, 4);
    await check('most', 6);
    await check('small-1', 1, 'small');
    await check('small-2', 2, 'small');
    await passDays(other.database.sql, 60);
    await check('most', 1);
    await check('late', 3);
    const top = async (query: string) =>
      (await getJson(other.app, `/api/mce?top=1&${query}`)).json.machines.map(
        ({ machine_id: id, records }: { machine_id: string; records: number }) => [id, records],
      );
    expect(await top('')).toEqual([['most', 7]]);
    expect(await top('os=small')).toEqual([['small-2', 2]]);
    expect(await top('days=28')).toEqual([['late', 3]]);
  } finally {
    await other.close();
  }
});

describe('ISO weeks', () => {
  test.each([
    ['2026-01-01', '2026-W01'],
    ['2025-12-29', '2026-W01'],
    ['2025-12-28', '2025-W52'],
    ['2020-12-31', '2020-W53'],
    ['2021-01-03', '2020-W53'],
    ['2021-01-04', '2021-W01'],
    ['2026-11-23', '2026-W48'],
  ])('%s lies in %s', (date, expected) => expect(isoWeek(date)).toBe(expected));

  test('the week of 4 January is the first, and weeks begin on Mondays', () => {
    const weeksOf = (monday: Date) => {
      const next = new Date(Date.UTC(monday.getUTCFullYear() + (monday.getUTCMonth() === 11 ? 2 : 1), 0, 4));
      next.setUTCDate(4 - ((next.getUTCDay() + 6) % 7));
      return (next.getTime() - monday.getTime()) / (7 * 86_400_000);
    };
    fc.assert(
      fc.property(fc.integer({ min: 1971, max: 2200 }), fc.integer({ min: 0, max: 371 }), (year, days) => {
        const date = new Date(Date.UTC(year, 0, 4) + days * 86_400_000);
        const monday = new Date(Date.UTC(year, 0, 4));
        monday.setUTCDate(4 - ((monday.getUTCDay() + 6) % 7));
        const number = Math.floor((date.getTime() - monday.getTime()) / (7 * 86_400_000)) + 1;
        fc.pre(number <= weeksOf(monday));
        expect(isoWeek(date.toISOString().slice(0, 10))).toBe(`${year}-W${String(number).padStart(2, '0')}`);
      }),
    );
  });
});
