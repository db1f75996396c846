import type { Queryable } from '../db/connect.ts';

export interface DatabaseState {
  databaseBytes: number;
  /** Crash records that wait for analysis, and the seconds that the oldest has waited. */
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
export async function databaseState(sql: Queryable, attempts: number): Promise<DatabaseState> {
  const [row] = await sql<DatabaseState[]>`
    select pg_database_size(current_database()) as "databaseBytes",
           count(*) filter (where kind = 'crash' and attempts < ${attempts}) as waiting,
           coalesce(extract(epoch from now() - min(received_at) filter (where kind = 'crash' and attempts < ${attempts})), 0)::float as "waitingSeconds",
           count(*) filter (where kind = 'crash' and attempts >= ${attempts}) as failed,
           count(*) filter (where kind <> 'crash' and attempts < ${attempts}) as parsing,
           count(*) filter (where kind <> 'crash' and attempts >= ${attempts}) as "parsingFailed",
           (select coalesce(extract(epoch from now() - min(received_at)), 0)::float from uncounted) as "uncountedSeconds",
           (select count(*) from quarantine where evicted_at is null) as quarantined,
           (select coalesce(sum(bytes), 0)::bigint from quarantine where evicted_at is null) as "quarantinedBytes",
           (select count(*) from quarantine where evicted_at is null and first_at > now() - interval '1 hour') as "quarantinedLately"
      from work_queue`;
  return row!;
}
