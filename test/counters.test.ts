import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { App } from '../src/app.ts';
import { rebuildCounters } from '../src/counters/count.ts';
import type { Database } from '../src/db/database.ts';
import { purge } from '../src/retention/purge.ts';
import { appOn, OTHER_TID, post, type TestApp, TID, testApp, testConfig } from './app.ts';
import { quietLog } from './database.ts';
import { passDays } from './time.ts';

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

const GROUPS = {
  build_counts: 'day, system_name, build, classification, severity, fleet_id, external',
  platform_counts: 'day, system_name, host_type, fleet_id, external',
  kernel_counts: 'day, system_name, kernel_version, arch, fleet_id, external',
  hour_counts: 'hour, fleet_id, external',
  machine_check_machines: 'day, machine_id, system_name, build, fleet_id, external',
  machine_check_cpus: 'day, system_name, classification, cpu_model, fleet_id, external',
  update_counts: 'day, system_name, from_build, to_build, fleet_id, external',
};

/** The records that some counters are about; all by default. */
const ABOUT: Record<string, string> = {
  machine_check_machines: "classification = 'a/mce/corrected'",
  machine_check_cpus: "classification = 'a/mce/corrected'",
  update_counts: "classification = 'a/swupd-client/update' and payload ~ 'server_version=[23]$'",
};

type Rows = Record<string, unknown>[];

async function counters(): Promise<Record<string, Rows>> {
  const { sql } = server.database;
  const tables: Record<string, Rows> = {
    record_days: await sql`select day, first_id, last_id from record_days order by day`,
    machine_counts: await sql`
      select last_day, system_name, build, fleet_id, external, machines
        from machine_counts where machines <> 0 order by 1, 2, 3, 4, 5`,
    machine_days: await sql`
      select day, system_name, build, fleet_id, external, machines from machine_days order by 1, 2, 3, 4, 5`,
  };
  for (const [table, key] of Object.entries(GROUPS)) {
    tables[table] = await sql.unsafe(`select ${key}, records from ${table} order by ${key}`);
  }
  return tables;
}

/** The same, counted over the records. */
async function counted(): Promise<Record<string, Rows>> {
  const { sql } = server.database;
  const tables: Record<string, Rows> = {
    record_days: await sql`
      select (received_at at time zone 'UTC')::date as day, min(id) as first_id, max(id) as last_id
        from records group by 1 order by 1`,
    machine_counts: await sql`
      with seen as (
        select machine_id, system_name, build, fleet_id, external, (received_at at time zone 'UTC')::date as day from records
        union all
        select machine_id, system_name, '*', fleet_id, external, (received_at at time zone 'UTC')::date from records
      ), last_seen as (
        select machine_id, system_name, build, fleet_id, external, max(day) as last_day from seen group by 1, 2, 3, 4, 5
      )
      select last_day, system_name, build, fleet_id, external, count(*) as machines
        from last_seen group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`,
    machine_days: await sql`
      select (received_at at time zone 'UTC')::date as day, system_name, case grouping(build) when 0 then build else '*' end as build,
             fleet_id, external, count(distinct machine_id) as machines
        from records group by grouping sets ((1, 2, build, 4, 5), (1, 2, 4, 5)) order by 1, 2, 3, 4, 5`,
  };
  for (const [table, key] of Object.entries(GROUPS)) {
    tables[table] = await sql.unsafe(`
      select ${key}, count(*) as records
        from (select *, (received_at at time zone 'UTC')::date as day, date_trunc('hour', received_at, 'UTC') as hour,
                     '1' as from_build, right(payload, 1) as to_build
                from records) r
       where ${ABOUT[table] ?? 'true'}
       group by ${key} order by ${key}`);
  }
  return tables;
}

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

test('a refused record counts nowhere', async () => {
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
  const of = (tables: Record<string, Rows>, kept: boolean) =>
    Object.fromEntries(
      Object.entries(tables)
        .filter(([name]) => !['machine_counts', 'record_days'].includes(name))
        .map(([name, rows]) => [
          name,
          rows.filter(({ day, hour }) => (((day ?? hour) as Date).toISOString().slice(0, 10) === lost) !== kept),
        ]),
    );
  expect(of(await counters(), true)).toEqual(of(await counted(), true));
  expect(of(await counters(), false)).toEqual(of(before, false));
});
