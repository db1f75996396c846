import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import { rebuildCounters } from '../../src/counters/count.ts';
import type { Database } from '../../src/db/database.ts';
import { purge } from '../../src/retention/purge.ts';
import { appOn, OTHER_TID, post, type TestApp, TID, testApp, testConfig } from '../app.ts';
import { quietLog } from '../database.ts';
import { passDays } from '../time.ts';
import { type CounterTables, countAll, readCounters } from './counter-tables.ts';

let server: TestApp;
let second: Database;
let instances: App[];
beforeAll(async () => {
  server = await testApp();
  second = server.database.another();
  instances = [server.app, (await appOn(second, server.config)).app];
});
afterAll(async () => {
  await second.close();
  await server.close();
});

const counters = () => readCounters(server.database.sql);
const counted = () => countAll(server.database.sql);

const few = (...values: string[]) => fc.constantFrom(...values);
const report = fc.record({
  machine_id: fc.integer({ min: 1, max: 12 }).map(n => `machine-${n}`),
  system_name: few('debian', 'ubuntu', 'x, y'),
  build: few('1', '9.9', '9.10', 'rolling'),
  classification: few('a/b/c', 'x/y/z', 'a/mce/corrected', 'a/swupd-client/update'),
  severity: few('1', '2', '3', '4'),
  host_type: few('v|p|1', 'w|q|2'),
  kernel_version: few('6.1', '6.18-rc1'),
  arch: few('x86_64', 'riscv64'),
  creation_timestamp: few('1', '2'),
  'X-Telemetry-TID': few(TID, OTHER_TID),
  'X-CLR-External': few('true', 'false'),
});
const posted = fc.record({
  report,
  instance: few('0', '1'),
  payload: few('p', 'q', ...[1, 2, 3].map(to => `current_version=1\nserver_version=${to}`)),
});

test('counters equal counts over the records, whatever came over several days through two instances', async () => {
  const days = fc.sample(fc.array(posted, { minLength: 150, maxLength: 250, size: 'max' }), { numRuns: 3, seed: 7 });
  for (const [index, day] of days.entries()) {
    if (index > 0) await passDays(server.database.sql, index);
    const answers = await Promise.all(
      day.map(({ report, instance, payload }) =>
        post(instances[Number(instance)]!, { ...report, system_name: report.system_name.replace(',', '') }, payload),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await counters()).toEqual(await counted());
  }
  const [total] = await server.database.sql<{ records: number; days: number; machines: number }[]>`
    select count(*) as records, count(distinct received_at::date) as days, count(distinct machine_id) as machines from records`;
  expect(total!.days).toBe(3);
  expect(total!.machines).toBe(12);
  expect(total!.records).toBeGreaterThan(200);
  expect(total!.records).toBeLessThan(days.flat().length);
});

test('rebuilding the counters of complete days changes nothing', async () => {
  const before = await counters();
  for (const row of before.record_days!) {
    const day = (row.day as Date).toISOString().slice(0, 10);
    await server.database.sql.begin(tx => rebuildCounters(tx, day, server.config));
    expect(await counters()).toEqual(before);
  }
});

test('rebuilding corrects a day that was miscounted', async () => {
  const { sql } = server.database;
  const right = await counters();
  const day = (right.record_days!.at(-1)!.day as Date).toISOString().slice(0, 10);
  await sql`update build_counts set records = records + 7 where day = ${day}`;
  await sql`delete from kernel_counts where day = ${day}`;
  await sql`insert into platform_counts values (${day}, 1, false, 'ghost', 'v|p|1', 5)`;
  await sql`update hour_counts set records = 0 where (hour at time zone 'UTC')::date = ${day}`;
  await sql.begin(tx => rebuildCounters(tx, day, server.config));
  expect(await counters()).toEqual(right);
});

test('a refused record is not counted', async () => {
  const before = await counters();
  await post(server.app, { severity: '9' });
  expect(await counters()).toEqual(before);
});

test('after a purge the counters of every day that lost nothing equal counts, and the others say what was received', async () => {
  const { sql } = server.database;
  const before = await counters();
  const config = testConfig({ TELEMETRICSD_RETENTION_SEVERITY: '1=2' });
  const report = await purge(server.database.client('purge'), config, quietLog);
  expect(report!.records).toBeGreaterThan(5);
  const days = await sql<
    { day: string; complete: boolean }[]
  >`select day::text, complete from record_days order by day`;
  expect(days.map(({ complete }) => complete)).toEqual([false, true, true]);
  const lost = days[0]!.day;
  const of = (tables: CounterTables, kept: boolean) =>
    Object.fromEntries(
      Object.entries(tables)
        .filter(([name]) => !['machine_counts', 'machine_check_totals', 'record_days'].includes(name))
        .map(([name, rows]) => [
          name,
          rows.filter(({ day, hour }) => (((day ?? hour) as Date).toISOString().slice(0, 10) === lost) !== kept),
        ]),
    );
  expect(of(await counters(), true)).toEqual(of(await counted(), true));
  expect(of(await counters(), false)).toEqual(of(before, false));
});
