import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { App } from '../../src/app.ts';
import type { Tid } from '../../src/config/tid.ts';
import { findTraces, forgetMachine, isUnknownMachine } from '../../src/privacy/forget.ts';
import { machineHash } from '../../src/privacy/machine-ids.ts';
import { type Answer, appOn, get, getJson, getPage, OTHER_TID, send, submit, TID, testConfig } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { asLibreportSends, asSatyrPrints, CORE, UREPORTS, type Ureport } from '../dialects/data/ureports.ts';

const NEW = `/abrt/${TID}/reports/new/`;
const MACHINE = '0123456789abcdef0123456789abcdef';
const AUTH = {
  auth: { hostname: 'kitchen.example', machineid: `systemd=${MACHINE}\nsosreport_uploader-dmidecode=77\n` },
};

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp();
});
afterAll(() => server.close());
afterEach(async () => {
  await server.sql`truncate quarantine, recent_records, records, work_queue`;
});

function report(
  ureport: Ureport | string | Uint8Array,
  { app = server.app, path = NEW, address = '192.0.2.7' } = {},
): Promise<Answer> {
  const isText = typeof ureport === 'string' || ureport instanceof Uint8Array;
  return send(app, asLibreportSends(isText ? ureport : asSatyrPrints(ureport)), address, path);
}

async function stored() {
  const { json } = await getJson(server.app, '/api/records?limit=100');
  return json.records;
}

describe('a report of type', () => {
  const EXPECTED: Record<string, object> = {
    core: { severity: 3 },
    kerneloops: { severity: 3, kernel_version: '6.18.4-300.fc44.x86_64' },
    python: { severity: 2 },
    java: { severity: 2 },
    ruby: { severity: 2 },
  };
  test.each(Object.entries(UREPORTS))(
    '%s is answered 202 and stored as it came, without what names the machine',
    async (type, ureport) => {
      const before = Math.floor(Date.now() / 1000);
      const { status, json } = await report({ ...ureport, ...AUTH });
      expect(status).toBe(202);
      expect(json).toEqual({
        result: false,
        message: 'The report is stored.',
        bthash: expect.stringMatching(/^[0-9a-f]{32}$/),
        reported_to: [],
        solutions: [],
      });
      const [record] = await stored();
      expect(record).toMatchObject({
        classification: `abrt/${type}/report`,
        kernel_version: 'unknown',
        system_name: 'fedora',
        build: '44',
        arch: 'x86_64',
        fleet: 'default',
        way_in: 'abrt',
        external: false,
        payload_format_version: 2,
        scrubbed_by: ['abrt-auth'],
        ...EXPECTED[type],
      });
      expect(Date.parse(`${record.ts_capture.replace(' UTC', 'Z')}`) / 1000).toBeGreaterThanOrEqual(before);
      expect(record.payload).toBe(asSatyrPrints({ ...ureport, ...AUTH }).replace(/, *"auth": \{[^}]*\}/, ''));
      expect(record.machine_id).toMatch(/^[0-9a-f]{32}$/);
      expect(JSON.stringify(record)).not.toMatch(/kitchen|0123456789abcdef/);
    },
  );
});

describe('a report is taken', () => {
  const json = JSON.stringify(CORE);
  const latin = Buffer.from(json.replace('"kettle killed', '"k\u00e9ttle killed'), 'latin1');
  test.each<[string, string | Uint8Array, object]>([
    ['with members that are not known', json.replace('{', '{"later":{"x":[1]},'), { severity: 3 }],
    [
      'without os, reason, packages and reporter',
      JSON.stringify({ ureport_version: 2, problem: CORE.problem }),
      { system_name: '', build: '0', arch: 'unknown' },
    ],
    ['of a system without a version', json.replace('"version":"44",', ''), { build: '0' }],
    ['with a version as text', json.replace('"ureport_version":2', '"ureport_version":"2"'), {}],
    ['with a mark of byte order', `\ufeff${json}`, {}],
    ['that is not UTF-8', latin, { payload: json.replace('kettle killed', 'k\u00e9ttle killed') }],
    ['with half a surrogate pair', json.replace('kettle killed', 'kettle \\ud800 killed'), {}],
    ['with a NUL', json.replace('kettle killed', 'kettle \\u0000 killed'), {}],
    [
      'of a kernel that is no version',
      JSON.stringify({ ...UREPORTS.kerneloops, problem: { ...UREPORTS.kerneloops!.problem, version: 'x\ny' } }),
      { kernel_version: 'unknown' },
    ],
    ['with auth that is no object', json.replace('{', '{"auth":[1],'), { machine_id: '', payload: json }],
    ['with an id that is no text', json.replace('{', '{"auth":{"machineid":7},'), { machine_id: '', payload: json }],
    [
      'with its auth given twice',
      json.replace('{', '{"auth":{"machineid":"a"},"\\u0061uth":{"hostname":"b"},'),
      { payload: json },
    ],
    ['of a problem without a stack', json.replace('"stacktrace"', '"stack"'), {}],
  ])('%s', async (_, text, expected) => {
    expect((await report(text)).status).toBe(202);
    expect((await stored())[0]).toMatchObject({ way_in: 'abrt', ...expected });
  });

  test('without a slash at the end, and by a form without a file name', async () => {
    expect((await report(CORE, { path: NEW.slice(0, -1) })).status).toBe(202);
    const form = new FormData();
    form.set('file', JSON.stringify(CORE));
    expect((await send(server.app, { body: form }, '192.0.2.7', NEW)).status).toBe(202);
  });
});

describe('a report is refused', () => {
  const changed = (from: string | RegExp, to: string) => JSON.stringify(CORE).replace(from, to);
  test.each<[string, string | Uint8Array, string]>([
    [
      'of version 1',
      changed('"ureport_version":2', '"ureport_version":1'),
      'ureport_version: got 1, which is too old, expected 2: update ABRT there',
    ],
    ['of version 3', changed('"ureport_version":2', '"ureport_version":3'), 'ureport_version: got "3", expected 2'],
    ['without a version', '{"problem":{"type":"core"}}', 'ureport_version: got nothing, expected 2'],
    [
      'of another type',
      changed('"core"', '"javascript"'),
      'problem.type: got "javascript", expected core, kerneloops, python, java, ruby',
    ],
    ['without a problem', '{"ureport_version":2}', 'problem: got nothing, expected an object'],
    [
      'of a system with another form of version',
      changed('"version":"44"', '"version":"4 4"'),
      'os.version: got "4 4", expected letters, digits',
    ],
    ['of a system with a long name', changed('"fedora"', `"${'f'.repeat(100)}"`), 'os.name: got "'],
    ['of a strange architecture', changed('"x86_64"', '"x86 64"'), 'os.architecture: got "x86 64"'],
    ['that is no JSON', 'core', 'body: not JSON'],
    ['that is empty', '', 'body: empty'],
    ['that is a list', '[]', 'body: JSON, but not an object,'],
    ['that is nested', `{"a":${'['.repeat(20_000)}`, 'body: JSON nested more than 32 deep, expected a µReport'],
    ['that is no text', Buffer.from([0xff, 0xfe, 0x00]), 'body: not JSON'],
  ])('%s', async (_, text, error) => {
    const { status, json } = await report(text);
    expect(status).toBe(400);
    expect(Object.keys(json)).toEqual(['error']);
    expect(json.error).toStartWith(error);
    expect(await stored()).toEqual([]);
  });

  test('and kept in quarantine without what names the machine', async () => {
    const old = { ...CORE, ...AUTH, ureport_version: 1 };
    expect((await report(old)).status).toBe(400);
    expect((await report(`{"auth":{"hostname":"kitchen.example"`)).status).toBe(400);
    const rows = await server.sql<{ id: number; row: string; body: string; scrubbed: string[] }[]>`
      select id, scrubbed, q::text as row, convert_from(body, 'UTF8') as body from quarantine q order by id`;
    expect(rows.map(({ scrubbed }) => scrubbed)).toEqual([['abrt-auth'], ['abrt-auth']]);
    expect(rows.map(({ body }) => body)).toEqual([
      asSatyrPrints(old).replace(/, *"auth": \{[^}]*\}/, ''),
      '(withheld by privacy.scrub)',
    ]);
    for (const { row } of rows) expect(row).not.toMatch(/kitchen|0123456789abcdef/);
    expect((await getPage(server.app, `/telemetryui/quarantine/${rows[0]!.id}`)).html).toContain('too old');
    await server.sql`update quarantine set body = ${Buffer.from(JSON.stringify(CORE))} where id = ${rows[0]!.id}`;
    expect((await submit(server.app, '/telemetryui/quarantine/replays', { id: String(rows[0]!.id) })).status).toBe(303);
    expect(await stored()).toMatchObject([{ classification: 'abrt/core/report', machine_id: '' }]);
  });

  test('with 413 where it is larger than collector.max_payload', async () => {
    const large = { ...CORE, packages: 'x'.repeat(310_000) };
    const huge = { ...CORE, packages: 'x'.repeat(10_000_000) };
    for (const ureport of [large, huge]) {
      const { status, json } = await report(ureport);
      expect([status, Object.keys(json)]).toEqual([413, ['error']]);
      expect(json.error).toContain('collector.max_payload');
    }
  });

  test.each<[string, RequestInit, string]>([
    [
      'that is no form',
      { body: '{}', headers: { 'Content-Type': 'application/json' } },
      'Content-Type: got "application/json", expected multipart',
    ],
    [
      'whose form is cut off',
      { body: '--x', headers: { 'Content-Type': 'multipart/form-data; boundary=x' } },
      'body: not a form, or not all of it',
    ],
    [
      'whose form has no boundary',
      { body: '--x', headers: { 'Content-Type': 'multipart/form-data' } },
      'body: not a form',
    ],
    [
      'whose form has another field',
      {
        body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{}\r\n--x--\r\n',
        headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
      },
      'body: there is no field "file"',
    ],
  ])('%s', async (_, init, error) => {
    const { status, json } = await send(server.app, init, '192.0.2.7', NEW);
    expect(status).toBe(400);
    expect(json.error).toStartWith(error);
  });

  test('of a TID that is not known', async () => {
    const { status, json } = await report(CORE, { path: NEW.replace(TID, '00000000-0000-4000-8000-000000000000') });
    expect([status, Object.keys(json)]).toEqual([404, ['error']]);
  });
});

describe('limits of the TID', () => {
  const MOST = 100;
  async function start(limits: Partial<Tid>, env: Record<string, string> = {}): Promise<App> {
    const config = testConfig(env);
    const tids = [
      { id: TID, name: 'default', ...limits },
      { id: OTHER_TID, name: 'servers' },
    ];
    return (await appOn(server.database, { ...config, collector: { ...config.collector, tids } })).app;
  }

  test('networks: 403', async () => {
    const app = await start({ networks: ['198.51.100.0/24'] });
    expect((await report(CORE, { app })).status).toBe(403);
    expect((await report(CORE, { app })).json).toEqual({ error: expect.stringContaining('networks of this TID') });
    expect((await report(CORE, { app, address: '198.51.100.9' })).status).toBe(202);
  });

  test('rate and daily quota: 503, or 202 for one that is dropped', async () => {
    const rated = await start({ rate: 0.1 });
    const daily = await start({ daily: 2 });
    const dropping = await start({ daily: 1, over: 'drop' });
    for (const app of [rated, daily]) {
      let last: Answer | undefined;
      for (let n = 0; n < MOST && last?.status !== 503; n++) last = await report(CORE, { app });
      expect(last).toMatchObject({ status: 503, json: { error: expect.stringContaining('in collector.tids') } });
    }
    await report(CORE, { app: dropping });
    expect(await report(CORE, { app: dropping })).toMatchObject({
      status: 202,
      json: { result: false, solutions: [] },
    });
  });

  test('client certificates: 403', async () => {
    const config = testConfig();
    const { app } = await appOn(server.database, {
      ...config,
      tls: { ...config.tls, client_cert_fleets: ['default'] },
    });
    expect((await report(CORE, { app })).json.error).toContain('must show a certificate');
  });
});

describe('a machine that says who it is', () => {
  test('is known by a hash that is always the same, whatever else it says', async () => {
    const said = [`systemd=${MACHINE}\n`, MACHINE.toUpperCase(), `sosreport_uploader-dmidecode=1\nsystemd=${MACHINE}`];
    for (const [n, machineid] of said.entries()) await report({ ...CORE, auth: { machineid }, reason: `${n}` });
    const ids = new Set((await stored()).map(({ machine_id }: { machine_id: string }) => machine_id));
    expect(ids).toEqual(new Set([(await machineHash(server.sql))(MACHINE)]));
    await report({ ...CORE, auth: { machineid: `${MACHINE}0` } });
    expect((await stored())[0].machine_id).not.toBe([...ids][0]);
  });

  test('sends a report again without a second record; another machine does not', async () => {
    const [first, again] = [await report({ ...CORE, ...AUTH }), await report({ ...CORE, ...AUTH })];
    expect(again).toEqual(first);
    expect(await stored()).toHaveLength(1);
    await report({ ...CORE, auth: { machineid: 'another' } });
    expect(await stored()).toHaveLength(2);
  });

  test('is forgotten by its id', async () => {
    await report({ ...CORE, ...AUTH });
    await report(CORE);
    await server.analyse();
    const id = (await machineHash(server.sql))(MACHINE);
    await forgetMachine(server.sql, id, server.config, () => {});
    expect(isUnknownMachine(await findTraces(server.sql, id))).toBeTrue();
    expect(await stored()).toMatchObject([{ machine_id: '' }]);
  });
});

describe('machines that do not say who they are', () => {
  const ANONYMOUS = 1_000;
  let counted: CrashApp;
  beforeAll(async () => {
    counted = await crashApp();
    const send = () => report(CORE, { app: counted.app });
    for (let n = 0; n < ANONYMOUS; n += 100) await Promise.all(Array.from({ length: 100 }, send));
    await report({ ...CORE, ...AUTH }, { app: counted.app });
    await counted.analyse();
  });
  afterAll(() => counted.close());

  test('are all counted as records, and none as a machine', async () => {
    const [records] = await counted.sql`
      select count(*) as records, count(*) filter (where machine_id = '') as unknown from records`;
    expect(records).toEqual({ records: ANONYMOUS + 1, unknown: ANONYMOUS });
    const { json } = await getJson(counted.app, '/api/guilties');
    expect(json.guilties).toMatchObject([{ function: 'Kettle::boil()', records: ANONYMOUS + 1, machines: 1 }]);
    const { id } = json.guilties[0];
    const builds = await getJson(counted.app, `/api/guilties/${id}?build=44`);
    expect(builds.json).toMatchObject({ records: ANONYMOUS + 1, machines: 1 });
    expect(builds.json.builds).toMatchObject([
      { build: '44', records: ANONYMOUS + 1, machines: 1, top_machines: [{ records: 1 }] },
    ]);
    expect(builds.json.by_day.at(-1)).toMatchObject({ records: ANONYMOUS + 1, machines: 1 });
    const stacks = await getJson(counted.app, `/api/guilties/${id}/backtraces`);
    expect(stacks.json.backtraces).toMatchObject([{ records: ANONYMOUS + 1, machines: 1 }]);
    const ofBuild = await getJson(counted.app, '/api/guilties?build=44');
    expect(ofBuild.json.guilties).toMatchObject([{ records: ANONYMOUS + 1, machines: 1 }]);
    const [machines] = await counted.sql`
      select (select sum(machines) from machine_counts where build = '*')::int as lately,
             (select sum(machines) from machine_days where build = '*')::int as days,
             (select sum(machines) from guilty_machine_counts)::int as guilty`;
    expect(machines).toEqual({ lately: 1, days: 1, guilty: 1 });
  });

  test('are shown as unknown, without a link', async () => {
    for (const path of ['/telemetryui/records', '/telemetryui/connect/arrivals?since=1']) {
      const { html } = await getPage(counted.app, path);
      expect(html).toContain('machine unknown');
      expect(html).not.toMatch(/machine_id=(["&]|$)|\/machines\/"/);
    }
    const { json } = await getJson(counted.app, '/api/records?limit=2');
    const unknown = json.records.find((record: { machine_id: string }) => record.machine_id === '');
    const { html } = await getPage(counted.app, `/telemetryui/records/record_details/${unknown.id}`);
    expect(html).toContain('machine unknown');
    expect(html).not.toMatch(/of this machine|machine_id=(["&]|$)|\/machines\/"/);
  });

  test('name the systems and builds that can be chosen', async () => {
    await counted.sql`delete from records where machine_id <> ''`;
    expect((await getPage(counted.app, '/telemetryui/crashes')).html).toContain('value="fedora"');
    expect((await getPage(counted.app, '/telemetryui/records')).html).toContain('value="44"');
  });
});

describe('what is attached', () => {
  const ATTACH = `/abrt/${TID}/reports/attach/`;
  const attach = (bthash: string, type: string, data: string, tid = TID) =>
    report(JSON.stringify({ bthash, type, data }), { path: ATTACH.replace(TID, tid) });
  let hash: string;
  let app: App;
  beforeAll(async () => {
    hash = (await report(CORE)).json.bthash;
    await server.analyse();
    app = server.app;
  });
  const page = async () => {
    const response = await app.request(`http://localhost:8080/abrt/${TID}/reports/bthash/${hash}`);
    expect(response.status).toBe(302);
    return (await getPage(app, response.headers.get('location')!)).html;
  };

  test('stands on the page of the guilty, as said by machines, once', async () => {
    for (const [type, data] of [
      ['url', 'https://bugs.example/7?a=1&b=2'],
      ['url', 'https://bugs.example/7?a=1&b=2'],
      ['RHBZ', '123456'],
      ['comment', 'It <b>boiled</b> over.'],
      ['email', 'cook@kitchen.example'],
    ])
      expect(await attach(hash, type!, data!, OTHER_TID)).toMatchObject({ status: 202, json: { result: true } });
    const html = await page();
    expect(html).toContain('Reported by machines');
    expect(html.split('href="https://bugs.example/7?a=1&amp;b=2"')).toHaveLength(2);
    expect(html).toContain('href="https://bugzilla.redhat.com/show_bug.cgi?id=123456"');
    expect(html).toContain('It &lt;b&gt;boiled&lt;/b&gt; over.');
    expect(html).not.toContain('cook@');
    expect((await report(CORE)).json.solutions).toEqual([]);
  });

  test.each([
    [
      'an address of another kind',
      () => attach(hash, 'url', 'javascript:alert(1)'),
      'data: expected an http or https address',
    ],
    ['what is no address', () => attach(hash, 'url', 'bug 7'), 'data: expected an http'],
    ['a long comment', () => attach(hash, 'comment', 'x'.repeat(1_001)), 'data: expected at most 1000 characters'],
    ['a hash that is none', () => attach('x', 'comment', 'y'), 'bthash: expected 32 hexadecimal digits'],
    ['a hash that is not known', () => attach('0'.repeat(32), 'comment', 'y'), 'bthash: no report of this hash'],
    ['what is no JSON', () => report('x', { path: ATTACH }), 'body: not JSON'],
    ['what is no object', () => report('[]', { path: ATTACH }), 'body: '],
  ])('is not %s', async (_, attached, error) => {
    const { status, json } = await attached();
    expect(status).toBe(400);
    expect(json.error).toStartWith(error);
  });

  test('is bounded: ten of a guilty, and by rate', async () => {
    const { app: fresh } = await appOn(server.database);
    const answers = [];
    for (let n = 0; n < 12; n++)
      answers.push(
        await report(JSON.stringify({ bthash: hash, type: 'comment', data: `no. ${n}` }), { app: fresh, path: ATTACH }),
      );
    expect(answers.map(({ status }) => status)).toContain(503);
    const [row] = await server.sql<{ attached: number }[]>`select count(*) as attached from attachments`;
    expect(row!.attached).toBe(10);
    expect(answers.find(({ json }) => json.message?.includes('10 are there already'))?.status).toBe(202);
  });

  test('leads nowhere for a hash or a TID that is not known', async () => {
    for (const path of [
      `${TID}/reports/bthash/${'0'.repeat(32)}`,
      `${TID}/reports/bthash/x/`,
      `${MACHINE}/reports/bthash/${hash}`,
    ])
      expect((await get(app, `/abrt/${path}`)).status).toBe(404);
    const { app: collectorOnly } = await appOn(
      server.database,
      testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://stats.example' }),
      'collector',
    );
    const { headers } = await get(collectorOnly, `/abrt/${TID}/reports/bthash/${hash}/`);
    expect(headers.get('location')).toMatch(/^https:\/\/stats\.example\/telemetryui\/crashes\/guilty_details\/\d+$/);
  });
});

test('where the pages have an address, the answer has that of the report', async () => {
  const config = testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://stats.example/' });
  const { app } = await appOn(server.database, config);
  const { bthash, reported_to } = (await report(CORE, { app })).json;
  expect(reported_to).toEqual([
    { reporter: 'ABRT Server', type: 'url', value: `https://stats.example/abrt/${TID}/reports/bthash/${bthash}` },
  ]);
});
