import type { Queryable } from '../db/connect.ts';
import { firstDay, inScope, inWindow, type Scope, slotOf } from '../scope.ts';
import { type DrawnBuild, drawnTable } from './drawn.ts';

export interface BuildRow {
  os: string;
  build: string;
  records: number;
  /** Machine ids that reported from it in the window. */
  machines: number;
  /** UTC days of the window. */
  firstDay: string;
  lastDay: string;
}

/** Records by build in a window, the system with most records first, and of each the newest build first in the order of versions. */
export function recordsByBuild(sql: Queryable, scope: Scope, limit: number, offset: number) {
  return sql<BuildRow[]>`
    with counted as (
      select c.system_name, c.build, sum(c.records)::bigint as records, min(c.day)::text as first_day, max(c.day)::text as last_day,
             sum(sum(c.records)) over (partition by c.system_name) as of_system
        from build_counts c where ${inWindow(sql, scope)} group by 1, 2
    ), seen as (
      select c.system_name, c.build, sum(c.machines)::bigint as machines
        from machine_counts c where c.last_day >= ${firstDay(sql, scope)} and ${inScope(sql, scope)} group by 1, 2
    )
    select system_name as os, build, records, coalesce(machines, 0)::bigint as machines, first_day as "firstDay", last_day as "lastDay"
      from counted left join seen using (system_name, build)
     order by of_system desc, system_name, version_order(build) desc, build limit ${limit} offset ${offset}`;
}

/** How many builds reported in a window, and how many records. */
export async function countBuilds(sql: Queryable, scope: Scope) {
  const [row] = await sql<{ builds: number; records: number }[]>`
    select count(*) as builds, coalesce(sum(records), 0)::bigint as records
      from (select sum(c.records) as records from build_counts c where ${inWindow(sql, scope)} group by c.system_name, c.build) by_build`;
  return row!;
}

/** Records by day or week of the builds that are drawn, by their place, and of all others together. Slots without records are left out. */
export function buildsOverTime(sql: Queryable, scope: Scope, drawn: DrawnBuild[]) {
  return sql<{ slot: string; place: number | null; n: number }[]>`
    select ${slotOf(sql, scope)} as slot, place, sum(c.records)::bigint as n
      from (select c.day, c.system_name, c.build, sum(c.records) as records
              from build_counts c where ${inWindow(sql, scope)} group by 1, 2, 3) c
      left join ${drawnTable(sql, drawn)} using (system_name, build)
     group by 1, 2`;
}
