import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Database } from '../../src/db/database.ts';
import { sampleFleet } from '../../src/demo/fleet.ts';
import { writeFleet } from '../../src/demo/write.ts';
import { registerFleets } from '../../src/fleets.ts';
import { appOn, testConfig } from '../app.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

const OPTIONS = { records: 3000, machines: 400, seed: 5, fleets: 2 };
const config = testConfig();

let written: TestDatabase;
let posted: TestDatabase;
beforeAll(async () => {
  written = await testDatabase();
  posted = await testDatabase();
});
afterAll(() => Promise.all([written.close(), posted.close()]));

/** What two databases must agree on: everything but ids and the moments of reception. */
async function contents({ sql }: Database) {
  const tables = {
    records: await sql`
      select machine_id, name as fleet, external, severity, record_format_version, payload_format_version, classification, system_name,
             build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw
        from records join fleets on fleets.id = fleet_id`,
    recent_records: await sql`select machine_id, fingerprint from recent_records`,
    work_queue: await sql`
      select kind, work_queue.machine_id, classification, event_id, captured_at, attempts
        from work_queue join records on id = record_id and records.machine_id = work_queue.machine_id`,
    parsed: await sql`
      select parsed.machine_id, parser, data, classification, event_id from parsed join records using (machine_id, received_at, id)`,
    builds: await sql`
      select day, name as fleet, external, system_name, build, classification, severity, records
        from build_counts join fleets on fleets.id = fleet_id`,
    platforms: await sql`
      select day, name as fleet, external, system_name, host_type, records from platform_counts join fleets on fleets.id = fleet_id`,
    kernels: await sql`
      select day, name as fleet, external, system_name, kernel_version, arch, records from kernel_counts join fleets on fleets.id = fleet_id`,
    hours: await sql`
      select name as fleet, external, sum(records)::bigint as records from hour_counts join fleets on fleets.id = fleet_id group by 1, 2`,
    days: await sql`select day, complete, last_id - first_id as ids from record_days`,
    machines_last_seen: await sql`
      select machine_id, name as fleet, external, system_name, build, last_day
        from machines_last_seen join fleets on fleets.id = fleet_id`,
    machine_days: await sql`
      select day, fleets.name as fleet, external, system_name, build, machines
        from machine_days join fleets on fleets.id = fleet_id`,
    machine_check_machines: await sql`
      select day, machine_id, fleets.name as fleet, external, system_name, build, records
        from machine_check_machines join fleets on fleets.id = fleet_id`,
    machine_check_cpus: await sql`
      select day, fleets.name as fleet, external, system_name, classification, cpu_model, records
        from machine_check_cpus join fleets on fleets.id = fleet_id`,
    update_counts: await sql`
      select day, fleets.name as fleet, external, system_name, from_build, to_build, records
        from update_counts join fleets on fleets.id = fleet_id`,
    machine_counts: await sql`
      select last_day, name as fleet, external, system_name, build, machines
        from machine_counts join fleets on fleets.id = fleet_id where machines <> 0`,
  };
  return Object.fromEntries(
    Object.entries(tables).map(([name, rows]) => [name, rows.map(row => JSON.stringify(row)).sort()]),
  );
}

test('sample data are what the same records posted would be', async () => {
  const until = new Date();
  const [day, ...others] = sampleFleet({ ...OPTIONS, days: 1, until });
  expect(others).toEqual([]);
  const fleets = await registerFleets(written.sql, config.collector.tids);
  await writeFleet(written.sql, [day!], {
    fleets: [...fleets.values()],
    config,
    progress: () => {},
  });

  const same = await registerFleets(posted.sql, config.collector.tids);
  const { collector } = await appOn(posted, config);
  const all = [...same.values()];
  await Promise.all(
    [...day!.records()].map(({ report, fleetIndex }) =>
      collector.store(all[fleetIndex]!, { report, payloadBytes: Buffer.from(report.payload), wayIn: 'headers' }),
    ),
  );
  await collector.drain();

  const [expected, actual] = [await contents(posted), await contents(written)];
  expect(expected.records).toHaveLength(OPTIONS.records);
  for (const name of Object.keys(expected))
    expect({ name, rows: actual[name] }).toEqual({ name, rows: expected[name]! });
});

test('sample data of many days fill partitions of the past, each with its counters', async () => {
  const database = await testDatabase();
  try {
    const fleets = await registerFleets(database.sql, config.collector.tids);
    const days = sampleFleet({ ...OPTIONS, days: 10, until: new Date() });
    const progress: number[] = [];
    const total = await writeFleet(database.sql, days, {
      fleets: [...fleets.values()],
      config,
      progress: done => progress.push(done),
    });
    expect(total).toBe(OPTIONS.records);
    expect(progress.at(-1)).toBe(OPTIONS.records);
    const [row] = await database.sql`
      select (select count(*) from records) as records, (select sum(records)::bigint from build_counts) as counted,
             (select count(*) from record_days) as days, (select count(*) from records_default) as unplaced,
             (select sum(machines)::bigint from machine_counts where build = '*') as machines,
             (select count(*) from (select distinct machine_id, system_name, fleet_id, external from records) seen) as distinct_machines`;
    expect(row).toMatchObject({
      records: 3000,
      counted: 3000,
      days: 10,
      unplaced: 0,
      machines: row!.distinct_machines,
    });
  } finally {
    await database.close();
  }
});
