import type { Queryable, Sql } from '../db/connect.ts';
import { isLocked } from '../db/sqlstates.ts';
import { type CountedGroup, ofDay, type RecordDay } from './days.ts';
import type { RecordGroup } from './rules.ts';

/** All attempts together take longer than a page may. */
export const LOCK_ATTEMPTS = 10;
const LOCKED_PAUSE_MS = 400;
/** Pages of 8 KB that one statement reads. */
const SLICE_PAGES = 256;
/** Ingestion comes first: after each slice the purge pauses this many times as long as the slice took. */
const REST = 12;
const MAX_REST_MS = 5_000;

/**
 * Drops the partitions of a day, or of all days of a gathered month. Returns false, so that the next run tries again,
 * if a long reader would make it hold up ingestion, or if records arrived for those days meanwhile. Stores `state` for
 * the days.
 */
export async function dropDays(
  sql: Sql,
  days: readonly RecordDay[],
  state: string,
  attempts = LOCK_ATTEMPTS,
): Promise<boolean> {
  const [{ day, firstId, lastId, gathered }] = days as [RecordDay];
  try {
    const [row] = await againWhileLocked(attempts, () =>
      gathered
        ? sql<{ dropped: boolean }[]>`
            select drop_records_month(date_trunc('month', ${day}::date)::date, ${days.map(one => one.day)}::date[],
                                      ${days.map(one => one.firstId)}::bigint[], ${days.map(one => one.lastId)}::bigint[],
                                      ${state}) as dropped`
        : sql<{ dropped: boolean }[]>`
            select drop_records_day(${day}::date, ${firstId}, ${lastId}, ${state}) as dropped`,
    );
    return row!.dropped;
  } catch (error) {
    if (isLocked(error)) return false;
    throw error;
  }
}

/** Tries again while others hold the needed lock; throws the last error after `attempts`. */
export async function againWhileLocked<Result>(attempts: number, work: () => PromiseLike<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error) || attempt >= attempts) throw error;
      await Bun.sleep(LOCKED_PAUSE_MS * attempt);
    }
  }
}

/**
 * Deletes groups of a day's records in slices, with derived data and queued work; yields the number removed by each
 * slice.
 */
export async function* deleteGroups(
  sql: Sql,
  { day, partition }: RecordDay,
  groups: RecordGroup[],
  machineIds: string[],
): AsyncGenerator<CountedGroup[]> {
  await sql`update record_days set complete = false where day = ${day}::date and complete`;
  for (const table of [partition, 'records_default']) {
    if (table === null) continue;
    const pages = await countPages(sql, table);
    for (let page = 0; page < pages; page += SLICE_PAGES) {
      const started = performance.now();
      const taken = await deleteSlice(sql, { day, table, page, groups, machineIds });
      if (taken.length > 0) yield taken;
      if (page + SLICE_PAGES < pages) await restSince(started, REST);
    }
  }
}

/** Pauses `times` as long as has passed since `started`, at most five seconds. */
export function restSince(started: number, times: number): Promise<void> {
  return Bun.sleep(Math.min((performance.now() - started) * times, MAX_REST_MS));
}

async function countPages(sql: Queryable, table: string): Promise<number> {
  const [row] = await sql<{ pages: number }[]>`
    select pg_relation_size(${table}::regclass) / current_setting('block_size')::bigint as pages`;
  return row!.pages;
}

interface Slice {
  day: string;
  table: string;
  page: number;
  groups: RecordGroup[];
  machineIds: string[];
}

function deleteSlice(sql: Queryable, { day, table, page, groups, machineIds }: Slice) {
  return sql<CountedGroup[]>`
    with doomed as (
      select classification, severity, "machineId" as machine_id
        from jsonb_to_recordset(${JSON.stringify(groups)}::text::jsonb)
             as came (classification text, severity smallint, "machineId" text)
    ), gone as (
      delete from ${sql(table)} r
       where r.ctid >= ${`(${page},0)`}::text::tid and r.ctid < ${`(${page + SLICE_PAGES},0)`}::text::tid
         and ${ofDay(sql, day)}
         and (r.classification, r.severity, case when r.machine_id = any(${machineIds}::text[]) then r.machine_id else '' end)
             in (select classification, severity, coalesce(machine_id, '') from doomed)
      returning r.machine_id, r.received_at, r.id, r.classification, r.severity
    ), crashed as (
      delete from crashes c using gone
       where (c.machine_id, c.received_at, c.id) = (gone.machine_id, gone.received_at, gone.id)
         and c.received_at >= ${day}::date::timestamp at time zone 'UTC'
         and c.received_at < (${day}::date + 1)::timestamp at time zone 'UTC'
    ), read as (
      delete from parsed p using gone
       where (p.machine_id, p.received_at, p.id) = (gone.machine_id, gone.received_at, gone.id)
         and p.received_at >= ${day}::date::timestamp at time zone 'UTC'
         and p.received_at < (${day}::date + 1)::timestamp at time zone 'UTC'
    ), queued as (
      delete from work_queue where record_id in (select id from gone)
    )
    select classification, severity, case when machine_id = any(${machineIds}::text[]) then machine_id end as "machineId",
           count(*) as records
      from gone group by 1, 2, 3`;
}
