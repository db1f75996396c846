import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import type { Size } from '../../src/config/values.ts';
import { countedClassifications } from '../../src/counters/classifications.ts';
import { createLog } from '../../src/log.ts';
import { listDays } from '../../src/retention/days.ts';
import { watchDisk } from '../../src/retention/disk-reserve.ts';
import { type PurgeReport, purge } from '../../src/retention/purge.ts';
import { dropDays } from '../../src/retention/remove.ts';
import { appOn, get, getJson, getPage, post, type TestApp, testApp, testConfig } from '../app.ts';
import { quietLog } from '../database.ts';
import { eventually } from '../executable/program.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

interface Sample {
  classification: string;
  severity: number;
  machineId: string;
  /** UTC days since it was received. */
  age: number;
}

interface Rules {
  days?: number;
  severity?: Record<string, number>;
  classification?: Record<string, number>;
  machine_id?: Record<string, number>;
  counters?: number;
  max_bytes?: Size;
}

const MCE = 'org.clearlinux/mce/corrected';
const PING = 'org.clearlinux/heartbeat/ping';
const HELLO = 'org.clearlinux/hello/world';
const EXAMPLE: Rules = {
  severity: { 1: 5, 4: 0 },
  classification: { 'org.clearlinux/mce/*': 0, [HELLO]: 1, [PING]: 1 },
};

beforeEach(async () => {
  const { sql } = server.database;
  const days = await sql<{ day: string }[]>`select day::text from record_days`;
  for (const { day } of days) {
    if (day >= new Date().toISOString().slice(0, 10)) continue;
    for (const kind of ['records', 'crashes', 'parsed'])
      for (const name of [day.replaceAll('-', ''), day.slice(0, 7).replace('-', '')])
        await sql`drop table if exists ${sql(`${kind}_${name}`)}`;
  }
  await sql`
    truncate records, crashes, parsed, work_queue, record_days, build_counts, platform_counts, kernel_counts, hour_counts,
             machines_last_seen, machine_counts, machine_days, exposed_machines, exposure_counts, affected_machines,
             affected_counts, stack_counts, stacks, guilties, never_guilty_version`;
  await sql`insert into never_guilty_version (version) values (1)`;
});

/** Stores records as ingestion would have on those days: in their partitions (or in DEFAULT), counted, each with a crash row, parsed data and queued work. */
async function store(samples: Sample[], { partitions = true } = {}): Promise<number[]> {
  const { sql } = server.database;
  const days = [...new Set(samples.map(({ age }) => age))];
  if (partitions)
    for (const age of days) await sql`select make_records_day((now() at time zone 'UTC')::date - ${age}::int)`;
  const rows = await sql<{ id: number }[]>`
    insert into records (received_at, machine_id, fleet_id, external, severity, record_format_version, classification, system_name,
                         build, arch, kernel_version, host_type, captured_at, payload)
    select ((now() at time zone 'UTC')::date - age + time '12:00') at time zone 'UTC', "machineId", 1, true, severity, 4,
           classification, 'os', '1', 'x86_64', '6.1', 'host', now(), 'payload'
      from jsonb_to_recordset(${JSON.stringify(samples)}::text::jsonb)
           as came (classification text, severity smallint, "machineId" text, age integer)
    returning id`;
  await sql`
    insert into parsed (machine_id, received_at, id, parser, data)
    select machine_id, received_at, id, 'hello', '{"uptime": 1}' from records on conflict do nothing`;
  await sql`
    insert into crashes (machine_id, received_at, id, stack_id, fleet_id, system_name, build)
    select machine_id, received_at, id, 0, 1, 'os', '1' from records on conflict do nothing`;
  await sql`
    insert into work_queue (kind, record_id, machine_id, received_at) select 'crash', id, machine_id, received_at from records
        on conflict do nothing`;
  for (const age of days) {
    await sql`select rebuild_counters((now() at time zone 'UTC')::date - ${age}::int, ${countedClassifications(sql, server.config)})`;
    await sql.begin(
      tx =>
        tx`select count_machines_of_days(day, day) from (select (now() at time zone 'UTC')::date - ${age}::int as day) d`,
    );
  }
  return rows.map(row => row.id);
}

async function run(rules: Rules, options: Parameters<typeof purge>[3] = {}): Promise<PurgeReport> {
  const config = testConfig();
  Object.assign(config.retention, rules);
  const client = server.database.client('purge');
  const report = await purge(client, config, quietLog, options);
  await client.end();
  return report!;
}

async function survivors(): Promise<number[]> {
  const rows = await server.database.sql<{ id: number }[]>`select id from records order by id`;
  return rows.map(row => row.id);
}

describe('which records go', () => {
  const cases: [name: string, rules: Rules, sample: Partial<Sample>, gone: boolean][] = [
    ['without a rule, after the default', {}, { age: 36 }, true],
    ['without a rule, on the last day of the default', {}, { age: 35 }, false],
    ['a default of 0 keeps', { days: 0 }, { age: 3000 }, false],
    ['example: severity 1 after 5 days', EXAMPLE, { severity: 1, classification: 'a/b/c', age: 6 }, true],
    ['example: severity 1 before that', EXAMPLE, { severity: 1, classification: 'a/b/c', age: 5 }, false],
    ['example: severity 4 for ever', EXAMPLE, { severity: 4, classification: 'a/b/c', age: 3000 }, false],
    ['example: machine checks for ever', EXAMPLE, { severity: 2, classification: MCE, age: 3000 }, false],
    [
      'example: a machine check of severity 1 goes by the shorter rule',
      EXAMPLE,
      { severity: 1, classification: MCE, age: 6 },
      true,
    ],
    ['example: a ping after a day', EXAMPLE, { severity: 2, classification: PING, age: 2 }, true],
    ['example: a ping of severity 4 as well', EXAMPLE, { severity: 4, classification: HELLO, age: 2 }, true],
    ['example: severity 2 without a rule', EXAMPLE, { severity: 2, classification: 'a/b/c', age: 36 }, true],
    ['a rule longer than the default keeps', { severity: { 2: 100 } }, { severity: 2, age: 90 }, false],
    ['and ends', { severity: { 2: 100 } }, { severity: 2, age: 101 }, true],
    ['a machine for ever', { machine_id: { m1: 0 } }, { machineId: 'm1', age: 400 }, false],
    ['another machine', { machine_id: { m1: 0 } }, { machineId: 'm2', age: 400 }, true],
    [
      '"*" is one part, not a beginning',
      { classification: { '*/mce/x': 0 } },
      { classification: 'o/mce/xy', age: 36 },
      true,
    ],
  ];
  test('the table of cases, all at once', async () => {
    for (const rules of new Set(cases.map(([, given]) => given))) {
      await server.database.sql`truncate records, crashes, parsed, work_queue, record_days, build_counts`;
      const own = cases.filter(([, given]) => given === rules);
      const ids = await store(
        own.map(([, , sample]) => ({ classification: 'a/b/c', severity: 2, machineId: 'm0', age: 0, ...sample })),
      );
      await run(rules);
      const left = new Set(await survivors());
      expect(own.map(([name], index) => [name, !left.has(ids[index]!)])).toEqual(
        own.map(([name, , , gone]) => [name, gone]),
      );
    }
  });

  const rule = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) },
  );
  const sample = fc.record({
    classification: fc.constantFrom('a/x/1', 'a/x/2', 'b/x/1', 'b/y/2'),
    severity: fc.integer({ min: 1, max: 4 }),
    machineId: fc.constantFrom('m1', 'm2', 'm3'),
    age: fc.integer({ min: 0, max: 6 }),
  });
  const rulesArbitrary = fc.record({
    days: rule,
    severity: fc.dictionary(fc.constantFrom('1', '2', '3', '4'), rule),
    classification: fc.dictionary(fc.constantFrom('a/*/*', '*/x/1', 'b/y/2', '*/*/2'), rule),
    machine_id: fc.oneof(fc.constant({}), fc.dictionary(fc.constantFrom('m1', 'm2'), rule)),
  });

  /** Step by step as the old server did it. */
  function surviveNaively(
    samples: Sample[],
    rules: Required<Pick<Rules, 'days' | 'severity' | 'classification' | 'machine_id'>>,
  ) {
    const tests = [
      ...Object.entries(rules.severity).map(([key, days]) => ({
        days,
        fits: (s: Sample) => String(s.severity) === key,
      })),
      ...Object.entries(rules.classification).map(([key, days]) => {
        const pattern = new RegExp(`^${key.replaceAll('*', '[^/]*')}$`);
        return { days, fits: (s: Sample) => pattern.test(s.classification) };
      }),
      ...Object.entries(rules.machine_id).map(([key, days]) => ({ days, fits: (s: Sample) => s.machineId === key })),
    ];
    let left = samples.map((s, index) => ({ s, index }));
    for (const { days, fits } of tests) if (days > 0) left = left.filter(({ s }) => !(fits(s) && s.age > days));
    if (rules.days > 0) left = left.filter(({ s }) => s.age <= rules.days || tests.some(({ fits }) => fits(s)));
    return left.map(({ index }) => index);
  }

  test('is what the rules say of each record by itself, announced by a dry run, and stays so the next day', async () => {
    const { sql } = server.database;
    await fc.assert(
      fc.asyncProperty(
        fc.array(sample, { minLength: 1, maxLength: 40 }),
        rulesArbitrary,
        fc.boolean(),
        async (samples, rules, partitions) => {
          await sql`truncate records, crashes, parsed, work_queue, record_days, build_counts`;
          const ids = await store(samples, { partitions });
          const expected = surviveNaively(samples, rules).map(index => ids[index]!);
          const counted = await sql`select * from build_counts order by 1, 2, 3, 4, 5`;
          const announced = await run(rules, { dryRun: true });
          expect(await survivors()).toEqual(ids);

          const report = await run(rules);
          expect(await survivors()).toEqual(expected);
          expect([...report.byRule].sort()).toEqual([...announced.byRule].sort());
          expect([report.records, report.dropped, report.thinned]).toEqual([
            announced.records,
            announced.dropped,
            announced.thinned,
          ]);
          expect(report.records).toBe(ids.length - expected.length);
          expect(await sql`select * from build_counts order by 1, 2, 3, 4, 5`).toEqual(counted);
          const [rest] = await sql`
          select (select array_agg(id order by id) from crashes) as crashes,
                 (select array_agg(id order by id) from parsed) as parsed, (select array_agg(record_id order by record_id) from work_queue) as queued`;
          expect([rest!.crashes ?? [], rest!.parsed ?? [], rest!.queued ?? []]).toEqual([expected, expected, expected]);
          expect((await run(rules)).records).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });
});

const plain = { classification: 'a/b/c', severity: 2, machineId: 'm0' };

test('a day of which nothing is kept goes as a partition, and is incomplete from then on', async () => {
  const [, , kept] = await store([
    { ...plain, age: 50 },
    { ...plain, age: 50 },
    { ...plain, age: 3 },
  ]);
  const report = await run({});
  expect(report.dropped).toHaveLength(1);
  expect(report.bytes).toBeGreaterThan(0);
  expect(report.byRule).toEqual(new Map([['no rule, so retention.days', 2]]));
  expect(await survivors()).toEqual([kept!]);
  const [day] = await server.database.sql`
    select complete, to_regclass('records_' || to_char(day, 'YYYYMMDD')) is null as dropped,
           to_regclass('crashes_' || to_char(day, 'YYYYMMDD')) is null as crashes,
           to_regclass('parsed_' || to_char(day, 'YYYYMMDD')) is null as parsed
      from record_days order by day limit 1`;
  expect(day).toEqual({ complete: false, dropped: true, crashes: true, parsed: true });
});

test('a record that is gone is answered 404 with how long records are kept', async () => {
  const [id] = await store([{ ...plain, age: 50 }]);
  await run({});
  const { status, html } = await getPage(server.app, `/telemetryui/records/record_details/${id}`);
  expect(status).toBe(404);
  expect(html).toContain('records are kept 35 days');
  expect((await getJson(server.app, `/api/records/${id}`)).status).toBe(404);
});

test('a long reader puts off the drop of a day; records go on meanwhile, and then it goes', async () => {
  await store([{ ...plain, age: 50 }]);
  const reader = server.database.client('reader');
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const reading = reader.begin(async tx => {
    await tx`select count(*) from records`;
    started.resolve();
    await ended;
  });
  await started.promise;
  const [day] = await listDays(server.database.sql);
  expect(await dropDays(server.database.sql, [day!], '', 1)).toBe(false);

  let slowest = 0;
  let report: PurgeReport | undefined;
  const running = run({}).then(done => {
    report = done;
  });
  const readUntil = performance.now() + 1_500;
  for (let n = 0; !report; n++) {
    const before = performance.now();
    expect((await post(server.app, { machine_id: 'meanwhile' }, `meanwhile ${n}`)).status).toBe(201);
    slowest = Math.max(slowest, performance.now() - before);
    if (before > readUntil) end();
    else expect(report).toBeUndefined();
  }
  await Promise.all([running, reading]);
  await reader.end();
  // One that waited for the reader would never be answered: only answers end the reader.
  expect(slowest).toBeLessThan(5_000);
  expect(report!.dropped).toEqual([day!.day]);
});

describe('what is left of a month past the default retention', () => {
  const now = new Date();
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 3, 1));
  const month = first.toISOString().slice(0, 7);
  /** The age of a day of that month, from 1. */
  const ageOf = (day: number) => Math.floor((now.getTime() - first.getTime()) / 86_400_000) - (day - 1);
  const KEEP: Rules = { classification: { 'keep/*/*': 400, 'long/*/*': 500 } };
  const samples = [1, 2, 2, 15, 28].flatMap(day => [
    { classification: 'keep/a/b', severity: 1, machineId: `m${day}`, age: ageOf(day) },
    { classification: 'gone/a/b', severity: 1, machineId: `m${day}`, age: ageOf(day) },
  ]);
  const kept = (ids: number[]) => ids.filter((_, index) => index % 2 === 0);

  async function storeAnalysed() {
    const ids = await store(samples);
    await server.database.sql`delete from work_queue`;
    return ids;
  }

  async function partitions() {
    const rows = await server.database.sql<{ name: string }[]>`
      select c.relname as name from pg_inherits join pg_class c on c.oid = inhrelid
       where c.relkind = 'r' and c.relname ~ ${`^(records|crashes|parsed)_${month.replace('-', '')}`} order by 1`;
    return rows.map(({ name }) => name);
  }

  async function waitingForLocks() {
    const rows = await server.database.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.count;
  }

  const OF_MONTH = ['crashes', 'parsed', 'records'].map(kind => `${kind}_${month.replace('-', '')}`);

  test('lies in one partition, where everything finds it, and stays when nothing is past its time', async () => {
    const ids = await storeAnalysed();
    const report = await run(KEEP);
    expect(report.gathered).toEqual([month]);
    expect(await partitions()).toEqual(OF_MONTH);
    expect(await survivors()).toEqual(kept(ids));
    const { json } = await getJson(server.app, `/api/records/${ids[2]}`);
    expect([json.id, json.parsed]).toEqual([ids[2], { uptime: 1 }]);
    const list = await getJson(server.app, '/api/records?classification=keep/*/*');
    expect(list.json.records.map((record: { id: number }) => record.id)).toEqual(kept(ids).reverse());
    const [rows] = await server.database.sql`
      select (select count(*) from crashes) as crashes, (select count(*) from parsed) as parsed`;
    expect(rows).toEqual({ crashes: 5, parsed: 5 });

    const again = await run(KEEP);
    expect([again.records, again.gathered]).toEqual([0, []]);
    expect(await survivors()).toEqual(kept(ids));
  });

  test('is left for another time where an import makes one of its days meanwhile, whose records stay', async () => {
    const { sql } = server.database;
    const ids = await storeAnalysed();
    const client = server.database.client('gather');
    const gathering = client.begin(async tx => {
      const days = await tx<{ day: string }[]>`select open_records_month(${`${month}-01`}::date)::text as day`;
      const [made] = await sql<{ day: string }[]>`
        select day::date::text as day from generate_series(${`${month}-01`}::date, ${`${month}-28`}::date, '1 day') day
         where to_regclass(days_table('records', day::date)) is null limit 1`;
      await sql`select make_records_day(${made!.day}::date)`;
      await tx`select close_records_month(${`${month}-01`}::date, ${days.map(({ day }) => day)}::date[])`;
    });
    await expect(Promise.resolve(gathering)).rejects.toThrow('a day of the month was made meanwhile');
    await client.end();
    expect(await survivors()).toEqual(ids);
    expect((await run(KEEP)).gathered).toEqual([month]);
    expect(await survivors()).toEqual(kept(ids));
  });

  test('takes records of its days that come later, loses them by rules, and goes with the last', async () => {
    const ids = await storeAnalysed();
    await run(KEEP);
    const [late] = await store([{ classification: 'long/a/b', severity: 1, machineId: 'late', age: ageOf(3) }]);
    await server.database.sql`delete from work_queue`;
    expect(await partitions()).toEqual(OF_MONTH);
    expect(await survivors()).toEqual([...kept(ids), late!]);

    const shorter = await run({ classification: { 'keep/*/*': 40, 'long/*/*': 500 } });
    expect([shorter.records, shorter.dropped]).toEqual([5, []]);
    expect(await survivors()).toEqual([late!]);
    expect((await run({ classification: { 'long/*/*': 40 } })).records).toBe(1);
    expect(await partitions()).toEqual([]);
    expect(await listDays(server.database.sql)).toEqual([]);
    expect((await get(server.app, `/api/records/${ids[0]}`)).status).toBe(404);
  });

  test('goes as a whole where the database is too large', async () => {
    await storeAnalysed();
    await run(KEEP);
    const announced = await run({ ...KEEP, max_bytes: 1 }, { dryRun: true });
    const report = await run({ ...KEEP, max_bytes: 1 });
    expect(report.dropped).toEqual([1, 2, 15, 28].map(day => `${month}-${String(day).padStart(2, '0')}`));
    expect([announced.dropped, announced.records]).toEqual([report.dropped, report.records]);
    expect(report.byRule).toEqual(new Map([['retention.max_bytes', 5]]));
    expect(await partitions()).toEqual([]);
  });

  test('stays in its days while one of them is written or waits for analysis, and until nobody reads them', async () => {
    const ids = await storeAnalysed();
    const { sql } = server.database;
    const other = server.database.client('other');
    await other.begin(async tx => {
      await tx`delete from records where received_at < now() - interval '60 days' and machine_id = 'nobody'`;
      expect((await run(KEEP)).gathered).toEqual([]);
    });
    await sql`insert into work_queue (kind, record_id, machine_id, received_at)
              select 'crash', id, machine_id, received_at from records limit 1`;
    expect((await run(KEEP)).gathered).toEqual([]);
    expect(await survivors()).toEqual(kept(ids));
    await sql`update work_queue set attempts = 3, error = 'set aside'`;

    const begun = Promise.withResolvers<void>();
    const reading = other.begin(async tx => {
      await tx`select count(*) from records`;
      begun.resolve();
      await eventually('it is waited for', async () => (await waitingForLocks()) > 0);
      expect(await partitions()).not.toEqual(OF_MONTH);
    });
    await begun.promise;
    expect((await run(KEEP)).gathered).toEqual([month]);
    await reading;
    await other.end();
    expect(await survivors()).toEqual(kept(ids));
  });

  test('stays in its days where the default is for ever', async () => {
    await storeAnalysed();
    expect((await run({ days: 0 })).gathered).toEqual([]);
  });
});

test('views tell that numbers count more than is left, and link to no day without records', async () => {
  const sample = { classification: 'x/mce/corrected', severity: 1, machineId: 'm' };
  await store([
    { ...sample, age: 100 },
    { ...sample, age: 1 },
  ]);
  const linked = async () => {
    const { html } = await getPage(server.app, '/telemetryui/mce?days=364');
    const [, table = ''] = /<table>(.*?)<\/table>/s.exec(html) ?? [];
    return { links: table.split('<a ').length - 1, told: html.includes('no longer kept') };
  };
  expect(await linked()).toEqual({ links: 2, told: false });
  await run({ days: 30 });
  expect(await linked()).toEqual({ links: 1, told: true });
});

test('only one purge runs at a time', async () => {
  const config = testConfig();
  const clients = [server.database.client('one'), server.database.client('two')];
  await clients[0]!`select pg_advisory_lock(7283640156)`;
  expect(await purge(clients[1]!, config, quietLog)).toBeUndefined();
  await clients[0]!`select pg_advisory_unlock_all()`;
  expect(await purge(clients[1]!, config, quietLog)).toBeDefined();
});

test('past retention.max_bytes the oldest days go early, but not those of which something is kept for ever', async () => {
  const ids = await store([
    { ...plain, age: 9 },
    { ...plain, classification: MCE, age: 8 },
    { ...plain, age: 7 },
    { ...plain, age: 0 },
  ]);
  const rules = { ...EXAMPLE, max_bytes: 1 };
  const announced = await run(rules, { dryRun: true });
  const report = await run(rules);
  expect(report.byRule).toEqual(new Map([['retention.max_bytes', 2]]));
  expect(announced.byRule).toEqual(report.byRule);
  expect(report.overLimit).toBe(true);
  expect((await run({ ...EXAMPLE, max_bytes: { percent: 1e-9 } }, { dryRun: true })).overLimit).toBe(true);
  expect((await run({ ...EXAMPLE, max_bytes: { percent: 100 } }, { dryRun: true })).overLimit).toBe(false);
  expect(await survivors()).toEqual([ids[1]!, ids[3]!]);
});

test('what a server that was killed left uncounted is counted before anything goes', async () => {
  const { sql } = server.database;
  const keep = { classification: 'keep/a/b', severity: 1, machineId: 'kept', age: 50 };
  const [kept] = await store([keep, { ...plain, age: 50 }]);
  await sql`delete from build_counts where classification = 'keep/a/b'`;
  await sql`
    insert into uncounted (first_id, received_at, ids) select id, received_at, array[id] from records where id = ${kept!}`;
  await run({ days: 35, classification: { 'keep/*/*': 0 } });
  expect(await survivors()).toEqual([kept!]);
  expect(await sql`select classification, records from build_counts where classification = 'keep/a/b'`).toEqual([
    { classification: 'keep/a/b', records: 1 },
  ] as never);
});

test('no more days go than the limit asks for', async () => {
  await store([
    { ...plain, age: 9 },
    { ...plain, age: 8 },
  ]);
  const { sql } = server.database;
  // Autovacuum also changes the size of the database, by some hundred KB: each day is far larger than that.
  await sql`update records set payload = (select string_agg(md5(n::text), '') from generate_series(1, 120000) n)`;
  const days = await sql<{ bytes: number }[]>`
    select sum(pg_total_relation_size(inhrelid))::bigint as bytes from pg_inherits where inhparent = 'records'::regclass`;
  expect(days[0]!.bytes).toBeGreaterThan(4_000_000);
  const [size] = await sql<{ bytes: number }[]>`select pg_database_size(current_database()) as bytes`;
  const report = await run({ max_bytes: size!.bytes - 1_000_000 });
  expect([report.dropped.length, report.overLimit]).toEqual([1, false]);
});

test('counters go past retention.counters; guilties with a comment stay, and what is still counted', async () => {
  const { sql } = server.database;
  await store([
    { ...plain, age: 50 },
    { ...plain, machineId: 'm1', age: 3 },
  ]);
  await sql`
    insert into guilties (function, module, comment, hidden_at) values ('f', 'm', 'known', null), ('g', 'm', '', null), ('h', 'm', '', now()), ('i', 'm', '', null)`;
  await sql`
    insert into stacks (hash, frames, guilty_id, verdict, list_version, decided_at)
    select md5(function)::uuid, '[]', id, '{}', 1, now() from guilties`;
  await sql`
    insert into stack_counts (day, stack_id, fleet_id, external, system_name, build, records)
    select (now() at time zone 'UTC')::date - case when g.function = 'i' then 1 else 50 end, s.id, 1, true, 'os', '1', 1
      from stacks s join guilties g on g.id = s.guilty_id`;
  const report = await run({ counters: 40 });
  expect(report.counters).toBeGreaterThan(0);
  expect((await sql`select function from guilties order by 1`).map(row => row.function)).toEqual(['f', 'h', 'i']);
  expect(await sql`select count(*)::int as stacks from stacks`).toEqual([{ stacks: 1 }] as never);
  const [rest] = await sql`
    select (select sum(records)::int from build_counts) as records, (select count(*)::int from record_days) as days,
           (select sum(machines)::int from machine_counts where build = '*') as machines`;
  expect(rest).toEqual({ records: 1, days: 1, machines: 1 });
});

test('below disk.reserve records are answered 503, pages go on, and it resumes by itself', async () => {
  const lines: string[] = [];
  const log = createLog('info', 'text', line => lines.push(line));
  const full = await watchDisk(tmpdir(), 1024 ** 5, log);
  const config = testConfig();
  let disk = full;
  const { app } = await appOn(server.database, config, 'all', () => disk.assertRoom());
  const refused = await app.request('http://localhost:8080/v3/collector', {
    method: 'POST',
    headers: { 'X-Telemetry-TID': config.collector.tids[0]!.id },
  });
  expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '5']);
  expect((await get(app, '/telemetryui/records')).status).toBe(200);
  expect(full.status?.low).toBe(true);
  expect(lines).toHaveLength(1);
  disk = await watchDisk(tmpdir(), { percent: 0 }, log);
  expect((await post(app, {}, 'after the disk was full')).status).toBe(201);
  const part = await watchDisk(tmpdir(), { percent: 25 }, log);
  const { blocks, bsize } = statfsSync(tmpdir());
  expect(part.status?.reserveBytes).toBe((blocks * bsize) / 4);
  part.stop();
  full.stop();
  disk.stop();
});
