import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { countMachinesOfDays, rebuildCounters, rebuildMachineCounts } from '../../src/counters/count.ts';
import { countAll } from '../../src/counters/counting.ts';
import type { Sql } from '../../src/db/connect.ts';
import { makeDay } from '../../src/db/partitions.ts';
import { forgetMachine } from '../../src/privacy/forget.ts';
import type { Report } from '../../src/records/record.ts';
import { storeBatch } from '../../src/records/store.ts';
import { pruneCounters } from '../../src/retention/counters.ts';
import { OTHER_TID, TID } from '../app.ts';
import { backtrace, type CrashApp, crashApp, miscounted } from '../crashes/crash-app.ts';
import { quietLog } from '../database.ts';
import { countSignals, readSignals } from './signal-tables.ts';

const DAYS = 8;

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp();
  for (let ago = 0; ago < DAYS; ago++) await makeDay(server.sql, dayBefore(ago), quietLog);
});
afterAll(() => server.close());

const dayBefore = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
const few = <T>(...values: T[]) => fc.constantFrom(...values);
const PAYLOADS: Record<string, string[]> = {
  'org.clearlinux/crash/clr': [backtrace(['one()', 'main()']), backtrace(['two()', 'main()'])],
  'org.clearlinux/swupd-client/update': ['result=0\n', 'result=3\ncurrent_version=1\nserver_version=2\n'],
};
/** Sends no heartbeats. '' is a machine unknown, which is in none of these counters. */
const SILENT = ['silent', ''];
const sent = fc.record({
  machine: few(...Array.from({ length: 8 }, (_, n) => `machine-${n}`), ...SILENT),
  systemName: few('debian', 'ubuntu'),
  build: few('1', '2'),
  external: few(true, false),
  tid: few(TID, TID, OTHER_TID),
  classification: few(
    'a/heartbeat/ping',
    'a/heartbeat/ping',
    'a/heartbeat/ping',
    'org.clearlinux/crash/clr',
    'org.clearlinux/crash/clr',
    'org.clearlinux/swupd-client/update',
    'a/kernel/warning',
    'a/mce/SRAO',
    'a/mce/corrected',
    'a/mce/thermal',
    'a/hello/world',
  ),
  payload: fc.nat(1),
  day: fc.nat(DAYS - 1),
});
type Sent = typeof sent extends fc.Arbitrary<infer T> ? T : never;

let events = 0;

function reportOf({ machine, systemName, build, external, classification: chosen, payload }: Sent): Report {
  const classification = machine === 'silent' && chosen === 'a/heartbeat/ping' ? 'a/hello/world' : chosen;
  return {
    machineId: machine,
    external,
    severity: 1,
    recordFormatVersion: 4,
    payloadFormatVersion: 1,
    classification,
    systemName,
    build,
    arch: 'x86_64',
    kernelVersion: '6.12',
    hostType: 'v|p|1',
    boardName: null,
    cpuModel: null,
    biosVersion: null,
    eventId: (++events).toString(16).padStart(32, '0'),
    capturedAt: 1,
    payload: PAYLOADS[classification]?.[payload] ?? 'hello\n',
  };
}

/** Stores records of one day, uncounted and not analysed, as if they had come then; some of them twice. */
async function store(day: number, all: Sent[]) {
  const fleets = new Map(
    (await server.sql<{ id: number; tid: string }[]>`select id, tid from fleets`).map(({ id, tid }) => [tid, id]),
  );
  const batch = all.map(one => ({
    report: reportOf(one),
    fleetId: fleets.get(one.tid)!,
    fingerprint: crypto.randomUUID(),
    work: one.classification === 'org.clearlinux/crash/clr' ? ['crash' as const] : [],
    parsed: undefined,
    scrubbedBy: [],
    wayIn: one.machine === '' ? ('abrt' as const) : ('headers' as const),
  }));
  // In one transaction: the server itself counts what it finds.
  await server.sql.begin(async tx => {
    const stored = await storeBatch(tx as unknown as Sql, batch);
    await storeBatch(tx as unknown as Sql, batch.slice(0, 2));
    const ids = stored.map(outcome => (outcome.kind === 'rejected' ? 0 : outcome.id));
    await tx`update records set received_at = received_at - make_interval(days => ${day}) where id = any(${ids}::bigint[])`;
    await tx`update work_queue set received_at = received_at - make_interval(days => ${day}) where record_id = any(${ids}::bigint[])`;
    await tx`
      update uncounted set received_at = received_at - make_interval(days => ${day}) where first_id = any(${ids}::bigint[])`;
    await tx`
      insert into record_days (day, first_id, last_id) values (${dayBefore(day)}, ${Math.min(...ids)}, ${Math.max(...ids)})
          on conflict (day) do update
         set first_id = least(record_days.first_id, excluded.first_id), last_id = greatest(record_days.last_id, excluded.last_id)`;
  });
}

async function expectExact() {
  expect(await readSignals(server.sql)).toEqual(await countSignals(server.sql));
}

async function rebuild(day: number) {
  await server.sql.begin(async tx => {
    await rebuildCounters(tx, dayBefore(day), server.config);
    await countMachinesOfDays(tx, dayBefore(day), dayBefore(day));
  });
}

test('exposed and affected machines equal counts over the records, in whatever order these come and are counted', async () => {
  const [samples] = fc.sample(fc.array(sent, { minLength: 500, maxLength: 500 }), { numRuns: 1, seed: 11 });
  // A chunk has records of one day each; chunks come in any order.
  for (let n = 0; n < samples!.length; n += 25) {
    for (const [day, all] of Map.groupBy(samples!.slice(n, n + 25), one => (one.day + n) % DAYS)) await store(day, all);
    if (n % 2 === 0) await server.analyse();
    if (n % 3 === 0) await countAll(server.sql, server.config);
    if (n % 6 === 0) await expectExact();
  }
  await countAll(server.sql, server.config);
  await server.analyse();
  await expectExact();
  const { affected } = await readSignals(server.sql);
  expect(new Set(affected.map(({ signal }) => signal)).size).toBe(6);
  expect(affected.some(({ machines, exposed }) => machines > exposed)).toBe(true);
  expect(await miscounted(server.sql)).toEqual({});
});

test('two that count at once and analysis beside them come to the same', async () => {
  const [samples] = fc.sample(fc.array(sent, { minLength: 300, maxLength: 300 }), { numRuns: 1, seed: 12 });
  const others = Array.from({ length: 3 }, (_, n) => server.database.client(`counting ${n}`));
  for (let n = 0; n < samples!.length; n += 30) {
    for (const [day, all] of Map.groupBy(samples!.slice(n, n + 30), one => (one.day + n) % 4)) await store(day, all);
    await Promise.all([...others.map(sql => sql`select 1`.then(() => countAll(sql, server.config))), server.analyse()]);
  }
  await expectExact();
  expect(await miscounted(server.sql)).toEqual({});
});

test('counting days again, in any order, changes nothing and corrects what was wrong', async () => {
  const before = await readSignals(server.sql);
  for (const day of [3, 0, 7, 1, 5, 2, 6, 4]) {
    await rebuild(day);
    expect(await readSignals(server.sql)).toEqual(before);
  }
  await server.sql.begin(rebuildMachineCounts);
  expect(await miscounted(server.sql)).toEqual({});

  await server.sql`delete from affected_machines where first_day = ${dayBefore(4)}`;
  await server.sql`update affected_counts set machines = machines + 5`;
  await server.sql`update exposed_machines set days = 7 where period between ${dayBefore(DAYS - 3)} and ${dayBefore(0)}`;
  await server.sql`update guilty_machines set exposed = not exposed`;
  for (let day = 0; day < DAYS; day++) await rebuild(day);
  await server.sql.begin(rebuildMachineCounts);
  await expectExact();
  expect(await miscounted(server.sql)).toEqual({});
});

test('a machine that is forgotten, in slices or whole, is as if it had never reported', async () => {
  for (const machine of ['machine-3', 'machine-7']) {
    await forgetMachine(server.sql, machine, server.config, () => {});
    await expectExact();
    expect(await miscounted(server.sql)).toEqual({});
  }
  const [left] = await server.sql<{ n: number }[]>`
    select count(*) as n from affected_machines where machine_id in ('machine-3', 'machine-7')`;
  expect(left!.n).toBe(0);
});

test('retention takes machines once their whole period is over, and their counts by day', async () => {
  await pruneCounters(server.sql, 4);
  const before = dayBefore(4);
  const [row] = await server.sql<{ exposed: boolean; affected: boolean; counts: boolean; kept: number }[]>`
    select (select min(period) >= ${before}::date from exposed_machines) as exposed,
           (select min(period) >= ${before}::date from affected_machines) as affected,
           (select min(day) >= ${before}::date from exposure_counts) and (select min(day) >= ${before}::date from affected_counts) as counts,
           (select count(*) from exposed_machines) as kept`;
  expect(row).toMatchObject({ exposed: true, affected: true, counts: true });
  expect(row!.kept).toBeGreaterThan(0);
});
