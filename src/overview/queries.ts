import type { Queryable } from '../db/connect.ts';
import { anyClassificationLike } from '../records/classification-sql.ts';
import { today } from '../time/scope.ts';

interface HourRecords {
  /** When the hour begins. */
  hour: Date;
  records: number;
  /** A week before; of the hour under way as much as has passed of it, in proportion. */
  weekBefore: number;
}

/** The last 24 hours by the clock, the one under way among them, oldest first. */
export function recordsByHour(sql: Queryable) {
  return sql<HourRecords[]>`
    with hours as (
      select hour, least(1, extract(epoch from now() - hour) / 3600) as passed
        from generate_series(date_trunc('hour', now(), 'UTC') - interval '23 hours', now(), interval '1 hour') hour
    ), counted as (
      select hour, sum(records)::bigint as records
        from hour_counts where hour >= now() - interval '193 hours' group by hour
    )
    select hours.hour, coalesce(latest.records, 0)::bigint as records, round(coalesce(before.records, 0) * passed)::bigint as "weekBefore"
      from hours
      left join counted latest on latest.hour = hours.hour
      left join counted before on before.hour = hours.hour - interval '7 days'
     order by hours.hour`;
}

/** When the newest record came, and how many came in the 24 hours up to then; undefined where there is none yet. */
export async function lastArrival(sql: Queryable) {
  const [newest] = await sql<{ day: string; id: number }[]>`
    select day::text, last_id as id from ids_of_days where first_id <= last_id order by day desc limit 1`;
  if (!newest) return undefined;
  const [row] = await sql<{ at: Date; dayBefore: number }[]>`
    with newest as (
      select received_at as at
        from records
       where received_at >= ${newest.day}::date::timestamp at time zone 'UTC' and id = ${newest.id}
    )
    select at, (select coalesce(sum(records), 0)::bigint from hour_counts where hour > at - interval '24 hours' and hour <= at) as "dayBefore"
      from newest`;
  return row;
}

const SINCE_DAYS = 35;

interface BuildAdoption {
  systemName: string;
  build: string;
  /** The first UTC day of the last five weeks that a machine reported from it. */
  since: string;
  /** Machine ids of the last three days. */
  machines: number;
  /** The same on any build of the system. */
  ofMachines: number;
}

/** How many machines have some builds, in their order; those that none reported from in the last three days are left out. */
export function adoptionOf(sql: Queryable, builds: { os: string; build: string }[]) {
  return sql<BuildAdoption[]>`
    with seen as (
      select system_name, build, sum(machines)::bigint as machines
        from machine_counts where last_day > ${today(sql)} - 3 and system_name <> '' group by 1, 2
    )
    select wanted.os as "systemName", wanted.build, seen.machines, whole.machines as "ofMachines",
           (select min(day)::text from machine_days c
             where c.day > ${today(sql)} - ${SINCE_DAYS}::int and c.system_name = wanted.os and c.build = wanted.build) as since
      from unnest(${builds.map(({ os }) => os)}::text[], ${builds.map(({ build }) => build)}::text[])
           with ordinality as wanted (os, build, place)
      join seen on seen.system_name = wanted.os and seen.build = wanted.build
      join seen whole on whole.system_name = wanted.os and whole.build = '*'
     where seen.machines > 0
     order by place`;
}

/** Machine ids of any record today and in the last three days. */
export async function machinesLately(sql: Queryable) {
  const [row] = await sql<{ today: number; threeDays: number }[]>`
    select coalesce(sum(machines) filter (where last_day = ${today(sql)}), 0)::bigint as today,
           coalesce(sum(machines), 0)::bigint as "threeDays"
      from machine_counts where build = '*' and last_day > ${today(sql)} - 3`;
  return row!;
}

export interface NewGuilty {
  id: number;
  function: string;
  module: string;
  systems: string[];
  firstBuild: string;
  records: number;
  machines: number;
}

/**
 * Guilties that were never seen before yesterday, those on most machines first. Left out are hidden ones, and those with backtraces
 * that another guilty had before: nothing is new because it was decided again.
 */
export function newGuilties(sql: Queryable, limit: number) {
  return sql<NewGuilty[]>`
    with fresh as (
      select s.guilty_id, array_agg(distinct b.system_name) as systems,
             (array_agg(b.build order by version_order(b.build)))[1] as first_build
        from stack_builds b join stacks s on s.id = b.stack_id
       where b.first_day >= ${today(sql)} - 1
         and not exists (select from stack_builds older join stacks o on o.id = older.stack_id
                          where o.guilty_id = s.guilty_id and older.first_day < ${today(sql)} - 1)
         and not exists (select from stacks moved where moved.guilty_id = s.guilty_id and moved.moved_from is not null)
       group by s.guilty_id
    )
    select g.id, g.function, g.module, fresh.systems, fresh.first_build as "firstBuild",
           (select coalesce(sum(c.records), 0)::bigint from stack_counts c join stacks s on s.id = c.stack_id where s.guilty_id = g.id) as records,
           (select coalesce(sum(machines), 0)::bigint from guilty_machine_counts c where c.guilty_id = g.id) as machines
      from fresh join guilties g on g.id = fresh.guilty_id
     where g.hidden_at is null
     order by machines desc, records desc, g.id limit ${limit}`;
}

/** Records of some classifications by classification: of the last seven UTC days, today's among them, and of the seven before. */
export function weekOnWeek(sql: Queryable, patterns: string[]) {
  return sql<{ classification: string; records: number; weekBefore: number }[]>`
    select classification,
           coalesce(sum(records) filter (where day > ${today(sql)} - 7), 0)::bigint as records,
           coalesce(sum(records) filter (where day <= ${today(sql)} - 7), 0)::bigint as "weekBefore"
      from build_counts
     where day > ${today(sql)} - 14 and classification = ${anyClassificationLike(sql, patterns)}
     group by classification order by 2 desc, 1 limit 20`;
}
