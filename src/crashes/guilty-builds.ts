import type { Fragment, Queryable } from '../db/connect.ts';
import { exposureByBuild, highestRate } from '../rates/queries.ts';
import { LEAST_MACHINE_DAYS, type Rate, rateOf } from '../rates/rate.ts';
import type { Shares } from '../stats/queries.ts';
import { inScope, inWindow, receivedInWindow, type Scope, today } from '../time/scope.ts';

export interface GuiltyBuild {
  os: string;
  build: string;
  records: number;
  machines: number;
  rate: Rate;
  /** The machines with most records that are still here, at most ten. */
  top: { machineId: string; records: number }[];
}

/**
 * On which builds a guilty was seen in a window, the system with most records first and of each the newest build, and on which
 * machines. Of several systems the newest builds of each are among the first.
 */
export async function guiltyBuilds(
  sql: Queryable,
  id: number,
  scope: Scope,
  limit: number,
  sort?: string | undefined,
): Promise<Shares<GuiltyBuild>> {
  const byVersion = sql`of_system desc, system_name, turn`;
  const order = sort === 'rate' ? sql`${highestRate(sql, LEAST_MACHINE_DAYS)}, ${byVersion}` : byVersion;
  const found = await sql<
    (Omit<GuiltyBuild, 'rate'> & { affected: number; machineDays: number; names: number; total: number })[]
  >`
    with counted as (
      select c.build, c.system_name, sum(c.records)::bigint as records
        from stack_counts c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${inWindow(sql, scope)}
       group by 1, 2
    ), machines as (
      -- Who it was is told by counters, which know no days; how often within the window, by the crashes that are still here.
      select build, system_name, machine_id, sum(here)::bigint as records
        from (
               select c.build, c.system_name, c.machine_id, 0 as here
                 from stack_machines c join stacks s on s.id = c.stack_id
                where s.guilty_id = ${id} and c.last_day > ${today(sql)} - ${scope.days}::int and ${inScope(sql, scope)}
                union all
               select c.build, c.system_name, c.machine_id, 1
                 from stacks s
                cross join lateral (
                        select c.build, c.system_name, c.machine_id from crashes c
                         where c.stack_id = s.id and ${receivedInWindow(sql, scope)} and ${inScope(sql, scope)}
                        offset 0 -- by the index of stacks
                      ) c
                where s.guilty_id = ${id}
             ) seen
       where machine_id <> ''
       group by 1, 2, 3
    ), ranked as (
      select *, row_number() over (partition by build, system_name order by records desc, machine_id) as rank, ${isExposedFor(sql, sql`${id}`)} as exposed
        from machines m
    ), exposed as (
      ${exposureByBuild(sql, scope)}
    ), seen as (
      select build, system_name, count(*) as machines, count(*) filter (where exposed) as affected,
             jsonb_agg(jsonb_build_object('machineId', machine_id, 'records', records) order by rank)
               filter (where rank <= 10 and records > 0) as top
        from ranked group by 1, 2
    ), placed as (
      select *, count(*) over () as names, (sum(records) over ())::bigint as total, sum(records) over (partition by system_name) as of_system,
             row_number() over (partition by system_name order by version_order(build) desc, build) as turn
        from counted
    )
    select system_name as os, build, first.records, coalesce(seen.machines, 0) as machines, coalesce(seen.top, '[]') as top, names, total,
           coalesce(affected, 0) as affected, coalesce(machine_days, 0)::bigint as "machineDays"
      from (select * from placed order by turn, of_system desc, system_name limit ${limit}) first
      left join seen using (build, system_name)
      left join exposed using (build, system_name)
     order by ${order}`;
  return {
    rows: found.map(({ names: _, total: __, affected, machineDays, ...row }) => ({
      ...row,
      rate: rateOf(affected, machineDays),
    })),
    names: found[0]?.names ?? 0,
    records: found[0]?.total ?? 0,
  };
}

/** Whether a machine called m sent heartbeats when it last reported a guilty. */
export function isExposedFor(sql: Queryable, guiltyId: Fragment) {
  return sql`
    exists (select from guilty_machines known
             where known.guilty_id = ${guiltyId} and known.machine_id = m.machine_id and known.system_name = m.system_name and known.exposed)`;
}
