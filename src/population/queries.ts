import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import { drawnTable } from '../builds/drawn.ts';
import type { Queryable } from '../db/connect.ts';
import { inScope, inWindow, type Scope, slotOf, today } from '../time/scope.ts';

/** Trailing windows in UTC days, including today. */
export const TRAILING_DAYS = [1, 3, 7, 14] as const;

export interface Counted {
  internal: number;
  external: number;
}

export interface BuildPopulation {
  /** null means all systems; `build` is then null too. */
  os: string | null;
  /** null: all builds. */
  build: string | null;
  /** Distinct machine ids of each trailing window, in its order. */
  trailing: Counted[];
  /** Over all the time for which counters are kept. */
  overall: Counted;
}

/** Distinct machine ids of all builds together; undefined if none was ever seen. */
export async function wholePopulation(
  sql: Queryable,
  scope: Omit<Scope, 'days'>,
): Promise<BuildPopulation | undefined> {
  const [row] = await sql<PopulationRow[]>`
    select ${scope.systemName ?? null}::text as os, null as build, ${trailingColumns(sql)}
      from machine_counts c
     where c.build = '*' and ${inScope(sql, scope)}
    having sum(c.machines) > 0`;
  return row && toPopulation(row);
}

/**
 * The population of each build: the system with most machine ids first, and the newest build of each first. Returns one
 * more than `limit` if there are more.
 */
export async function buildPopulations(
  sql: Queryable,
  scope: Omit<Scope, 'days'>,
  limit: number,
  offset: number,
): Promise<BuildPopulation[]> {
  const rows = await sql<PopulationRow[]>`
    select c.system_name as os, c.build, ${trailingColumns(sql)}
      from machine_counts c
     where c.build <> '*' and ${inScope(sql, scope)}
     group by c.system_name, c.build having sum(c.machines) > 0
     order by sum(sum(c.machines)) over (partition by c.system_name) desc, c.system_name, version_order(c.build) desc, c.build
     limit ${limit + 1} offset ${offset}`;
  return rows.map(toPopulation);
}

interface PopulationRow {
  os: string | null;
  build: string | null;
  internal: number[];
  external: number[];
}

function toPopulation({ os, build, internal, external }: PopulationRow): BuildPopulation {
  const counts = internal.map((n, index) => ({ internal: n, external: external[index]! }));
  return { os, build, trailing: counts.slice(0, -1), overall: counts.at(-1)! };
}

function trailingColumns(sql: Queryable) {
  return sql`${trailing(sql, false)} as internal, ${trailing(sql, true)} as external`;
}

function trailing(sql: Queryable, external: boolean) {
  return sql`
    (select jsonb_agg(coalesce(n, 0) order by place)
       from unnest(array[
              ${TRAILING_DAYS.map((days, index) => sql`${index === 0 ? sql`` : sql`,`} sum(c.machines) filter (where c.external = ${external} and c.last_day > ${today(sql)} - ${days}::int)`)},
              sum(c.machines) filter (where c.external = ${external})
            ]) with ordinality as counts (n, place))`;
}

/** Distinct machine ids a day (or a week's mean) of each drawn build by its index, and of all others together. */
export function adoption(sql: Queryable, scope: Scope, drawn: DrawnBuild[]) {
  const daily = sql`
    select c.day, place, sum(c.machines)::bigint as n
      from machine_days c left join ${drawnTable(sql, drawn)} using (system_name, build)
     where c.build <> '*' and ${inWindow(sql, scope)}
     group by 1, 2`;
  const slot = slotOf(sql, scope);
  if (!scope.byWeek) return sql<AdoptionRow[]>`select ${slot} as slot, place, n from (${daily}) c`;
  return sql<AdoptionRow[]>`
    with daily as (${daily}), days as (
      select ${slot} as slot, count(distinct c.day) as days from daily c group by 1
    )
    select slot, place, round(sum(n) / min(days.days))::bigint as n
      from (select ${slot} as slot, c.place, c.n from daily c) counted join days using (slot)
     group by 1, 2`;
}

interface AdoptionRow {
  slot: string;
  place: number | null;
  n: number;
}
