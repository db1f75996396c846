import { IN_USE } from '../../views/build-name.tsx';
import { type SlotSeries, seriesOf } from '../../views/series.ts';
import { OTHERS } from '../../views/slot-chart.tsx';
import type { Queryable } from '../db/connect.ts';
import { inScope, type Scope, today } from '../scope.ts';

/** A build that charts draw, in the colour that it has on all pages. */
export interface DrawnBuild {
  os: string;
  build: string;
  /** 1 to 8. */
  colour: number;
}

const COLOURS = 8;
/** Where fewer are in use than there are colours, others that reported in so many days are drawn as well. */
const DAYS_LOOKED_AT = 35;

/**
 * The builds that a page draws of one system, or of all: the newest in use. What a build's colour is depends neither on the page nor
 * on its scope. Sorted by system, the one with most machines first, and then the newest first. Those of systems that are not named
 * are among the others.
 */
export async function drawnBuilds(sql: Queryable, scope: Omit<Scope, 'days'>): Promise<DrawnBuild[]> {
  const builds = await newestBuilds(sql, scope.fleet);
  const colours = coloursOf(inTurn(builds, 'rank'));
  const here = inTurn(
    builds.filter(({ os }) => scope.systemName === undefined || os === scope.systemName),
    'rankInFleet',
  );
  const drawn = new Map<number, NewestBuild>();
  for (const build of here) {
    const colour = colours.get(build);
    if (colour !== undefined && !drawn.has(colour)) drawn.set(colour, build);
  }
  // Builds of a fleet that is behind the others.
  for (const build of here) {
    const colour = colours.has(build) ? undefined : firstFree(drawn);
    if (colour !== undefined) drawn.set(colour, build);
  }
  return [...drawn]
    .map(([colour, build]) => ({ ...build, colour }))
    .sort((a, b) => a.place - b.place)
    .map(({ os, build, colour }) => ({ os, build, colour }));
}

interface NewestBuild {
  os: string;
  build: string;
  /** In the order of `drawnBuilds`. */
  place: number;
  /** Among the builds of its system, from 1 for the newest; null: none of the first. */
  rank: number | null;
  /** The same in a fleet. */
  rankInFleet: number | null;
  /** Of the system. */
  machines: number;
}

/** The newest of each system by turns, to which a system comes the more often the more machines it has. */
function inTurn(builds: NewestBuild[], rank: 'rank' | 'rankInFleet'): NewestBuild[] {
  return builds
    .filter(build => build[rank] !== null)
    .sort((a, b) => b.machines / b[rank]! - a.machines / a[rank]! || a.place - b.place);
}

/** The first builds have a colour each, for pages of all systems; those that follow differ within their system. */
function coloursOf(builds: NewestBuild[]): Map<NewestBuild, number> {
  const colours = new Map<NewestBuild, number>();
  const taken = new Map<string, Set<number>>();
  for (const [turn, build] of builds.entries()) {
    const ofSystem = taken.get(build.os) ?? new Set();
    const colour = turn < COLOURS ? turn + 1 : firstFree(ofSystem)!;
    colours.set(build, colour);
    taken.set(build.os, ofSystem.add(colour));
  }
  return colours;
}

function firstFree(taken: { has(colour: number): boolean }): number | undefined {
  return Array.from({ length: COLOURS }, (_, n) => n + 1).find(colour => !taken.has(colour));
}

/** The newest builds of each system that has a name, of all fleets and of one. */
function newestBuilds(sql: Queryable, fleet: string | undefined) {
  const since = sql`${today(sql)} - ${IN_USE.days}::int`;
  return sql<NewestBuild[]>`
    with daily as (
      select c.day, c.system_name, c.build, sum(c.machines) as machines, coalesce(sum(c.machines) filter (where ${inScope(sql, { fleet })}), 0) as in_fleet
        from machine_days c
       where c.build <> '*' and c.system_name <> '' and c.day > ${today(sql)} - ${DAYS_LOOKED_AT}::int
       group by 1, 2, 3
    ), builds as (
      select system_name, build, sum(machines)::bigint as machines, sum(in_fleet) > 0 as is_in_fleet,
             bool_or(day > ${since} and machines >= ${IN_USE.share}::float8 * of_day) as used,
             bool_or(day > ${since} and in_fleet > 0 and in_fleet >= ${IN_USE.share}::float8 * of_day_in_fleet) as used_in_fleet
        from (select *, sum(machines) over a_day as of_day, sum(in_fleet) over a_day as of_day_in_fleet
                from daily window a_day as (partition by system_name, day)) shares
       group by 1, 2
    ), versions as (
      -- The order of versions is dear: it is worked out for those alone that may be among the first.
      select *, (sum(machines) over a_system)::bigint as of_system,
             case when used or used_in_fleet or least(count(*) filter (where used) over a_system, count(*) filter (where used_in_fleet) over a_system) < ${COLOURS}
                  then version_order(build) end as version
        from builds window a_system as (partition by system_name)
    ), ranked as (
      select *, row_number() over (order by of_system desc, system_name, version desc nulls last, build) as place,
             row_number() over (partition by system_name order by used desc, version desc nulls last, build) as rank,
             row_number() over (partition by system_name order by is_in_fleet desc, used_in_fleet desc, version desc nulls last, build) as rank_in_fleet
        from versions
    )
    select system_name as os, build, place, case when rank <= ${COLOURS} then rank end as rank,
           case when is_in_fleet and rank_in_fleet <= ${COLOURS} then rank_in_fleet end as "rankInFleet", of_system as machines
      from ranked
     where rank <= ${COLOURS} or is_in_fleet and rank_in_fleet <= ${COLOURS}`;
}

/** The table `drawn (place, system_name, build)`, to count by: what it has no row for is one of the others. */
export function drawnTable(sql: Queryable, drawn: DrawnBuild[]) {
  return sql`
    (select place, system_name, build
       from unnest(${drawn.map(({ os }) => os)}::text[], ${drawn.map(({ build }) => build)}::text[])
            with ordinality as builds (system_name, build, place)) drawn`;
}

/**
 * Numbers by slot and place in `drawnTable` as a series of each drawn build, called after its system as well unless the scope is that
 * one alone, and one of all others (place null) together.
 */ export function seriesOfBuilds(
  slots: string[],
  { systemName }: Scope,
  drawn: DrawnBuild[],
  numbers: readonly { slot: string; place: number | null; n: number }[],
): SlotSeries {
  const sorted = numbers.toSorted(
    (a, b) => (a.place ?? Number.MAX_SAFE_INTEGER) - (b.place ?? Number.MAX_SAFE_INTEGER),
  );
  const { series } = seriesOf(
    slots,
    sorted.map(({ slot, place, n }) => ({ slot, name: String(place), n })),
  );
  return {
    slots,
    series: series.map(({ name, values }) => {
      const one = drawn[Number(name) - 1];
      if (!one) return { ...OTHERS, values };
      const { os, build, colour } = one;
      return { name: systemName === undefined ? `${os} ${build}` : build, values, colour, build: { os, build } };
    }),
  };
}
