import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { App } from '../../src/app.ts';
import { forgetEvicted } from '../../src/collector/quarantine.ts';
import {
  appOn,
  get,
  getJson,
  getPage,
  headerBytes,
  OTHER_TID,
  post,
  postJson,
  recordHeaders,
  recordJson,
  send,
  submit,
  type TestApp,
  testApp,
  testConfig,
} from '../app.ts';

const PAGE = '/telemetryui/quarantine';
const REASON = 'severity: got "9", expected 1 to 4';

let shared: TestApp;
beforeAll(async () => {
  shared = await testApp();
});
afterAll(() => shared.close());

/** The application on an empty database, with the given settings. */
async function start(env?: Record<string, string>): Promise<Omit<TestApp, 'close'>> {
  const { sql } = shared.database;
  await sql`alter table records drop constraint if exists no_poison`;
  await sql`truncate quarantine, recent_records restart identity`;
  await sql`delete from records`;
  if (!env) return shared;
  const config = testConfig(env);
  return { ...shared, config, ...(await appOn(shared.database, config)) };
}

type Server = Awaited<ReturnType<typeof start>>;

const refused = (app: App, changes: Record<string, string | undefined> = {}, payload?: string) =>
  post(app, { severity: '9', ...changes }, payload);

const refusedFrom = (app: App, address: string, machine_id: string, body: string) =>
  send(app, { headers: recordHeaders({ severity: '9', machine_id }), body }, address);

/** Makes everything in quarantine this old. */
const age = ({ database }: Server, time: string) =>
  database.sql`update quarantine set first_at = first_at - ${time}::interval, evicted_at = evicted_at - ${time}::interval`;

interface Kept {
  machine: string | null;
  payload: string;
  attempts: number;
  bytes: number;
}

async function kept({ database }: Server): Promise<Kept[]> {
  const rows = await database.sql<(Omit<Kept, 'payload'> & { body: Uint8Array })[]>`
    select machine_id as machine, body, attempts, bytes from quarantine where evicted_at is null order by id`;
  return rows.map(({ body, ...row }) => ({ ...row, payload: Buffer.from(body).toString() }));
}

describe('a refused record', () => {
  test('is answered 400 at first and within a minute, and 201 when it comes again later', async () => {
    const server = await start();
    const first = await refused(server.app);
    expect([first.status, first.json]).toEqual([400, { message: REASON }]);
    await age(server, '59 seconds');
    expect((await refused(server.app)).status).toBe(400);
    await age(server, '1 second');
    const again = await refused(server.app);
    expect(again.status).toBe(201);
    expect(again.json).toEqual({
      quarantined: true,
      message: `${REASON}; it is kept in quarantine: do not send it again`,
    });
    expect(await kept(server)).toMatchObject([{ payload: 'hello\n', attempts: 3 }]);
    expect((await getJson(server.app, '/api/records')).json.records).toEqual([]);
  });

  test('is known to another instance, and in the JSON format', async () => {
    const server = await start();
    const second = server.database.another();
    const { app: other } = await appOn(second, server.config);
    const json = recordJson({ severity: '9' });
    expect([(await refused(server.app)).status, (await postJson(server.app, json)).status]).toEqual([400, 400]);
    await age(server, '1 minute');
    expect([(await refused(other)).status, (await postJson(other, json)).status]).toEqual([201, 201]);
    await second.close();
  });

  test('is recognised whatever other headers come with it, and is a new one if any of its own fields changed', async () => {
    const server = await start();
    await refused(server.app);
    await age(server, '1 minute');
    const same = { 'User-Agent': 'curl', Date: 'today', Authorization: 'x', 'Content-Type': 'application/text' };
    expect((await refused(server.app, same)).status).toBe(201);
    const others = [{ machine_id: 'x' }, { event_id: 'f'.repeat(32) }, { 'X-Telemetry-TID': OTHER_TID }];
    for (const changes of others) expect((await refused(server.app, changes)).status).toBe(400);
    expect((await refused(server.app, {}, 'another payload')).status).toBe(400);
  });

  test('is kept once even if it comes many times at once', async () => {
    const server = await start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => refused(server.app)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    expect(await kept(server)).toHaveLength(1);
  });

  test.each([
    ['an emoji in the middle of the longest machine id', { machine_id: headerBytes(`${'a'.repeat(31)}😀`) }],
    ['control characters', { machine_id: 'a\x85\x7f\tb' }],
    ['nothing but its format', { machine_id: undefined, severity: undefined, build: undefined }],
  ])('with %s is kept', async (_, changes) => {
    const server = await start();
    expect((await refused(server.app, changes)).status).toBe(400);
    expect(await kept(server)).toHaveLength(1);
  });

  test.each([
    ['NUL', '{"severity":"\0"'],
    ['not JSON', 'hello'],
    ['a list', '[]'],
    ['an escaped NUL and half a surrogate pair', '{"record_format_version":"4","machine_id":"a\\u0000\\ud83d"}'],
  ])('that is not a JSON object of the right form is kept: %s', async (_, body) => {
    const server = await start();
    expect((await postJson(server.app, body)).status).toBe(400);
    expect(await kept(server)).toMatchObject([{ payload: body }]);
  });

  test('is not kept with a wrong TID or an oversized body', async () => {
    const server = await start({ TELEMETRICSD_COLLECTOR_MAX_PAYLOAD: '1 KB' });
    expect((await refused(server.app, { 'X-Telemetry-TID': 'x' })).status).toBe(400);
    expect((await refused(server.app, {}, 'x'.repeat(1025))).status).toBe(413);
    expect((await postJson(server.app, recordJson({}, 'x'.repeat(1025)))).status).toBe(413);
    expect(await kept(server)).toEqual([]);
  });

  test('is kept without headers that may be secret', async () => {
    const server = await start();
    await refused(server.app, { Authorization: 'Basic c2VjcmV0', Cookie: 'session=secret', 'User-Agent': 'curl' });
    const [row] = await server.database.sql<{ headers: [string, string][] }[]>`select headers from quarantine`;
    const names = row!.headers.map(([name]) => name.toLowerCase());
    expect(names).toContain('user-agent');
    expect(names).toContain('severity');
    expect(JSON.stringify(row!.headers).toLowerCase()).not.toMatch(/authorization|cookie|secret|c2vjcmv0/);
  });

  test('is not kept in strict mode, and always answered 400', async () => {
    const server = await start({ TELEMETRICSD_COLLECTOR_REFUSE: 'strict' });
    for (let n = 0; n < 3; n++) {
      expect(await refused(server.app)).toEqual({ status: 400, json: { message: REASON } });
      await age(server, '1 hour');
    }
    expect(await kept(server)).toEqual([]);
  });
});

describe('the quarantine is bounded', () => {
  const machines = (count: number) => Array.from({ length: count }, (_, n) => `machine-${n}`);

  test('by count: the oldest go, but are remembered for 20 hours', async () => {
    const server = await start({ TELEMETRICSD_QUARANTINE_MAX_RECORDS: '10' });
    for (const machine of machines(12)) await refusedFrom(server.app, machine, machine, 'x');
    expect((await kept(server)).map(({ machine }) => machine)).toEqual(machines(12).slice(2));

    await age(server, '1 minute');
    const again = await refusedFrom(server.app, 'machine-0', 'machine-0', 'x');
    expect([again.status, again.json]).toEqual([
      201,
      {
        quarantined: true,
        message: `${REASON}; it was kept in quarantine and has had to make room since: do not send it again`,
      },
    ]);
    expect(await kept(server)).toHaveLength(10);

    await age(server, '19 hours 58 minutes');
    await forgetEvicted(server.database.sql, server.config.quarantine, true);
    expect((await refusedFrom(server.app, 'machine-1', 'machine-1', 'x')).status).toBe(201);
    await age(server, '2 minutes');
    await forgetEvicted(server.database.sql, server.config.quarantine, true);
    expect((await refusedFrom(server.app, 'machine-0', 'machine-0', 'x')).status).toBe(400);
  });

  test('even within one batch', async () => {
    const server = await start({ TELEMETRICSD_QUARANTINE_MAX_RECORDS: '10' });
    await Promise.all(machines(60).map(machine => refusedFrom(server.app, machine, machine, 'x')));
    expect(await kept(server)).toHaveLength(10);
  });

  test('a full quarantine makes room for many entries at once, so that most refused records need no eviction', async () => {
    const server = await start({ TELEMETRICSD_QUARANTINE_MAX_RECORDS: '1000' });
    await refusedFrom(server.app, 'first', 'first', 'x');
    await server.database.sql`
      insert into quarantine (fingerprint, first_at, last_at, attempts, fleet_id, reason, bytes, headers, body)
      select gen_random_uuid(), now(), now(), 1, fleet_id, reason, bytes, headers, body
        from quarantine, generate_series(1, 1000)`;
    const { app } = await appOn(server.database, server.config);
    const counts: number[] = [];
    for (const machine of machines(12)) {
      await refusedFrom(app, machine, machine, 'x');
      counts.push((await kept(server)).length);
    }
    expect(counts).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1000, 990]);
    expect((await kept(server)).slice(-12).map(({ machine }) => machine)).toEqual(machines(12));
  });

  test('by bytes', async () => {
    const server = await start({ TELEMETRICSD_QUARANTINE_MAX_BYTES: '1 MB' });
    for (const machine of machines(15)) await refusedFrom(server.app, machine, machine, 'x'.repeat(90_000));
    const held = await kept(server);
    expect(held.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1024 * 1024);
    expect(held.map(({ machine }) => machine)).toEqual(machines(15).slice(-held.length));
    expect(held).toHaveLength(11);
  });

  test.each([
    ['machine', (n: number) => ['same', `10.0.0.${n}`]],
    ['address', (n: number) => [`machine-${n}`, '10.0.0.1']],
  ])('at a tenth for one %s, by count and by bytes', async (_, from) => {
    const server = await start({
      TELEMETRICSD_QUARANTINE_MAX_RECORDS: '50',
      TELEMETRICSD_QUARANTINE_MAX_BYTES: '1 MB',
    });
    const flood = async (count: number, size: number) => {
      for (let n = 0; n < count; n++) {
        const [machine, address] = from(n);
        await refusedFrom(server.app, address!, machine!, `${n}${'x'.repeat(size)}`);
      }
    };
    await refusedFrom(server.app, '10.9.9.9', 'another', 'x');
    await flood(8, 10);
    expect((await kept(server)).map(({ payload }) => payload[0])).toEqual(['x', '3', '4', '5', '6', '7']);
    await flood(4, 50_000);
    expect((await kept(server)).map(({ payload }) => payload.length)).toEqual([1, 50_001, 50_001]);
  });

  test('but the newest is kept even if it is larger than a tenth', async () => {
    const server = await start({ TELEMETRICSD_QUARANTINE_MAX_BYTES: '1 MB' });
    await refused(server.app, {}, 'x'.repeat(200_000));
    expect(await kept(server)).toHaveLength(1);
  });
});

describe('the page', () => {
  test('says that nothing is kept', async () => {
    const { app } = await start();
    const { status, html } = await getPage(app, PAGE);
    expect(status).toBe(200);
    expect(html).toContain('Nothing in quarantine');
  });

  test('lists by reason and shows one with its fields and payload', async () => {
    const server = await start();
    await refused(server.app, { machine_id: 'first' }, 'the payload\0');
    await refused(server.app, { machine_id: 'second' });
    await post(server.app, { machine_id: 'third', arch: '!' });
    const all = await getPage(server.app, PAGE);
    expect(all.html).toContain('3 of at most 10,000 records kept');
    for (const machine of ['first', 'second', 'third']) expect(all.html).toContain(machine);

    const narrowed = await getPage(server.app, `${PAGE}?${new URLSearchParams({ reason: REASON })}`);
    expect(narrowed.html).toContain('Replay 2 records');
    expect(narrowed.html).not.toContain('third');

    const entry = await getPage(server.app, `${PAGE}/1`);
    expect(entry.html).toContain('Refused record 1');
    expect(entry.html).toContain('severity: got &quot;9&quot;, expected 1 to 4');
    expect(entry.html).toContain('the payload␀');
    expect(entry.html).toContain('x86_64');
  });

  test('can be filtered by any reason with its link', async () => {
    const { app } = await start();
    const nasty = ['a\x85b', 'a\x7fb', 'a\tb', '<b>&"\'%00?#+', headerBytes('機\u2028械')];
    for (const severity of nasty) await refused(app, { severity });
    await postJson(app, '{"a":\u0001}');
    const { html } = await getPage(app, PAGE);
    const links = [...html.matchAll(/href="([^"]*\?reason=[^"]*)"/g)].map(([, link]) => link!.replaceAll('&amp;', '&'));
    expect(links).toHaveLength(nasty.length + 1);
    for (const link of links) {
      const narrowed = await getPage(app, link);
      expect(narrowed.status).toBe(200);
      expect(narrowed.html).toContain('Replay 1 record');
    }
  });

  test('pages through many', async () => {
    const { app } = await start();
    await Promise.all(Array.from({ length: 120 }, (_, n) => refusedFrom(app, `a-${n}`, `machine-${n}`, 'x')));
    const seen: string[] = [];
    for (let path: string | undefined = PAGE; path; ) {
      const { html } = await getPage(app, path);
      seen.push(...[...html.matchAll(/title="(machine-\d+)"/g)].map(([, machine]) => machine!));
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    }
    expect([seen.length, new Set(seen).size]).toEqual([120, 120]);
  });

  test.each([
    ['/abc', 404],
    ['/²', 404],
    ['/99', 404],
    ['?before_id=abc', 400],
    ['?before_id=9007199254740993', 400],
    ['?reason=%00', 400],
  ])('%s is %d', async (path, status) => {
    const { app } = await start();
    expect((await get(app, `${PAGE}${path}`)).status).toBe(status);
  });

  test('shows the number of entries in the header of every page', async () => {
    const { app } = await start();
    await refused(app);
    expect((await getPage(app, '/telemetryui/records')).html).toContain('1<span class="unseen"> waiting</span>');
  });
});

describe('after the cause is fixed, a record can be replayed', () => {
  test('alone or with all of the same reason, as a record with its fleet and payload', async () => {
    const server = await start();
    await server.database.sql`alter table records add constraint no_poison check (build <> '666')`;
    const poisoned = { build: '666', 'X-Telemetry-TID': OTHER_TID };
    for (const machine_id of ['one', 'two', 'three']) {
      expect((await post(server.app, { ...poisoned, machine_id }, 'pay\0load')).status).toBe(400);
    }
    const still = await submit(server.app, `${PAGE}/replays`, { id: '1' });
    expect([still.status, still.headers.get('location')]).toEqual([303, `${PAGE}?replayed=0&refused=1`]);
    expect((await getPage(server.app, still.headers.get('location')!)).html).toContain(
      '1 record still can&#39;t be stored and stay',
    );

    await server.database.sql`alter table records drop constraint no_poison`;
    const one = await submit(server.app, `${PAGE}/replays`, { id: '1' });
    expect(one.headers.get('location')).toBe(`${PAGE}?replayed=1&refused=0`);
    const [reason] = await server.database.sql<{ reason: string }[]>`select reason from quarantine limit 1`;
    expect(reason!.reason).toContain('violates check constraint "no_poison"');
    const all = await submit(server.app, `${PAGE}/replays`, { reason: reason!.reason });
    expect(all.headers.get('location')).toBe(`${PAGE}?replayed=2&refused=0`);
    expect((await getPage(server.app, all.headers.get('location')!)).html).toContain(
      'Stored 2 records from quarantine.',
    );

    expect(await kept(server)).toEqual([]);
    const { records } = (await getJson(server.app, '/api/records')).json;
    expect(records.map((record: { machine_id: string }) => record.machine_id).sort()).toEqual(['one', 'three', 'two']);
    for (const record of records)
      expect(record).toMatchObject({ fleet: 'servers', payload: 'pay\0load', build: '666' });
    const resent = await post(server.app, { ...poisoned, machine_id: 'one' }, 'pay\0load');
    expect(resent.json.id).toBe(records.find((record: { machine_id: string }) => record.machine_id === 'one').id);
  });

  test('in the JSON format, through an instance with other settings', async () => {
    const server = await start({ TELEMETRICSD_COLLECTOR_TIDS: `${OTHER_TID}=servers` });
    const strangers = { 'X-Telemetry-TID': OTHER_TID, 'X-CLR-External': 'true' };
    await server.database.sql`alter table records add constraint no_poison check (machine_id <> 'json')`;
    await postJson(server.app, recordJson({ machine_id: 'json' }), strangers);
    await server.database.sql`alter table records drop constraint no_poison`;
    await submit(server.app, `${PAGE}/replays`, { id: '1' });
    const { records } = (await getJson(server.app, '/api/records')).json;
    expect(records).toMatchObject([{ machine_id: 'json', external: true, fleet: 'servers', payload: 'hello\n' }]);
  });

  test('but not while its TID is missing in the configuration', async () => {
    const server = await start();
    await refused(server.app);
    const second = server.database.another();
    const { app } = await appOn(second, testConfig({ TELEMETRICSD_COLLECTOR_TIDS: `${OTHER_TID}=servers` }));
    const answer = await submit(app, `${PAGE}/replays`, { reason: REASON });
    expect(answer.headers.get('location')).toBe(`${PAGE}?replayed=0&refused=1`);
    await second.close();
  });
});

describe('a discarded entry', () => {
  test('is gone, and its machine still need not send it again', async () => {
    const server = await start();
    await refused(server.app, { machine_id: 'one' });
    await refused(server.app, { machine_id: 'two' });
    await refused(server.app, { machine_id: 'three' });
    const one = await submit(server.app, `${PAGE}/discards`, { id: '1' });
    expect([one.status, one.headers.get('location')]).toEqual([303, `${PAGE}?discarded=1`]);
    const others = await submit(server.app, `${PAGE}/discards`, { reason: REASON });
    expect(others.headers.get('location')).toBe(`${PAGE}?discarded=2`);
    expect((await getPage(server.app, `${PAGE}?discarded=2`)).html).toContain('Discarded 2 records.');
    expect(await kept(server)).toEqual([]);
    expect((await get(server.app, `${PAGE}/1`)).status).toBe(404);

    await age(server, '1 minute');
    const again = await refused(server.app, { machine_id: 'one' });
    expect([again.status, again.json.quarantined]).toEqual([201, true]);
    expect(await kept(server)).toEqual([]);
  });

  test.each<Record<string, string>>([{}, { id: 'abc' }, { id: '' }, { id: '1', reason: REASON }, { reason: 'a\0b' }])(
    'is named by its id or its reason, not by %j',
    async fields => {
      const server = await start();
      await refused(server.app);
      for (const action of ['discards', 'replays']) {
        expect((await submit(server.app, `${PAGE}/${action}`, fields)).status).toBe(400);
      }
      expect(await kept(server)).toHaveLength(1);
    },
  );
});
