import type { Queryable } from '../db/connect.ts';
import { countedConditions, type RecordFilter } from './filter-sql.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What counters know beside moments of reception. */
const COUNTED = ['systemName', 'build', 'classification', 'severity', 'external', 'fleet'] as const;
const COUNTED_BY_HOUR = ['external', 'fleet'] as const;
const COUNTED_WITH_HARDWARE = ['systemName', ...COUNTED_BY_HOUR] as const;

/** How many records fit, where counters tell; undefined where some would have to be counted one by one. */
export async function countedRecords(sql: Queryable, filter: RecordFilter): Promise<number | undefined> {
  const counter = counterFor(sql, filter);
  if (!counter) return undefined;
  const [row] = await sql<{ n: number; exact: boolean }[]>`
    with days as materialized (
      select day, complete from record_days where first_id <= last_id and ${inDays(sql, filter)}
    )
    select (select coalesce(sum(records), 0)::bigint from ${counter.rows}) as n, (select coalesce(bool_and(complete), true) from days) as exact`;
  return row!.exact ? row!.n : undefined;
}

/** Rows with a column `records` of the days in the table `days`. */
function counterFor(sql: Queryable, filter: RecordFilter) {
  const { hostType, arch, kernelVersion, receivedFrom, receivedBefore } = filter;
  if (asksOnlyFor(filter, COUNTED_BY_HOUR) && isWhole(filter, HOUR_MS)) {
    return {
      rows: sql`
        hour_counts r
         where hour >= coalesce(${receivedFrom ?? null}::timestamptz, '-infinity') and hour < coalesce(${receivedBefore ?? null}::timestamptz, 'infinity')
           and exists (select from days where hour >= day::timestamp at time zone 'UTC' and hour < (day + 1)::timestamp at time zone 'UTC')
           and ${countedConditions(sql, filter)}`,
    };
  }
  if (!isWhole(filter, DAY_MS)) return undefined;
  const ofDays = sql`where r.day = any(array(select day from days)) and ${countedConditions(sql, filter)}`;
  if (asksOnlyFor(filter, COUNTED)) return { rows: sql`build_counts r ${ofDays}` };
  if (asksOnlyFor(filter, [...COUNTED_WITH_HARDWARE, 'hostType']))
    return { rows: sql`platform_counts r ${ofDays} and r.host_type = ${hostType!}` };
  if (asksOnlyFor(filter, [...COUNTED_WITH_HARDWARE, 'arch', 'kernelVersion'])) {
    return {
      rows: sql`
        kernel_counts r ${ofDays}
          and ${arch === undefined ? sql`true` : sql`r.arch = ${arch}`}
          and ${kernelVersion === undefined ? sql`true` : sql`r.kernel_version = ${kernelVersion}`}`,
    };
  }
  return undefined;
}

/**
 * How many machine ids sent the records that fit, where counters tell: those of one UTC day, or of the days since one, by nothing
 * else than system, build, fleet and source.
 */
export async function countedMachines(
  sql: Queryable,
  filter: RecordFilter,
  now = new Date(),
): Promise<number | undefined> {
  const { receivedFrom: from, receivedBefore: before } = filter;
  if (!from || !isWhole(filter, DAY_MS) || !asksOnlyFor(filter, ['systemName', 'build', 'external', 'fleet']))
    return undefined;
  const isDay = before?.getTime() === from.getTime() + DAY_MS;
  const isTrailing = before === undefined || before > now;
  if (!isDay && !isTrailing) return undefined;
  const day = sql`${from.toISOString().slice(0, 10)}::date`;
  const rows = isTrailing ? sql`machine_counts r where last_day >= ${day}` : sql`machine_days r where day = ${day}`;
  const [row] = await sql<{ n: number; exact: boolean }[]>`
    select coalesce(sum(r.machines), 0)::bigint as n,
           not exists (select from record_days where not complete and ${inDays(sql, filter)}) as exact
      from ${rows} and ${countedConditions(sql, { ...filter, build: filter.build ?? '*' })}`;
  return row!.exact ? row!.n : undefined;
}

/** Whether a filter has nothing but these and moments of reception. */
function asksOnlyFor(filter: RecordFilter, names: readonly (keyof RecordFilter)[]): boolean {
  const { receivedFrom: _, receivedBefore: __, ...others } = filter;
  return Object.entries(others).every(
    ([name, value]) => value === undefined || names.includes(name as keyof RecordFilter),
  );
}

/** Whether it begins and ends with UTC days or hours. */
function isWhole({ receivedFrom, receivedBefore }: RecordFilter, ms: number): boolean {
  return [receivedFrom, receivedBefore].every(moment => moment === undefined || moment.getTime() % ms === 0);
}

/** A condition on the UTC days of a table's column `day`. */
function inDays(sql: Queryable, { receivedFrom, receivedBefore }: RecordFilter) {
  return sql`
    day >= coalesce((${receivedFrom ?? null}::timestamptz at time zone 'UTC')::date, '-infinity')
    and day::timestamp at time zone 'UTC' < coalesce(${receivedBefore ?? null}::timestamptz, 'infinity')`;
}
