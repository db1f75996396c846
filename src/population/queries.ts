import type { Queryable } from '../db/connect.ts';
import { inScope, inWindow, type Scope, slotOf, today } from '../scope.ts';

/** Trailing windows, in UTC days, today's among them. */
export const TRAILING_DAYS = [1, 3, 7, 14] as const;

export interface Counted {
  internal: number;
  external: number;
}

export interface BuildPopulation {
  /** null: the system as a whole. */
  build: string | null;
  /** Distinct machine ids of each trailing window, in its order. */
  trailing: Counted[];
  /** Of all time that counters are kept for. */
  overall: Counted;
}

/** Distinct machine ids of a system as a whole; undefined where none was ever seen. */
export async function wholePopulation(
  sql: Queryable,
  scope: Omit<Scope, 'days'>,
): Promise<BuildPopulation | undefined> {
  const [whole] = await populations(sql, scope, sql`c.build = '*'`);
  return whole;
}

/** The same by build, the newest first; one more than `limit` where there are. */
export function buildPopulations(sql: Queryable, scope: Omit<Scope, 'days'>, limit: number, offset: number) {
  return populations(sql, scope, sql`c.build <> '*'`, sql`limit ${limit + 1} offset ${offset}`);
}

async function populations(
  sql: Queryable,
  scope: Omit<Scope, 'days'>,
  which: ReturnType<Queryable>,
  page = sql``,
): Promise<BuildPopulation[]> {
  const rows = await sql<{ build: string; internal: number[]; external: number[] }[]>`
    select c.build, ${trailing(sql, false)} as internal, ${trailing(sql, true)} as external
      from machine_counts c
     where ${which} and ${inScope(sql, scope)}
     group by c.build having sum(c.machines) > 0
     order by version_order(c.build) desc, c.build ${page}`;
  return rows.map(({ build, internal, external }) => {
    const counts = internal.map((n, index) => ({ internal: n, external: external[index]! }));
    return { build: build === '*' ? null : build, trailing: counts.slice(0, -1), overall: counts.at(-1)! };
  });
}

function trailing(sql: Queryable, external: boolean) {
  return sql`
    (select jsonb_agg(coalesce(n, 0) order by place)
       from unnest(array[
              ${TRAILING_DAYS.map((days, index) => sql`${index === 0 ? sql`` : sql`,`} sum(c.machines) filter (where c.external = ${external} and c.last_day > ${today(sql)} - ${days}::int)`)},
              sum(c.machines) filter (where c.external = ${external})
            ]) with ordinality as counts (n, place))`;
}

/** Of the machine ids of a day: what makes a build more than somebody's trial of one. */
const NOTABLE_SHARE = 0.02;

/**
 * Distinct machine ids a day, or the mean of a week's days, for the newest builds of a window, those first that had a notable share of
 * some day, and all others together.
 */
export function adoption(sql: Queryable, scope: Scope, builds: number) {
  return sql<{ slot: string; build: string | null; machines: number }[]>`
    with daily as (
      select c.day, c.build, sum(c.machines)::bigint as machines
        from machine_days c where c.build <> '*' and ${inWindow(sql, scope)} group by 1, 2
    ), newest as (
      select build
        from (select build, machines >= ${NOTABLE_SHARE}::float8 * sum(machines) over (partition by day) as notable from daily) shares
       group by build order by bool_or(notable) desc, version_order(build) desc, build limit ${builds}
    ), counted as (
      select c.day, newest.build, sum(c.machines)::bigint as machines from daily c left join newest using (build) group by 1, 2
    ), days as (
      select ${slotOf(sql, scope)} as slot, count(distinct c.day) as days from daily c group by 1
    )
    select slot, build, round(sum(machines) / min(days.days))::bigint as machines
      from (select ${slotOf(sql, scope)} as slot, c.build, c.machines from counted c) slots join days using (slot)
     group by 1, 2
     order by version_order(build) desc nulls last, build, slot`;
}
