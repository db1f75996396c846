import { type DrawnBuild, IN_USE } from '../../views/builds/build-name.tsx';
import { OTHERS } from '../../views/parts/slot-chart.tsx';
import type { Queryable } from '../db/connect.ts';
import { inScope, type Scope, today } from '../time/scope.ts';
import { type SlotSeries, seriesOf } from '../time/series.ts';

const COLOURS = 8;

/**
 * The builds that a page draws of one system, or of all: the newest in use. One of the newest of its system has the same colour on all
 * pages, whatever their scope; one that a fleet alone still uses has a colour that is free there. Sorted by system, the one with most
 * machines first, and then the newest first. Builds of unnamed systems are among the others.
 */
export async function drawnBuilds(sql: Queryable, scope: Omit<Scope, 'days'>): Promise<DrawnBuild[]> {
  const [everywhere, inFleet] = await Promise.all([
    newestBuilds(sql, undefined),
    scope.fleet === undefined ? undefined : newestBuilds(sql, scope.fleet),
  ]);
  const here = (inFleet ?? everywhere).filter(({ os }) => scope.systemName === undefined || os === scope.systemName);
  return drawnAmong(here, coloursOf(everywhere));
}

/** The newest builds of each system, and what is drawn of them where all systems are. */
export async function newestOfSystems(sql: Queryable, perSystem: number) {
  const newest = await newestBuilds(sql, undefined);
  return { newest: newest.filter(({ rank }) => rank <= perSystem), drawn: drawnAmong(newest, coloursOf(newest)) };
}

function drawnAmong(here: NewestBuild[], colours: Map<string, number>): DrawnBuild[] {
  const drawn = new Map<number, NewestBuild>();
  for (const build of byTurns(here)) {
    const colour = colours.get(nameOf(build));
    if (colour !== undefined && !drawn.has(colour)) drawn.set(colour, build);
  }
  // What only a fleet that is behind the others still uses.
  for (const build of byTurns(here)) {
    const colour = colours.has(nameOf(build)) ? undefined : firstFree(drawn);
    if (colour !== undefined) drawn.set(colour, build);
  }
  return [...drawn]
    .sort(([, a], [, b]) => here.indexOf(a) - here.indexOf(b))
    .map(([colour, { os, build }]) => ({ os, build, colour }));
}

/** The first builds have a colour each, for pages of all systems; those that follow differ within their system. */
function coloursOf(builds: NewestBuild[]): Map<string, number> {
  const colours = new Map<string, number>();
  const taken = new Map<string, Set<number>>();
  for (const [turn, build] of byTurns(builds).entries()) {
    const ofSystem = taken.get(build.os) ?? new Set();
    const colour = turn < COLOURS ? turn + 1 : firstFree(ofSystem)!;
    colours.set(nameOf(build), colour);
    taken.set(build.os, ofSystem.add(colour));
  }
  return colours;
}

/** The newest of each system by turns, to which a system comes the more often the more machines it has. */
function byTurns(builds: NewestBuild[]): NewestBuild[] {
  return builds.toSorted((a, b) => b.machines / b.rank - a.machines / a.rank);
}

function firstFree(taken: { has(colour: number): boolean }): number | undefined {
  return Array.from({ length: COLOURS }, (_, n) => n + 1).find(colour => !taken.has(colour));
}

function nameOf({ os, build }: NewestBuild): string {
  return JSON.stringify([os, build]);
}

interface NewestBuild {
  os: string;
  build: string;
  /** Among the builds of its system, from 1 for the newest. */
  rank: number;
  /** Machine ids of the system, on the day with most. */
  machines: number;
}

/** The newest builds in use of each system that has a name. Sorted by system, the one with most machines first, and then the newest first. */
function newestBuilds(sql: Queryable, fleet: string | undefined) {
  return sql<NewestBuild[]>`
    with daily as (
      select c.day, c.system_name, c.build, sum(c.machines::integer) as machines
        from machine_days c
       where c.system_name <> '' and c.day > ${today(sql)} - ${IN_USE.days}::int and ${inScope(sql, { fleet })}
       group by 1, 2, 3
    ), used as (
      select system_name, build, max(of_system) as machines
        from (select *, max(machines) filter (where build = '*') over (partition by day, system_name) as of_system from daily) shares
       where build <> '*' and machines > 0 and machines >= ${IN_USE.share}::float8 * of_system
       group by 1, 2
    ), ranked as (
      select system_name as os, build, max(machines) over (partition by system_name) as machines,
             row_number() over (partition by system_name order by version_order(build) desc, build) as rank
        from used
    )
    select os, build, rank, machines from ranked where rank <= ${COLOURS} order by machines desc, os, rank`;
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
 */
export function seriesOfBuilds(
  slots: string[],
  { systemName }: Scope,
  drawn: DrawnBuild[],
  numbers: readonly { slot: string; place: number | null; n: number }[],
): SlotSeries {
  const last = drawn.length + 1;
  const sorted = numbers.toSorted((a, b) => (a.place ?? last) - (b.place ?? last));
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
