import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { registerFleets } from '../../src/fleets.ts';
import { describeImport } from '../../src/import/report.ts';
import { runImport } from '../../src/import/run.ts';
import { openSource } from '../../src/import/source.ts';
import { createScrubber } from '../../src/privacy/scrubber.ts';
import type { Check } from '../../src/status/check.ts';
import { getJson, post, type TestApp, testApp, testConfig } from '../app.ts';
import { quietLog, type TestDatabase, testDatabase } from '../database.ts';
import { createOldDatabase, insertOld, type OldRow } from './old-database.ts';

const DAY = 86_400;
const NOON = Math.floor(Date.now() / 1000 / DAY) * DAY - 20 * DAY + DAY / 2;
const MACHINE = '0123456789abcdef0123456789abcdef';

let target: TestApp;
let old: TestDatabase;

async function importInto(app: TestApp, from: TestDatabase, { again = false, dryRun = false, fleet = 0 } = {}) {
  const source = await openSource(from.target);
  const scrubber = createScrubber(app.config.privacy.scrub, { maxWaiting: 10_000, answerWithinMs: 60_000 });
  const tid = app.config.collector.tids[fleet]!;
  const registered = (await registerFleets(app.database.sql, app.config.collector.tids)).get(tid.id)!;
  const client = app.database.client('import');
  const older: number[] = [];
  try {
    const importer = { sql: client, config: app.config, log: quietLog, fleet: registered, scrubber, dryRun };
    const report = await runImport(source, 'postgres://old/telemdb', again, importer, {
      bar: () => ({ show() {}, done() {} }),
      olderThanRetention: records => older.push(records),
    });
    return { ...report, older, text: describeImport(report) };
  } finally {
    await scrubber.drain();
    await source.sql.end();
    await client.end();
  }
}

/** Every counter that ingestion keeps, as it is and as the records say. */
async function countersOf({ database: { sql } }: TestApp) {
  const sums = async (kind: 'kept' | 'counted') => {
    const records = kind === 'counted';
    const builds = records
      ? await sql`select day::text, system_name, build, classification, severity, external, fleet_id, records from build_counts order by 1, 2, 3, 4, 5, 6, 7`
      : await sql`select (received_at at time zone 'UTC')::date::text as day, system_name, build, classification, severity, external, fleet_id, count(*) as records
                    from records group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7`;
    const machines = records
      ? await sql`select day::text, system_name, sum(machines)::bigint as machines from machine_days where build = '*' group by 1, 2 order by 1, 2`
      : await sql`select (received_at at time zone 'UTC')::date::text as day, system_name, count(distinct (machine_id, fleet_id, external)) as machines
                    from records group by 1, 2 order by 1, 2`;
    const onBuilds = records
      ? await sql`select day::text, build, sum(machines)::bigint as machines from machine_days where build <> '*' group by 1, 2 order by 1, 2`
      : await sql`select (received_at at time zone 'UTC')::date::text as day, build, count(distinct (machine_id, system_name, fleet_id, external)) as machines
                    from records group by 1, 2 order by 1, 2`;
    const lastSeen = records
      ? await sql`select last_day::text, build, sum(machines)::bigint as machines from machine_counts where build <> '*' and machines <> 0 group by 1, 2 order by 1, 2`
      : await sql`select last_day::text, build, count(*) as machines
                    from (select max((received_at at time zone 'UTC')::date) as last_day, build
                            from records group by machine_id, build, system_name, fleet_id, external) m
                   group by 1, 2 order by 1, 2`;
    const days = records
      ? await sql`select day::text, first_id, last_id from record_days order by 1`
      : await sql`select (received_at at time zone 'UTC')::date::text as day, min(id) as first_id, max(id) as last_id from records group by 1 order by 1`;
    return JSON.parse(JSON.stringify({ builds, machines, onBuilds, lastSeen, days }));
  };
  return { counted: await sums('counted'), kept: await sums('kept') };
}

async function expectRightCounters(app: TestApp) {
  const { counted, kept } = await countersOf(app);
  expect(counted).toEqual(kept);
}

const row = (id: number, changes: OldRow = {}): OldRow => ({
  id,
  machine_id: MACHINE,
  timestamp_client: NOON + id,
  timestamp_server: NOON + id + 5,
  ...changes,
});

describe('the flat schema', () => {
  beforeAll(async () => {
    target = await testApp();
    old = await testDatabase({ migrated: false });
    await createOldDatabase(old.sql, 'flat');
    await old.sql`create table plugin_notes (id int)`;
    await insertOld(old.sql, 'flat', [
      row(1, { payload: 'hello\nfirst\n' }),
      row(2, {
        machine_id: 'fixed-name',
        build: '"9.10"',
        system_name: 'ubuntu',
        external: true,
        timestamp_server: NOON + 0.75,
      }),
      row(3, { board_name: null, cpu_model: null, bios_version: null, event_id: null, external: null }),
      row(4, { build: 'rolling' }),
      row(5, { severity: 9 }),
      row(6, { payload: 'hello\nfirst\n', timestamp_client: NOON + 1, timestamp_server: NOON + 60 }),
      row(7, { timestamp_server: 12 }),
      row(8, {
        classification: 'org.clearlinux/crash/clr',
        severity: 3,
        payload: 'Process: /usr/bin/app\nPID: 1\nSignal: 11\n\nBacktrace (TID 1):\n#0 main() - [/usr/bin/app]\n',
      }),
      row(9, { timestamp_server: NOON + 3 * DAY, timestamp_client: null }),
      row(10, {
        timestamp_server: NOON + 3 * DAY,
        timestamp_client: 4_000_000_000,
        classification: 'org.clearlinux/mce/corrected',
        severity: 2,
        payload: 'Grüße\n',
      }),
      row(11, {
        classification: 'org.clearlinux/swupd-client/update',
        payload: 'a\nb\ncurrent_version=43000\nserver_version=43010\n',
      }),
    ]);
    await old.sql`insert into guilty values (1, 'boom()', 'app', 'known since May', false), (2, 'x()', 'app', ${'long '.repeat(30)}, true),
      (3, 'quiet()', 'app', null, false), (4, 'ours()', 'app', 'theirs', false)`;
    await old.sql`insert into guilty_blacklisted values (1, 'log_and_die()', 'libours.so'), (2, 'abort()', 'libc.so.6')`;
    await target.database.sql`insert into guilties (function, module, comment) values ('ours()', 'app', 'ours')`;
    await post(target.app, { machine_id: 'takes-id-1' });
  });
  afterAll(async () => {
    await target.close();
    await old.close();
  });

  test('a dry run says what would be copied and writes nothing', async () => {
    const report = await importInto(target, old, { dryRun: true });
    expect(report).toMatchObject({ inSource: 11, difference: 0, setAside: 3, state: { imported: 7, present: 1 } });
    expect(report.text).toContain('to be imported');
    const [left] = await target.database.sql`
      select (select count(*) from records) as records, (select count(*) from imports) as imports, (select count(*) from quarantine) as quarantined,
             (select comment from guilties) as comment`;
    expect(left).toEqual({ records: 1, imports: 0, quarantined: 0, comment: 'ours' });
  });

  test('is copied with times, ids where they are free, and counts that agree', async () => {
    const report = await importInto(target, old, { fleet: 1 });
    expect(report).toMatchObject({
      inSource: 11,
      difference: 0,
      setAside: 3,
      state: { imported: 7, renumbered: 1, present: 1 },
    });
    expect(report.state.setAside).toEqual({
      'build: expected digits, since system_name is clear-linux-os': 1,
      'severity: expected 1 to 4': 1,
      'time of reception: expected Unix seconds from 1420070400 to now': 1,
    });
    expect(report.text).toContain('Tables that do not belong to the old server, not read: plugin_notes.');

    const { json: records } = await getJson(target.app, '/api/records?machine_id=fixed-name');
    expect(records.records).toMatchObject([
      { id: 2, build: '9.10', external: true, ts_reception: iso(NOON), ts_capture: iso(NOON + 2) },
    ]);
    const { json: third } = await getJson(target.app, '/api/records/3');
    expect(third).toMatchObject({ board_name: null, event_id: null, external: false, record_format_version: 4 });
    const { json: ninth } = await getJson(target.app, '/api/records/9');
    expect(ninth.ts_capture).toBe(ninth.ts_reception);
    const { json: tenth } = await getJson(target.app, '/api/records/10');
    expect(tenth).toMatchObject({ payload: 'Grüße\n', ts_capture: iso(4_000_000_000) });
    const { json: moved } = await getJson(target.app, `/api/records?machine_id=${MACHINE}&build=43010&limit=1`);
    expect(moved.records[0].id).toBeGreaterThan(100_000);
    expect(moved.records[0].payload).toBe('hello\nfirst\n');
    const [queued] = await target.database.sql`select record_id from work_queue where kind = 'crash'`;
    expect(queued).toEqual({ record_id: 8 });
    const { json: status } = await getJson(target.app, '/api/status');
    expect(status.checks.find((check: Check) => check.name === 'Crash analysis')).toMatchObject({
      level: 'ok',
      text: expect.stringMatching(/^1 crash record waits, the oldest for \d+ s\.$/),
    });
    const [unplaced] = await target.database.sql`select count(*) as records from records_default`;
    expect(unplaced).toEqual({ records: 0 });
    await expectRightCounters(target);
  });

  test('what analysts said comes with it, and does not replace what is here', async () => {
    const guilties = await target.database
      .sql`select function, comment, hidden_at is not null as hidden from guilties order by function`;
    expect([...guilties]).toEqual([
      { function: 'boom()', comment: 'known since May', hidden: false },
      { function: 'ours()', comment: 'ours', hidden: false },
      { function: 'x()', comment: `${'long '.repeat(16).slice(0, 79)}…`, hidden: true },
    ]);
    const listed = await target.database
      .sql`select function, built_in from never_guilty where module in ('libours.so', 'libc.so.6') and function in ('log_and_die()', 'abort()') order by 1`;
    expect([...listed]).toEqual([
      { function: 'abort()', built_in: true },
      { function: 'log_and_die()', built_in: false },
    ]);
  });

  test('what was set aside is in quarantine under its old id', async () => {
    const kept = await target.database.sql<
      { reason: string; headers: [string, string][] }[]
    >`select reason, headers from quarantine order by id`;
    const ids = kept.map(({ headers }) => headers.find(([name]) => name === 'x_imported_id')?.[1]);
    expect(ids.toSorted()).toEqual(['4', '5', '7']);
  });

  test('a new record gets an id above the old ones, and one that an old server took is known when it comes again', async () => {
    const { json } = await post(target.app, { machine_id: 'newcomer' });
    expect(json.id).toBeGreaterThan(100_000);
    const now = Math.floor(Date.now() / 1000);
    await insertOld(old.sql, 'flat', [
      row(12, { timestamp_client: now - 60, timestamp_server: now - 50, payload: 'resent\n' }),
    ]);
    const report = await importInto(target, old);
    expect(report).toMatchObject({
      before: 11,
      inSource: 12,
      difference: 0,
      state: { imported: 8 },
      judgements: undefined,
    });
    const again = await post(target.app, { machine_id: MACHINE, creation_timestamp: String(now - 60) }, 'resent\n');
    expect(again.json.id).toBe(12);
    await expectRightCounters(target);
  });

  test('read again, nothing is stored twice; what is gone from the source is told', async () => {
    const report = await importInto(target, old, { again: true });
    expect(report).toMatchObject({ inSource: 12, difference: 0, setAside: 3, state: { imported: 0, present: 9 } });
    await old.sql`delete from records where id = 3`;
    const shorter = await importInto(target, old);
    expect(shorter.difference).toBe(-1);
    expect(shorter.text).toContain('THE COUNTS DIFFER: 1 records that were read are gone');
    await expectRightCounters(target);
  });
});

describe('the normalised schema', () => {
  beforeAll(async () => {
    target = await testApp();
    old = await testDatabase({ migrated: false });
  });
  afterAll(async () => {
    await target.close();
    await old.close();
  });

  test('of an early database gives payloads as they were received', async () => {
    await createOldDatabase(old.sql, 'normalised', { early: true });
    await insertOld(old.sql, 'normalised', [
      row(1, { payload: Buffer.from('Gr\xfc\xdfe\n', 'latin1'), backtrace: 'rewritten\n' }),
      row(2, { payload: Buffer.from('a\0b\n'), backtrace: 'ab\n' }),
      row(3, { payload: null, backtrace: '#0 demangled::name() - [app]\n' }),
      row(4, { payload: Buffer.from('_ZN3foo3barEv()\n'), backtrace: 'foo::bar()\n', record_version: 2 }),
      row(5, {
        payload: null,
        backtrace: null,
        system_name: null,
        record_version: 1,
        payload_version: null,
        build: 'v1',
      }),
      row(6, { classification: null }),
    ]);
    await old.sql`insert into guilty values (1, 'boom()', 'app', 'a comment'), (2, null, 'app', 'lost')`;
    const report = await importInto(target, old);
    expect(report).toMatchObject({
      inSource: 6,
      difference: 0,
      setAside: 1,
      state: { imported: 5, renumbered: 0 },
      judgements: { comments: 1, unusable: 1 },
    });
    const payloads = await Promise.all(
      [1, 2, 3, 4, 5].map(async id => (await getJson(target.app, `/api/records/${id}`)).json.payload),
    );
    expect(payloads).toEqual(['Grüße\n', 'a\0b\n', '#0 demangled::name() - [app]\n', '_ZN3foo3barEv()\n', '']);
    await expectRightCounters(target);
  });

  test('an import that was interrupted goes on where it was, with nothing twice and nothing lost', async () => {
    const rows = Array.from({ length: 2200 }, (_, n) =>
      row(n + 10, {
        machine_id: `machine-${n % 97}`,
        build: String(43000 + (n % 5) * 10),
        timestamp_server: NOON - DAY + n * 60,
        payload: Buffer.from(`payload ${n}\n`),
      }),
    );
    await insertOld(old.sql, 'normalised', rows);
    // What breaks in the middle, as a server that goes away does.
    await target.database.sql.unsafe(`
      create function break_off() returns trigger language plpgsql as $$ begin raise exception 'gone' using errcode = '57P01'; end $$;
      create trigger break_off before insert on records for each row when (new.id = 1500) execute function break_off()`);
    await expect(importInto(target, old)).rejects.toThrow('gone');
    const [half] = await target.database.sql<{ records: number }[]>`select count(*) as records from records`;
    expect(half!.records).toBeGreaterThan(5);
    expect(half!.records).toBeLessThan(2205);
    await target.database.sql`drop trigger break_off on records`;
    const report = await importInto(target, old);
    expect(report).toMatchObject({
      inSource: 2206,
      difference: 0,
      state: { imported: 2205, renumbered: 0, present: 0 },
    });
    expect(report.before).toBe(half!.records + 1);
    await expectRightCounters(target);
  });
});

describe('with rules of privacy.scrub', () => {
  const rules = (pattern: string) => ({
    TELEMETRICSD_PRIVACY_SCRUB: JSON.stringify([{ name: 'tokens', pattern, replacement: 'token=[gone]' }]),
  });
  beforeAll(async () => {
    target = await testApp(rules('token=\\S+'));
    old = await testDatabase({ migrated: false });
    await createOldDatabase(old.sql, 'flat');
    await insertOld(old.sql, 'flat', [
      row(1, { payload: 'token=geheim-1 of one\n' }),
      row(2, { payload: 'nothing to take out\n' }),
      row(3, { payload: 'token=geheim-3 of a wrong one\n', severity: 9 }),
      row(4, { payload: 'token=geheim-4 and pin=geheim-5\n', event_id: null }),
    ]);
  });
  afterAll(async () => {
    await target.close();
    await old.close();
  });

  test('payloads are scrubbed as those that arrive, in quarantine as well', async () => {
    expect(await importInto(target, old)).toMatchObject({ difference: 0, setAside: 1, state: { imported: 3 } });
    const records = (await getJson(target.app, '/api/records')).json.records as Record<string, unknown>[];
    expect(records.map(({ id, payload, scrubbed_by }) => [id, payload, scrubbed_by])).toEqual([
      [4, 'token=[gone] and pin=geheim-5\n', ['tokens']],
      [2, 'nothing to take out\n', []],
      [1, 'token=[gone] of one\n', ['tokens']],
    ]);
    const [kept] = await target.database.sql<{ body: Uint8Array }[]>`select body from quarantine`;
    expect(Buffer.from(kept!.body).toString()).toBe('token=[gone] of a wrong one\n');
  });

  test('read again after the rules changed, nothing is stored twice', async () => {
    const stricter = { ...target, config: testConfig(rules('(token|pin)=\\S+')) };
    const report = await importInto(stricter, old, { again: true });
    expect(report).toMatchObject({ difference: 0, state: { imported: 0, renumbered: 0, present: 3 } });
    expect((await getJson(target.app, '/api/records')).json.records).toHaveLength(3);
  });
});

test('a database of something else is refused', async () => {
  const other = await testDatabase({ migrated: false });
  try {
    await other.sql`create table records (id int, text text)`;
    await expect(openSource(other.target)).rejects.toThrow('this is not a database of the old server');
  } finally {
    await other.close();
  }
});

function iso(seconds: number) {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
