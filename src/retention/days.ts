import type { Queryable } from '../db/connect.ts';
import type { RecordGroup } from './rules.ts';

/** A UTC day that had records. */
export interface RecordDay {
  /** `YYYY-MM-DD` */
  day: string;
  ageDays: number;
  firstId: number;
  lastId: number;
  /** None of its records are gone. */
  complete: boolean;
  purgedAs: string | null;
  /** The partition of its records: its own or that of its month. Null if they are in DEFAULT, or gone. */
  partition: string | null;
  /** Whether that is the partition of a month. */
  gathered: boolean;
}

export type CountedGroup = RecordGroup & { records: number };

/** The days that may hold records, oldest first. */
export function listDays(sql: Queryable): Promise<RecordDay[]> {
  return sql<RecordDay[]>`
    select day::text, (now() at time zone 'UTC')::date - day as "ageDays", first_id as "firstId", last_id as "lastId", complete,
           purged_as as "purgedAs", coalesce(own, of_month)::text as partition, own is null and of_month is not null as gathered
      from record_days,
           to_regclass(days_table('records', day)) as own, to_regclass(months_table('records', day)) as of_month
     where first_id <= last_id order by record_days.day`;
}

/**
 * Groups of a day's records with their counts. Read from counters if the day is complete and no rule names a machine,
 * or else from the records.
 */
export function countGroups(sql: Queryable, { day, complete }: RecordDay, machineIds: string[]) {
  if (complete && machineIds.length === 0) {
    return sql<CountedGroup[]>`
      select classification, severity, null::text as "machineId", sum(records)::bigint as records
        from build_counts where day = ${day}::date group by 1, 2 order by 1, 2`;
  }
  return sql<CountedGroup[]>`
    select classification, severity, case when machine_id = any(${machineIds}::text[]) then machine_id end as "machineId",
           count(*) as records
      from records where ${ofDay(sql, day)} group by 1, 2, 3 order by 1, 2, 3`;
}

export function ofDay(sql: Queryable, day: string) {
  return sql`received_at >= ${day}::date::timestamp at time zone 'UTC'
    and received_at < (${day}::date + 1)::timestamp at time zone 'UTC'`;
}

/** The size of a partition of records together with the data derived from them. */
export async function partitionBytes(sql: Queryable, partition: string): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`
    select sum(coalesce(pg_total_relation_size(to_regclass(kind || '_' || suffix)), 0))::bigint as bytes
      from regexp_substr(${partition}, '[0-9]+$') as suffix, unnest(array['records', 'crashes', 'parsed']) as kind`;
  return row!.bytes;
}

export async function holdsRecords(sql: Queryable, partition: string): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select exists (select from ${sql(partition)}) as present`;
  return row!.present;
}

export async function databaseBytes(sql: Queryable): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`select pg_database_size(current_database()) as bytes`;
  return row!.bytes;
}

/** Remembers that retention has finished a day. */
export async function markPurged(sql: Queryable, { day, firstId, lastId }: RecordDay, state: string) {
  await sql`
    update record_days set purged_as = ${state}
     where day = ${day}::date and first_id = ${firstId} and last_id = ${lastId}`;
}
