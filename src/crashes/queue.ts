import type { Fragment, Queryable } from '../db/connect.ts';
import { storable } from '../db/storable.ts';
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

export const MAX_ATTEMPTS = 3;
/** A claim that was not brought to an end by then is free again: whoever held it has died. */
const CLAIM_SECONDS = 30;

/**
 * Claims records for analysis and counts the attempt at once, so that a record that kills the process is set aside as well.
 * What failed before is claimed alone, where it is to be tried `again`: nothing else shares its fate. Claims of records that are gone
 * are dropped.
 */
export async function claimRecords(
  sql: Queryable,
  limit: number,
  { again }: { again: boolean },
): Promise<ClaimedRecord[]> {
  let claimed = await claim(sql, sql`attempts = 0`, limit);
  if (claimed.length === 0 && again) claimed = await claim(sql, sql`attempts between 1 and ${MAX_ATTEMPTS - 1}`, 1);
  if (claimed.length === 0) return [];
  const ids = claimed.map(row => row.recordId);
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
    const gone = missing();
    await sql`delete from work_queue where kind = 'crash' and record_id = any(${gone}::bigint[])`;
    if (records.length === 0) return claimRecords(sql, limit, { again });
  }
  return records;
}

function claim(sql: Queryable, which: Fragment, limit: number) {
  return sql<{ recordId: number; receivedAt: Date }[]>`
    update work_queue
       set attempts = attempts + 1, claimed_until = now() + make_interval(secs => ${CLAIM_SECONDS})
     where kind = 'crash' and record_id = any(array(
             select record_id from work_queue
              where kind = 'crash' and ${which} and (claimed_until is null or claimed_until < now())
              order by record_id limit ${limit} for update skip locked))
    returning record_id as "recordId", received_at as "receivedAt"`;
}

/** Gives up a claim after a failure; the record is tried again, or set aside once its attempts are used up. */
export async function reportFailure(sql: Queryable, recordId: number, error: string) {
  await sql`
    update work_queue set claimed_until = null, error = ${storable(error.slice(0, 1000))}
     where kind = 'crash' and record_id = ${recordId}`;
}

/** Gives claims back untried, the attempts included: the database, not the records, was the reason. */
export async function releaseClaims(sql: Queryable, recordIds: number[]) {
  await sql`
    update work_queue set claimed_until = null, attempts = greatest(attempts - 1, 0)
     where kind = 'crash' and record_id = any(${recordIds}::bigint[])`;
}

interface QueueState {
  waiting: number;
  failed: number;
}

const COUNTED_AT_MOST = 10_000;

/** How many crash records wait (counted up to 10,000), and how many were set aside. */
export async function queueState(sql: Queryable): Promise<QueueState> {
  const [row] = await sql<QueueState[]>`
    select (select count(*) from (select from work_queue where kind = 'crash' and attempts < ${MAX_ATTEMPTS} limit ${COUNTED_AT_MOST}) w) as waiting,
           (select count(*) from (select from work_queue where ${isFailed(sql)} limit ${COUNTED_AT_MOST}) f) as failed`;
  return row!;
}

export interface FailedAnalysis {
  recordId: number;
  machineId: string;
  receivedAt: Date;
  attempts: number;
  error: string;
}

/** As the index has it: a parameter would keep the planner from using that. */
function isFailed(sql: Queryable) {
  return sql`kind = 'crash' and attempts >= ${sql.unsafe(String(MAX_ATTEMPTS))} and (claimed_until is null or claimed_until < now())`;
}

/** Records that were set aside after their last attempt, newest first. */
export function listFailed(sql: Queryable, limit: number, offset: number) {
  return sql<FailedAnalysis[]>`
    select record_id as "recordId", machine_id as "machineId", received_at as "receivedAt", attempts,
           coalesce(error, 'the analysis ended without a word; most likely the process was killed') as error
      from work_queue where ${isFailed(sql)}
     order by record_id desc limit ${limit} offset ${offset}`;
}

export async function countFailed(sql: Queryable): Promise<number> {
  const [row] = await sql<{ failed: number }[]>`
    select count(*) as failed from (select from work_queue where ${isFailed(sql)} limit ${COUNTED_AT_MOST}) counted`;
  return row!.failed;
}

/** What the queue says of one record: undefined if it isn't in it. */
export async function queuedRecord(sql: Queryable, recordId: number) {
  const [row] = await sql<{ failed: boolean; error: string | null }[]>`
    select ${isFailed(sql)} as failed, error from work_queue where kind = 'crash' and record_id = ${recordId}`;
  return row;
}

/** Lets records that were set aside be tried again: one, or all. Returns how many. */
export async function retryFailed(sql: Queryable, recordId?: number): Promise<number> {
  const rows = await sql`
    update work_queue set attempts = 0, claimed_until = null, queued_at = now()
     where ${isFailed(sql)} and ${recordId === undefined ? sql`true` : sql`record_id = ${recordId}`}`;
  return rows.count;
}
