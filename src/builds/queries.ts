import type { Queryable } from '../db/connect.ts';
import { firstDay, inScope, inWindow, type Scope, slotOf } from '../scope.ts';

export interface BuildRow {
  build: string;
  records: number;
  /** Machine ids that reported from it in the window. */
  machines: number;
  /** UTC days of the window. */
  firstDay: string;
  lastDay: string;
}

/** Records by build in a window, the newest build first in the order of versions. */
export function recordsByBuild(sql: Queryable, scope: Scope, limit: number, offset: number) {
  return sql<BuildRow[]>`
    with counted as (
      select c.build, sum(c.records)::bigint as records, min(c.day)::text as first_day, max(c.day)::text as last_day
        from build_counts c where ${inWindow(sql, scope)} group by c.build
    ), seen as (
      select c.build, sum(c.machines)::bigint as machines
        from machine_counts c where c.last_day >= ${firstDay(sql, scope)} and ${inScope(sql, scope)} group by c.build
    )
    select build, records, coalesce(machines, 0)::bigint as machines, first_day as "firstDay", last_day as "lastDay"
      from counted left join seen using (build)
     order by version_order(build) desc, build limit ${limit} offset ${offset}`;
}

/** How many builds reported in a window, and how many records. */
export async function countBuilds(sql: Queryable, scope: Scope) {
  const [row] = await sql<{ builds: number; records: number }[]>`
    select count(*) as builds, coalesce(sum(records), 0)::bigint as records
      from (select sum(c.records) as records from build_counts c where ${inWindow(sql, scope)} group by c.build) by_build`;
  return row!;
}

/**
 * Records by day or week for the builds with most records in the window, newest first, and for all others together (build
 * null). Slots without records are left out.
 */
export function buildsOverTime(sql: Queryable, scope: Scope, builds: number) {
  return sql<{ slot: string; build: string | null; records: number }[]>`
    with daily as (
      select c.day, c.build, sum(c.records)::bigint as records
        from build_counts c where ${inWindow(sql, scope)} group by 1, 2
    ), most as (
      select build from daily group by build order by sum(records) desc, build limit ${builds}
    ), counted as (
      select ${slotOf(sql, scope)} as slot, most.build, sum(c.records)::bigint as records
        from daily c left join most using (build)
       group by 1, 2
    )
    select slot, build, records from counted order by version_order(build) desc nulls last, build, slot`;
}
