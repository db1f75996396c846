import type { PendingQuery, Row } from 'postgres';
import type { Queryable } from '../db/connect.ts';
import type { NewRecord } from '../records/store.ts';

type Rows = PendingQuery<Row[]>;

/** What records add to the counters: relations whose columns are those of the tables, at most one row for each key. */
interface Increments {
  /** day, first_id, last_id */
  days: Rows;
  /** hour, fleet_id, external, records */
  hours: Rows;
  /** day, system_name, build, classification, severity, fleet_id, external, records */
  builds: Rows;
  /** day, system_name, host_type, fleet_id, external, records */
  platforms: Rows;
  /** day, system_name, kernel_version, arch, fleet_id, external, records */
  kernels: Rows;
  /** machine_id, system_name, build, fleet_id, external, day: the last one */
  seen: Rows;
}

/** Adds the records of a batch to every counter, in the transaction that stores them. */
export async function countRecords(tx: Queryable, records: (NewRecord & { id: number })[], receivedAt: Date) {
  const builds = group(records, ({ fleetId, report: r }) => [
    r.systemName,
    r.build,
    r.classification,
    r.severity,
    fleetId,
    r.external,
  ]);
  const platforms = group(records, ({ fleetId, report: r }) => [r.systemName, r.hostType, fleetId, r.external]);
  const kernels = group(records, ({ fleetId, report: r }) => [
    r.systemName,
    r.kernelVersion,
    r.arch,
    fleetId,
    r.external,
  ]);
  const hours = group(records, ({ fleetId, report: r }) => [fleetId, r.external]);
  const seen = group(records, ({ fleetId, report: r }) => [r.machineId, r.systemName, r.build, fleetId, r.external]);
  const day = tx`(${receivedAt}::timestamptz at time zone 'UTC')::date`;
  const ids = records.map(record => record.id);
  await addToCounters(tx, {
    days: tx`select ${day} as day, ${Math.min(...ids)}::bigint as first_id, ${Math.max(...ids)}::bigint as last_id`,
    hours: tx`
      select date_trunc('hour', ${receivedAt}::timestamptz, 'UTC') as hour, fleet_id, external::boolean, records
        from unnest(${hours[0]!}::smallint[], ${hours[1]!}::text[], ${hours[2]!}::bigint[]) as came (fleet_id, external, records)`,
    builds: tx`
      select ${day} as day, system_name, build, classification, severity, fleet_id, external::boolean, records
        from unnest(${builds[0]!}::text[], ${builds[1]!}::text[], ${builds[2]!}::text[], ${builds[3]!}::smallint[],
                    ${builds[4]!}::smallint[], ${builds[5]!}::text[], ${builds[6]!}::bigint[])
             as came (system_name, build, classification, severity, fleet_id, external, records)`,
    platforms: tx`
      select ${day} as day, system_name, host_type, fleet_id, external::boolean, records
        from unnest(${platforms[0]!}::text[], ${platforms[1]!}::text[], ${platforms[2]!}::smallint[], ${platforms[3]!}::text[],
                    ${platforms[4]!}::bigint[])
             as came (system_name, host_type, fleet_id, external, records)`,
    kernels: tx`
      select ${day} as day, system_name, kernel_version, arch, fleet_id, external::boolean, records
        from unnest(${kernels[0]!}::text[], ${kernels[1]!}::text[], ${kernels[2]!}::text[], ${kernels[3]!}::smallint[],
                    ${kernels[4]!}::text[], ${kernels[5]!}::bigint[])
             as came (system_name, kernel_version, arch, fleet_id, external, records)`,
    seen: tx`
      select machine_id, system_name, build, fleet_id, external::boolean, ${day} as day
        from unnest(${seen[0]!}::text[], ${seen[1]!}::text[], ${seen[2]!}::text[], ${seen[3]!}::smallint[], ${seen[4]!}::text[])
             as came (machine_id, system_name, build, fleet_id, external)`,
  });
}

/**
 * Derives the counters of one UTC day (`YYYY-MM-DD`) again from its records, and counts its machines as seen on it. Only
 * for a day whose records are complete: counters say what was received, not what was kept.
 */
export async function rebuildCounters(tx: Queryable, day: string) {
  // Batches write record_days before any other counter: those under way are waited for, later ones add to the result.
  await tx`lock table record_days in exclusive mode`;
  await tx`delete from build_counts where day = ${day}`;
  await tx`delete from platform_counts where day = ${day}`;
  await tx`delete from kernel_counts where day = ${day}`;
  await tx`delete from hour_counts where (hour at time zone 'UTC')::date = ${day}::date`;
  await tx`delete from record_days where day = ${day}`;
  const ofDay = tx`
    records where received_at >= ${day}::timestamp at time zone 'UTC' and received_at < (${day}::date + 1)::timestamp at time zone 'UTC'`;
  const theDay = tx`${day}::date as day`;
  await addToCounters(tx, {
    days: tx`select ${theDay}, min(id) as first_id, max(id) as last_id from ${ofDay} having count(*) > 0`,
    hours: tx`
      select date_trunc('hour', received_at, 'UTC') as hour, fleet_id, external, count(*) as records from ${ofDay} group by 1, 2, 3`,
    builds: tx`
      select ${theDay}, system_name, build, classification, severity, fleet_id, external, count(*) as records
        from ${ofDay} group by system_name, build, classification, severity, fleet_id, external`,
    platforms: tx`
      select ${theDay}, system_name, host_type, fleet_id, external, count(*) as records
        from ${ofDay} group by system_name, host_type, fleet_id, external`,
    kernels: tx`
      select ${theDay}, system_name, kernel_version, arch, fleet_id, external, count(*) as records
        from ${ofDay} group by system_name, kernel_version, arch, fleet_id, external`,
    seen: tx`select distinct machine_id, system_name, build, fleet_id, external, ${theDay} from ${ofDay}`,
  });
}

/** Everywhere in key order, so that instances can't deadlock. */
async function addToCounters(tx: Queryable, { days, hours, builds, platforms, kernels, seen }: Increments) {
  await Promise.all([
    tx`
      insert into record_days as known (day, first_id, last_id)
      select day, first_id, last_id from (${days}) came
          on conflict (day) do update
         set first_id = least(known.first_id, excluded.first_id), last_id = greatest(known.last_id, excluded.last_id)`,
    tx`
      insert into hour_counts as known (hour, fleet_id, external, records)
      select hour, fleet_id, external, records from (${hours}) came order by 1, 2, 3
          on conflict (hour, fleet_id, external) do update set records = known.records + excluded.records`,
    tx`
      insert into build_counts as known (day, system_name, build, classification, severity, fleet_id, external, records)
      select day, system_name, build, classification, severity, fleet_id, external, records
        from (${builds}) came order by 1, 2, 3, 4, 5, 6, 7
          on conflict (day, system_name, build, classification, severity, fleet_id, external) do update
         set records = known.records + excluded.records`,
    tx`
      insert into platform_counts as known (day, system_name, host_type, fleet_id, external, records)
      select day, system_name, host_type, fleet_id, external, records from (${platforms}) came order by 1, 2, 3, 4, 5
          on conflict (day, system_name, host_type, fleet_id, external) do update set records = known.records + excluded.records`,
    tx`
      insert into kernel_counts as known (day, system_name, kernel_version, arch, fleet_id, external, records)
      select day, system_name, kernel_version, arch, fleet_id, external, records from (${kernels}) came order by 1, 2, 3, 4, 5, 6
          on conflict (day, system_name, kernel_version, arch, fleet_id, external) do update
         set records = known.records + excluded.records`,
    countMachines(tx, seen),
  ]);
}

/**
 * Moves each machine to the day it was now seen on. A machine already seen that day on that build costs one look-up:
 * then its row for the whole system (build '*') is of that day, too.
 */
function countMachines(tx: Queryable, seen: Rows) {
  return tx`
    with seen as materialized (
      ${seen}
    ), news as materialized (
      select seen.*
        from seen
        left join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
       where known.last_day is null or known.last_day < seen.day
    ), scopes as materialized (
      select machine_id, system_name, build, fleet_id, external, day from news
      union
      select machine_id, system_name, '*', fleet_id, external, day from news
    ), stale as materialized (
      select known.machine_id, known.system_name, known.build, known.fleet_id, known.external, known.last_day, scopes.day
        from machines_last_seen known
        join scopes using (machine_id, system_name, build, fleet_id, external)
       where known.last_day < scopes.day
       order by 1, 2, 3, 4, 5
         for update of known
    ), moved as (
      update machines_last_seen known
         set last_day = stale.day
        from stale
       where (known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
           = (stale.machine_id, stale.system_name, stale.build, stale.fleet_id, stale.external)
      returning known.system_name, known.build, known.fleet_id, known.external, known.last_day, stale.last_day as previous_day
    ), appeared as (
      insert into machines_last_seen (machine_id, system_name, build, fleet_id, external, last_day)
      select machine_id, system_name, build, fleet_id, external, day from scopes order by 1, 2, 3, 4, 5
          on conflict do nothing
      returning system_name, build, fleet_id, external, last_day
    ), changes as (
      select last_day, system_name, build, fleet_id, external, 1 as machines from appeared
      union all select last_day, system_name, build, fleet_id, external, 1 from moved
      union all select previous_day, system_name, build, fleet_id, external, -1 from moved
    )
    insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
    select last_day, system_name, build, fleet_id, external, sum(machines)
      from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines`;
}

type Value = string | number | boolean;

/** The distinct keys of some records as columns, and as a last column how many records have each. Booleans become text (see style of arrays in postgres.js). */
function group(records: (NewRecord & { id: number })[], keyOf: (record: NewRecord) => Value[]): (string | number)[][] {
  const groups = new Map<string, { key: Value[]; records: number }>();
  for (const record of records) {
    const key = keyOf(record);
    const name = key.join('\0');
    const known = groups.get(name);
    if (known) known.records++;
    else groups.set(name, { key, records: 1 });
  }
  const rows = [...groups.values()];
  const width = rows[0]?.key.length ?? 0;
  const columns = Array.from({ length: width }, (_, column) =>
    rows.map(({ key }) => (typeof key[column] === 'boolean' ? String(key[column]) : (key[column] as string | number))),
  );
  return [...columns, rows.map(row => row.records)];
}
