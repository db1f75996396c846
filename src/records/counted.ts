import type { Queryable } from '../db/connect.ts';
import { DAY_MS, HOUR_MS } from '../time/units.ts';
import { countedConditions, type RecordFilter } from './filter-sql.ts';

type Names = readonly (keyof RecordFilter)[];

/** What counters know beside moments of reception: the smaller ones first. */
const BY_HOUR: Names = ['external', 'fleet'];
const BY_SYSTEM: Names = [...BY_HOUR, 'systemName'];
const BY_BUILD: Names = [...BY_SYSTEM, 'build', 'classification', 'severity'];

/** How many records fit, where counters tell; undefined where some would have to be counted one by one. */
export async function countedRecords(sql: Queryable, filter: RecordFilter): Promise<number | undefined> {
  const rows = countersOf(sql, filter);
  if (!rows) return undefined;
  const [row] = await sql<{ n: number; exact: boolean }[]>`
    with days as materialized (
      select day, complete, first_id <= last_id as kept from record_days where ${inDays(sql, filter)}
    ), kept as materialized (
      select coalesce(min(day), 'infinity') as since from days where kept
    )
    select (select coalesce(sum(records), 0)::bigint from ${rows}) as n,
           (select coalesce(bool_and(complete), true) from days where day >= (select since from kept)) as exact`;
  return row!.exact ? row!.n : undefined;
}

/** Counters from the first day on that is kept. */
function countersOf(sql: Queryable, filter: RecordFilter) {
  const { hostType, arch, kernelVersion, receivedFrom, receivedBefore } = filter;
  const ofFilter = countedConditions(sql, filter);
  if (asksOnlyFor(filter, BY_HOUR) && isWhole(filter, HOUR_MS)) {
    return sql`
      hour_counts r
       where hour >= greatest((select since::timestamp at time zone 'UTC' from kept), ${receivedFrom ?? null}::timestamptz)
         and hour < coalesce(${receivedBefore ?? null}::timestamptz, 'infinity') and ${ofFilter}`;
  }
  if (!isWhole(filter, DAY_MS)) return undefined;
  const ofDays = sql`r where day >= (select since from kept) and ${inDays(sql, filter)} and ${ofFilter}`;
  if (asksOnlyFor(filter, [...BY_SYSTEM, 'hostType']))
    return sql`platform_counts ${ofDays} and ${hostType === undefined ? sql`true` : sql`host_type = ${hostType}`}`;
  if (asksOnlyFor(filter, BY_BUILD)) return sql`build_counts ${ofDays}`;
  if (!asksOnlyFor(filter, [...BY_SYSTEM, 'arch', 'kernelVersion'])) return undefined;
  return sql`
    kernel_counts ${ofDays} and ${arch === undefined ? sql`true` : sql`arch = ${arch}`}
      and ${kernelVersion === undefined ? sql`true` : sql`kernel_version = ${kernelVersion}`}`;
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
  if (!from || !isWhole(filter, DAY_MS) || !asksOnlyFor(filter, [...BY_SYSTEM, 'build'])) return undefined;
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
function asksOnlyFor(filter: RecordFilter, names: Names): boolean {
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
