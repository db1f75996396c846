import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import type { Queryable } from '../db/connect.ts';
import { affectedByBuild, exposureByBuild, highestRate } from '../rates/queries.ts';
import { LEAST_MACHINE_DAYS, type Rate, rateOf } from '../rates/rate.ts';
import type { Signal } from '../rates/signals.ts';
import { firstDay, inScope, inWindow, type Scope, slotOf } from '../time/scope.ts';
import { drawnTable } from './drawn.ts';

export interface BuildRow {
  os: string;
  build: string;
  records: number;
  /** Machine ids that reported from it in the window. */
  machines: number;
  rate: Rate;
  /** UTC days of the window. */
  firstDay: string;
  lastDay: string;
}

interface CountedBuilds {
  rows: (Omit<BuildRow, 'rate'> & { affected: number; machineDays: number })[];
  /** By day or week, of each drawn build by its place, and of all others together (null); slots without records are left out. */
  overTime: { slot: string; place: number | null; n: number }[];
  /** In the window. */
  builds: number;
  records: number;
}

/** What a page of builds shows, beside its scope. */
export interface BuildsChoice {
  /** What rates are of. */
  signal: Signal;
  sort: 'version' | 'rate';
}

/**
 * Records and rates by build in a window, the system with most records first, and of each the newest build first in the order of
 * versions, or the build with the highest rate first; and records over time. Counters are read once for both.
 */
export async function countBuilds(
  sql: Queryable,
  scope: Scope,
  drawn: DrawnBuild[],
  { signal, sort, limit, offset }: BuildsChoice & { limit: number; offset: number },
) {
  const byVersion = sql`of_system desc, system_name, version desc, build`;
  const order = sort === 'rate' ? sql`${highestRate(sql, LEAST_MACHINE_DAYS)}, ${byVersion}` : byVersion;
  const [counted] = await sql<CountedBuilds[]>`
    with daily as materialized (
      select c.day, c.system_name, c.build, sum(c.records)::bigint as records
        from build_counts c where ${inWindow(sql, scope)} group by 1, 2, 3
    ), counted as (
      select system_name, build, sum(records)::bigint as records, min(day) as first_day, max(day) as last_day from daily group by 1, 2
    ), seen as (
      select c.system_name, c.build, sum(c.machines)::bigint as machines
        from machine_counts c where c.last_day >= ${firstDay(sql, scope)} and ${inScope(sql, scope)} group by 1, 2
    ), exposed as (
      ${exposureByBuild(sql, scope)}
    ), affected as (
      ${affectedByBuild(sql, scope, signal)}
    ), page as (
      select *, row_number() over (order by ${order}) as place
        from (select *, sum(records) over (partition by system_name) as of_system, version_order(build) as version
                from counted left join exposed using (system_name, build) left join affected using (system_name, build)
             ) versions
       order by place limit ${limit} offset ${offset}
    ), slots as (
      select ${slotOf(sql, scope)} as slot, place, sum(c.records)::bigint as n
        from daily c left join ${drawnTable(sql, drawn)} using (system_name, build) group by 1, 2
    )
    select coalesce((select jsonb_agg(jsonb_build_object('os', system_name, 'build', build, 'records', records, 'machines', coalesce(machines, 0),
                                                         'affected', coalesce(affected, 0), 'machineDays', coalesce(machine_days, 0),
                                                         'firstDay', first_day, 'lastDay', last_day)
                                      order by place)
                       from page left join seen using (system_name, build)), '[]') as rows,
           coalesce((select jsonb_agg(to_jsonb(slots)) from slots), '[]') as "overTime",
           (select count(*) from counted) as builds, (select coalesce(sum(records), 0)::bigint from counted) as records`;
  return {
    ...counted!,
    rows: counted!.rows.map(
      ({ affected, machineDays, ...row }): BuildRow => ({ ...row, rate: rateOf(affected, machineDays) }),
    ),
  };
}
