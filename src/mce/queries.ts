import type { Queryable } from '../db/connect.ts';
import { inWindow, type Scope, slotOf } from '../scope.ts';

/** Records of some classifications by ISO week (its Monday) or day and classification. Patterns are those of SQL `like`. */
export function classesOverTime(sql: Queryable, scope: Scope, patterns: string[]) {
  return sql<{ slot: string; name: string; n: number }[]>`
    select ${slotOf(sql, scope)} as slot, c.classification as name, sum(c.records)::bigint as n
      from build_counts c
     where c.classification like any(${patterns}::text[]) and ${inWindow(sql, scope)}
     group by 1, 2 order by 2, 1`;
}

/** A type, not an interface, so that it can be a row of a table of the API. */
export type BuildCount = { os: string; build: string; records: number };

/** Records of some classifications by build, of each OS the newest ones, those first with most records. */
export function classesByBuild(sql: Queryable, scope: Scope, patterns: string[], perSystem: number) {
  return sql<BuildCount[]>`
    select system_name as os, build, records
      from (select c.system_name, c.build, sum(c.records)::bigint as records, sum(sum(c.records)) over system as system_records,
                   row_number() over (system order by version_order(c.build) desc, c.build) as rank
              from build_counts c
             where c.classification like any(${patterns}::text[]) and ${inWindow(sql, scope)}
             group by 1, 2
            window system as (partition by c.system_name)) builds
     where rank <= ${perSystem}
     order by system_records desc, system_name, rank`;
}

export interface CheckedMachine {
  machineId: string;
  records: number;
  /** Most records first. */
  builds: { os: string; build: string; records: number }[];
}

/** The machine ids with most machine checks in a window. */
export function topMachines(sql: Queryable, scope: Scope, limit: number) {
  return sql<CheckedMachine[]>`
    with top as materialized (
      select c.machine_id, sum(c.records)::bigint as records
        from machine_check_machines c where ${inWindow(sql, scope)} group by 1 order by 2 desc, 1 limit ${limit}
    ), counted as (
      select c.machine_id, c.system_name, c.build, sum(c.records)::bigint as records
        from top join machine_check_machines c using (machine_id) where ${inWindow(sql, scope)} group by 1, 2, 3
    )
    select top.machine_id as "machineId", top.records,
           jsonb_agg(jsonb_build_object('os', system_name, 'build', build, 'records', counted.records)
                     order by counted.records desc, version_order(build) desc) as builds
      from top join counted using (machine_id)
     group by 1, 2 order by 2 desc, 1`;
}

/** A type, not an interface, so that it can be a row of a table of the API. */
export type CpuCount = { cpu_model: string; records: number };

/** Machine checks by CPU model, '' where records don't tell it. */
export function byCpuModel(sql: Queryable, scope: Scope, limit: number) {
  return sql<CpuCount[]>`
    select c.cpu_model, sum(c.records)::bigint as records
      from machine_check_cpus c where ${inWindow(sql, scope)}
     group by 1 order by 2 desc, 1 limit ${limit}`;
}
