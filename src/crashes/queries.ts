import type { Fragment, Queryable } from '../db/connect.ts';
import { firstDay, inScope, inWindow, LATELY_DAYS, receivedInWindow, type Scope, today } from '../time/scope.ts';
import { isExposedFor } from './guilty-builds.ts';
import type { CrashScope } from './shares.ts';

export interface GuiltyRow {
  id: number;
  function: string;
  module: string;
  comment: string;
  hidden: boolean;
}

export type GuiltySort = 'records' | 'machines' | 'rate';

export interface TopGuilty extends GuiltyRow {
  records: number;
  /** Distinct machine ids. */
  machines: number;
  /** Those of them that sent heartbeats. */
  exposed: number;
}

/** The guilties of most records, machines, or machines that sent heartbeats, in a window; of one build where `build` is given. Hidden ones are left out. */
export function topGuilties(
  sql: Queryable,
  scope: Scope & { build?: string | undefined; sort: GuiltySort; limit: number; offset: number },
) {
  const { days, build, sort, limit, offset } = scope;
  const machines =
    build === undefined
      ? sql`
          select guilty_id, sum(machines)::bigint as machines, sum(exposed)::bigint as exposed
            from guilty_machine_counts c
           where last_day > ${today(sql)} - ${days}::int and ${inScope(sql, scope)}
           group by guilty_id`
      : sql`
          select s.guilty_id, count(distinct (m.machine_id, m.system_name, m.fleet_id, m.external)) as machines,
                 count(distinct (m.machine_id, m.system_name, m.fleet_id, m.external)) filter (where ${isExposedFor(sql, sql`s.guilty_id`)}) as exposed
            from (select distinct stack_id from hits) hit
            join stacks s on s.id = hit.stack_id
           cross join lateral (
                   select machine_id, system_name, fleet_id, external from stack_machines c
                    where c.stack_id = hit.stack_id and last_day > ${today(sql)} - ${days}::int and build = ${build} and machine_id <> ''
                      and ${inScope(sql, scope)}
                   offset 0 -- by the days of each stack, not all machines there ever were
                 ) m
           group by s.guilty_id`;
  return sql<TopGuilty[]>`
    with hits as (
      select c.stack_id, c.records
        from stack_counts c
       where ${inWindow(sql, scope)} and ${build === undefined ? sql`true` : sql`c.build = ${build}`}
    ), counted as (
      select s.guilty_id, sum(hits.records)::bigint as records
        from hits join stacks s on s.id = hits.stack_id
       group by s.guilty_id
    ), affected as (
      ${machines}
    )
    select g.id, g.function, g.module, g.comment, g.hidden_at is not null as hidden, counted.records, coalesce(affected.machines, 0)::bigint as machines,
           coalesce(affected.exposed, 0)::bigint as exposed
      from counted
      join guilties g on g.id = counted.guilty_id
      left join affected on affected.guilty_id = g.id
     where g.hidden_at is null
     order by ${ORDERS(sql)[sort]}, g.id
     limit ${limit} offset ${offset}`;
}

/** All guilties of a window have the same machine-days, so that their rates are ordered as their machines that sent heartbeats. */
const ORDERS = (sql: Queryable): Record<GuiltySort, Fragment> => ({
  records: sql`counted.records desc, affected.machines desc nulls last`,
  machines: sql`affected.machines desc nulls last, counted.records desc`,
  rate: sql`affected.exposed desc nulls last, counted.records desc`,
});

export interface SeenOn {
  os: string;
  /** In the order of versions. */
  firstBuild: string;
  lastBuild: string;
}

/**
 * The oldest and the newest build of each system that each of some guilties was ever seen on. Looked up at both ends of each stack's
 * builds, since those pile up over the years.
 */
export function buildsSeen(sql: Queryable, { systemName, fleet }: Omit<Scope, 'days'>, guiltyIds: number[]) {
  const systems =
    systemName === undefined
      ? sql`(select distinct system_name from stack_builds where stack_id = s.id)`
      : sql`(select ${systemName}::text as system_name)`;
  const edge = (direction: Fragment) => sql`
    (select build, version_order(build) as place
       from stack_builds
      where stack_id = s.id and system_name = systems.system_name and fleet_id = fleets.id
      order by version_order(build) ${direction} limit 1)`;
  return sql<(SeenOn & { guiltyId: number })[]>`
    select s.guilty_id as "guiltyId", systems.system_name as os,
           (array_agg(seen.build order by seen.place))[1] as "firstBuild",
           (array_agg(seen.build order by seen.place desc))[1] as "lastBuild"
      from stacks s
     cross join lateral ${systems} systems
     cross join fleets
     cross join lateral (${edge(sql`asc`)} union all ${edge(sql`desc`)}) seen
     where s.guilty_id = any(${guiltyIds}::bigint[]) and ${fleet === undefined ? sql`true` : sql`fleets.name = ${fleet}`}
     group by 1, 2 order by 1, 2`;
}

/** Systems are ordered by the machines of so many days. */
const ORDERING_DAYS = 7;

/**
 * The systems that crashed lately, the one with most machines first. Those that did not name themselves are left out. Goes from
 * name to name by index: they are few, what was counted of them is much.
 */
export async function crashingSystems(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ systemName: string }[]>`
    with recursive names as (
      select '' collate "C" as system_name
       union all
      select (select c.system_name from guilty_machine_counts c
               where c.system_name > names.system_name order by c.system_name limit 1)
        from names where names.system_name is not null
    )
    select system_name as "systemName"
      from names
     where exists (select from guilty_machine_counts c
                    where c.system_name = names.system_name and last_day > ${today(sql)} - ${LATELY_DAYS}::int)
       and system_name <> ''
     order by (select coalesce(sum(machines), 0) from guilty_machine_counts c
                where c.system_name = names.system_name and last_day > ${today(sql)} - ${ORDERING_DAYS}::int) desc, system_name
     limit 100`;
  return rows.map(row => row.systemName);
}

/** The guilty of an id, or the one whose alias that has become. */
export async function findGuilty(sql: Queryable, id: number): Promise<GuiltyRow | undefined> {
  const [row] = await sql<GuiltyRow[]>`
    select id, function, module, comment, hidden_at is not null as hidden
      from guilties
     where id = (select coalesce(alias_of, id) from guilties where id = ${id})`;
  return row;
}

/** A guilty's records and machines on each UTC day of a window; days without any are there with zeros. */
export function guiltyByDay(sql: Queryable, id: number, scope: Scope) {
  return sql<{ day: string; records: number; machines: number }[]>`
    with days as (
      select day::date as day from generate_series(${firstDay(sql, scope)}, ${today(sql)}, '1 day') day
    ), counted as (
      select c.day, sum(c.records)::bigint as records
        from stack_counts c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${inWindow(sql, scope)}
       group by c.day
    ), affected as (
      select (received_at at time zone 'UTC')::date as day, count(distinct nullif(machine_id, '')) as machines
        from crashes c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${receivedInWindow(sql, scope)}
         and ${inScope(sql, scope)}
       group by 1
    )
    select day::text, coalesce(counted.records, 0)::bigint as records, coalesce(affected.machines, 0)::bigint as machines
      from days left join counted using (day) left join affected using (day)
     order by day`;
}

interface GuiltyTotals {
  /** On the system and in the fleet asked for, whenever. */
  firstDay: Date | null;
  lastDay: Date | null;
  lastDayAnywhere: Date | null;
  /** In the window. */
  records: number;
  machines: number;
}

/** First and last day, and a window's records and machines, of a guilty. */
export async function guiltyTotals(sql: Queryable, id: number, scope: Scope) {
  const [row] = await sql<GuiltyTotals[]>`
    select min(c.first_day) filter (where ${inScope(sql, scope)})::timestamptz as "firstDay",
           max(c.last_day) filter (where ${inScope(sql, scope)})::timestamptz as "lastDay",
           max(c.last_day)::timestamptz as "lastDayAnywhere",
           (select coalesce(sum(c.records), 0)::bigint from stack_counts c join stacks s on s.id = c.stack_id
             where s.guilty_id = ${id} and ${inWindow(sql, scope)}) as records,
           (select coalesce(sum(machines), 0)::bigint from guilty_machine_counts c
             where guilty_id = ${id} and last_day > ${today(sql)} - ${scope.days}::int and ${inScope(sql, scope)}) as machines
      from stack_builds c join stacks s on s.id = c.stack_id
     where s.guilty_id = ${id}`;
  return row!;
}

/** Hidden guilties that crashed in a window, or all of them, hidden last first. */
export function hiddenGuilties(sql: Queryable, scope: CrashScope | undefined, limit: number, offset: number) {
  return sql<
    {
      id: number;
      function: string;
      module: string;
      comment: string;
      hiddenAt: Date;
      records: number;
      lastSeen: Date | null;
    }[]
  >`
    select g.id, g.function, g.module, g.comment, g.hidden_at as "hiddenAt",
           (select coalesce(sum(c.records), 0)::bigint from stack_counts c join stacks s on s.id = c.stack_id where s.guilty_id = g.id) as records,
           (select max(last_day)::timestamptz from guilty_machine_counts where guilty_id = g.id) as "lastSeen"
      from guilties g
     where ${isHidden(sql, scope)}
     order by g.hidden_at desc, g.id limit ${limit} offset ${offset}`;
}

export async function countHidden(sql: Queryable, scope: CrashScope | undefined): Promise<number> {
  const [row] = await sql<
    { hidden: number }[]
  >`select count(*) as hidden from guilties g where ${isHidden(sql, scope)}`;
  return row!.hidden;
}

function isHidden(sql: Queryable, scope: CrashScope | undefined) {
  const hidden = sql`g.hidden_at is not null and g.alias_of is null`;
  if (scope === undefined) return hidden;
  return sql`
    ${hidden}
    and exists (select from stack_counts c join stacks s on s.id = c.stack_id
                 where s.guilty_id = g.id and ${scope.build === undefined ? sql`true` : sql`c.build = ${scope.build}`} and ${inWindow(sql, scope)})`;
}

export async function commentGuilty(sql: Queryable, id: number, comment: string): Promise<boolean> {
  return (await sql`update guilties set comment = ${comment} where id = ${id}`).count > 0;
}

export async function hideGuilty(sql: Queryable, id: number, hidden: boolean): Promise<boolean> {
  return (
    (await sql`update guilties set hidden_at = ${hidden ? sql`coalesce(hidden_at, now())` : null} where id = ${id}`)
      .count > 0
  );
}
