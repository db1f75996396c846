import type { Sql } from '../../src/db/connect.ts';

const GROUPS = {
  build_counts: 'day, system_name, build, classification, severity, fleet_id, external',
  platform_counts: 'day, system_name, host_type, fleet_id, external',
  kernel_counts: 'day, system_name, kernel_version, arch, fleet_id, external',
  hour_counts: 'hour, fleet_id, external',
  machine_check_machines: 'day, machine_id, system_name, build, fleet_id, external',
  machine_check_cpus: 'day, system_name, classification, cpu_model, fleet_id, external',
  update_counts: 'day, system_name, from_build, to_build, fleet_id, external',
};

/** The records that some counters count; all by default. */
const ABOUT: Record<string, string> = {
  machine_check_machines: "classification = 'a/mce/corrected'",
  machine_check_cpus: "classification = 'a/mce/corrected'",
  update_counts: "classification = 'a/swupd-client/update' and payload ~ 'server_version=[23]$'",
};

export type CounterTables = Record<string, Record<string, unknown>[]>;

/** Every table of counters of records. */
export async function readCounters(sql: Sql): Promise<CounterTables> {
  const tables: CounterTables = {
    record_days: await sql`select day, first_id, last_id from record_days order by day`,
    machine_counts: await sql`
      select last_day, system_name, build, fleet_id, external, machines
        from machine_counts where machines <> 0 order by 1, 2, 3, 4, 5`,
    machine_days: await sql`
      select day, system_name, build, fleet_id, external, machines from machine_days order by 1, 2, 3, 4, 5`,
  };
  tables.machine_check_totals = await sql`select machine_id, records from machine_check_totals order by 1`;
  for (const [table, key] of Object.entries(GROUPS)) {
    tables[table] = await sql.unsafe(`select ${key}, records from ${table} order by ${key}`);
  }
  return tables;
}

/** The same counts, made from the records. */
export async function countAll(sql: Sql): Promise<CounterTables> {
  const tables: CounterTables = {
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
  tables.machine_check_totals = await sql`
    select machine_id, count(*) as records from records where classification = 'a/mce/corrected' group by 1 order by 1`;
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
