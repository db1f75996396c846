import type { Queryable } from '../db/connect.ts';
import { hasAttemptsLeft, hasNoAttemptsLeft } from '../db/work-queue.ts';

/** Counts of queued records end here, so that a look costs no more however many wait. */
export const QUEUED_COUNTED_AT_MOST = 100_000;

export interface DatabaseState {
  databaseBytes: number;
  /** Crash records that wait for analysis, and the seconds that the one longest queued of them has waited. */
  waiting: number;
  waitingSeconds: number;
  failed: number;
  /** Records whose payloads wait for a parser, and those that one has failed on. */
  parsing: number;
  parsingFailed: number;
  /** How long the oldest stored record has waited to be counted. */
  uncountedSeconds: number;
  quarantined: number;
  quarantinedBytes: number;
  /** Of those in quarantine, what was refused first within the last hour. */
  quarantinedLately: number;
}

/** What the database tells of how the server is doing. */
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
