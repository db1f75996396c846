import type { Queryable } from '../db/connect.ts';
import { COUNTED_AT_MOST, claimWork, finishWork, hasAttemptsLeft, isSetAside } from '../db/work-queue.ts';
import { smallPayload } from '../records/queries.ts';

/** A crash record that someone has claimed, with what the analysis needs. */
export interface ClaimedRecord {
  recordId: number;
  machineId: string;
  receivedAt: Date;
  fleetId: number;
  external: boolean;
  systemName: string;
  build: string;
  hostType: string;
  /** Null where it is large: see `readPayload`. */
  payload: string | null;
  payloadRaw: Uint8Array | null;
}

const CLAIM_SECONDS = 30;

/**
 * Claims records for analysis: also one that failed before, where nothing else waits and it may be tried `again`. Drops claims of
 * records that are gone.
 */
export async function claimCrashes(
  sql: Queryable,
  limit: number,
  { again }: { again: boolean },
): Promise<ClaimedRecord[]> {
  const claimed = await claimWork(sql, 'crash', { limit, seconds: CLAIM_SECONDS, again });
  if (claimed.length === 0) return [];
  const ids = claimed.map(row => row.id);
  // The days alone, not each record's time: its partition would be looked for anew for each. And one record after the other: while a
  // day's partition has no statistics, the planner would rather read all of its primary key for what came in between.
  const arrivals = claimed.map(row => row.receivedAt).sort((a, b) => a.getTime() - b.getTime());
  const read = (some: number[]) => sql<ClaimedRecord[]>`
    select r.*
      from unnest(${some}::bigint[]) as claimed (id)
     cross join lateral (
             select r.id as "recordId", r.machine_id as "machineId", r.received_at as "receivedAt", r.fleet_id as "fleetId", r.external,
                    r.system_name as "systemName", r.build, r.host_type as "hostType", ${smallPayload(sql)}
               from records r
              where r.id = claimed.id and r.received_at between ${arrivals[0]!} and ${arrivals.at(-1)!}
             offset 0) r`;
  const records = [...(await read(ids))];
  const missing = () => {
    const found = new Set(records.map(record => record.recordId));
    return ids.filter(id => !found.has(id));
  };
  // Those that were moved into a new partition meanwhile are seen by a second look.
  if (records.length < ids.length) records.push(...(await read(missing())));
  if (records.length < ids.length) {
    await finishWork(sql, 'crash', missing());
    if (records.length === 0) return claimCrashes(sql, limit, { again });
  }
  return records;
}

interface QueueState {
  waiting: number;
  failed: number;
}

/** How many crash records wait (counted up to 10,000), and how many were set aside. */
export async function queueState(sql: Queryable): Promise<QueueState> {
  const [row] = await sql<QueueState[]>`
    select (select count(*) from (select from work_queue where kind = 'crash' and ${hasAttemptsLeft(sql)} limit ${COUNTED_AT_MOST}) w) as waiting,
           (select count(*) from (select from work_queue where kind = 'crash' and ${isSetAside(sql)} limit ${COUNTED_AT_MOST}) f) as failed`;
  return row!;
}

export interface FailedAnalysis {
  recordId: number;
  machineId: string;
  receivedAt: Date;
  attempts: number;
  error: string;
}

/** Records that were set aside after their last attempt, newest first. */
export function listFailed(sql: Queryable, limit: number, offset: number) {
  return sql<FailedAnalysis[]>`
    select record_id as "recordId", machine_id as "machineId", received_at as "receivedAt", attempts,
           coalesce(error, 'the analysis ended without a word; most likely the process was killed') as error
      from work_queue where kind = 'crash' and ${isSetAside(sql)}
     order by record_id desc limit ${limit} offset ${offset}`;
}

export async function countFailed(sql: Queryable): Promise<number> {
  const [row] = await sql<{ failed: number }[]>`
    select count(*) as failed from (select from work_queue where kind = 'crash' and ${isSetAside(sql)} limit ${COUNTED_AT_MOST}) counted`;
  return row!.failed;
}
