import type { Queryable } from '../db/connect.ts';
import { hasAttemptsLeft, hasNoAttemptsLeft } from '../db/work-queue.ts';

/** Counting stops at this number, so that a check costs the same however many records wait. */
export const QUEUED_COUNTED_AT_MOST = 100_000;

export interface DatabaseState {
  databaseBytes: number;
  /** Crash records that wait for analysis, and the longest time in seconds that one of them has waited. */
  waiting: number;
  waitingSeconds: number;
  failed: number;
  /** Records whose payloads wait for a parser, and records that a parser failed on. */
  parsing: number;
  parsingFailed: number;
  /** Age of the oldest uncounted record. */
  uncountedSeconds: number;
  quarantined: number;
  quarantinedBytes: number;
  /** Entries of the quarantine that were first refused within the last hour. */
  quarantinedLately: number;
}

/** The state that the database knows. */
export async function databaseState(sql: Queryable): Promise<DatabaseState> {
  const [row] = await sql<DatabaseState[]>`
    with crashes as (
      select queued_at from work_queue where kind = 'crash' and ${hasAttemptsLeft(sql)} order by record_id limit ${QUEUED_COUNTED_AT_MOST}
    ), payloads as (
      select from work_queue where kind > 'crash' and ${hasAttemptsLeft(sql)} order by kind, record_id limit ${QUEUED_COUNTED_AT_MOST}
    ), "crashesSetAside" as (
      select from work_queue where kind = 'crash' and ${hasNoAttemptsLeft(sql)} limit ${QUEUED_COUNTED_AT_MOST}
    ), "payloadsSetAside" as (
      select from work_queue where kind > 'crash' and ${hasNoAttemptsLeft(sql)} limit ${QUEUED_COUNTED_AT_MOST}
    )
    select pg_database_size(current_database()) as "databaseBytes",
           (select count(*) from crashes) as waiting,
           (select coalesce(extract(epoch from now() - min(queued_at)), 0)::float from crashes) as "waitingSeconds",
           (select count(*) from "crashesSetAside") as failed,
           (select count(*) from payloads) as parsing,
           (select count(*) from "payloadsSetAside") as "parsingFailed",
           (select coalesce(extract(epoch from now() - min(received_at)), 0)::float from uncounted) as "uncountedSeconds",
           (select count(*) from quarantine where evicted_at is null) as quarantined,
           (select coalesce(sum(bytes), 0)::bigint from quarantine where evicted_at is null) as "quarantinedBytes",
           (select count(*) from quarantine where evicted_at is null and first_at > now() - interval '1 hour') as "quarantinedLately"`;
  return row!;
}
