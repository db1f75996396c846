import type { Queryable } from '../db/connect.ts';
import {
  claimWork,
  finishWork,
  hasAttemptsLeft,
  MAX_ATTEMPTS,
  type QueuedKey,
  storableError,
} from '../db/work-queue.ts';
import { type BoundedRow, recordColumns, smallPayload } from '../records/queries.ts';
import { BUILT_IN_LANE, type Lane } from './parser.ts';

/** Longer than a batch of a parser's slowest records takes. */
const CLAIM_SECONDS = 300;
/** What is said of a record that was set aside where nobody lived to say why. */
export const WITHOUT_A_WORD = 'its process ended without a word';

/**
 * Takes records off the queue of the built-in parsers, in the transaction that stores what these make of them. Large payloads are
 * left to `readPayload`.
 */
export async function takeRecords(tx: Queryable, limit: number) {
  const taken = await tx<QueuedKey[]>`
    delete from work_queue
     where kind = ${BUILT_IN_LANE} and record_id = any(array(
             select record_id from work_queue
              where kind = ${BUILT_IN_LANE} and ${hasAttemptsLeft(tx)}
              order by record_id limit ${limit} for update skip locked))
    returning record_id as id, machine_id as "machineId", received_at as "receivedAt"`;
  const rows = await tx<(QueuedKey & Pick<BoundedRow, 'classification' | 'payload'>)[]>`
    select r.id, r.machine_id as "machineId", r.received_at as "receivedAt", r.classification, ${smallPayload(tx)}
      from ${keysOf(tx, taken)}
      join records r on r.machine_id = queued.machine_id and r.received_at = queued.received_at::timestamptz and r.id = queued.id`;
  return { taken: taken.length, records: [...rows] };
}

/** Claims records for a parser of an admin; drops claims of records that are gone. Leaves large payloads to `withPayload`. */
export async function claimForParser(sql: Queryable, lane: Lane, limit: number): Promise<BoundedRow[]> {
  const claimed = await claimWork(sql, lane, { limit, seconds: CLAIM_SECONDS, again: true });
  if (claimed.length === 0) return [];
  const records = await sql<BoundedRow[]>`
    select ${recordColumns(sql, smallPayload(sql))}
      from ${keysOf(sql, claimed)}
      join records r on r.machine_id = queued.machine_id and r.received_at = queued.received_at::timestamptz and r.id = queued.id
      join fleets f on f.id = r.fleet_id
     order by r.id`;
  if (records.length < claimed.length) {
    const found = new Set(records.map(record => record.id));
    await finishWork(
      sql,
      lane,
      claimed.map(({ id }) => id).filter(id => !found.has(id)),
    );
    if (records.length === 0) return claimForParser(sql, lane, limit);
  }
  return records;
}

function keysOf(sql: Queryable, keys: QueuedKey[]) {
  return sql`
    unnest(
      ${keys.map(key => key.id)}::bigint[],
      ${keys.map(key => key.machineId)}::text[],
      ${keys.map(key => key.receivedAt.toISOString())}::text[]
    ) as queued (id, machine_id, received_at)`;
}

/** Sets records aside that a built-in parser fails on. */
export async function setAside(tx: Queryable, records: (QueuedKey & { error: string })[]) {
  if (records.length === 0) return;
  await tx`
    insert into work_queue (kind, record_id, machine_id, received_at, attempts, error)
    select ${BUILT_IN_LANE}, queued.id, queued.machine_id, queued.received_at::timestamptz, ${MAX_ATTEMPTS}, error
      from ${keysOf(tx, records)}
      join unnest(${records.map(({ id }) => id)}::bigint[], ${records.map(({ error }) => storableError(error))}::text[])
           as failed (id, error) on failed.id = queued.id`;
}

/** Sets the first record aside that waits for the built-in parsers: what they make of it can't be stored. */
export async function setFirstAside(sql: Queryable, error: string) {
  await sql`
    update work_queue set attempts = ${MAX_ATTEMPTS}, error = ${storableError(error)}
     where kind = ${BUILT_IN_LANE}
       and record_id = (select record_id from work_queue where kind = ${BUILT_IN_LANE} and ${hasAttemptsLeft(sql)}
                         order by record_id limit 1)`;
}

/** What waits for parsers of admins other than these is left to the built-in ones. */
export async function adoptOrphans(sql: Queryable, lanes: Lane[]) {
  const [row] = await sql<{ orphaned: string[] }[]>`
    with recursive used (kind) as (
      (select kind from work_queue order by kind limit 1)
      union all
      select (select next.kind from work_queue next where next.kind > used.kind order by next.kind limit 1)
        from used where used.kind is not null
    )
    select coalesce(array_agg(kind), '{}') as orphaned from used where kind like 'parse:%' and kind <> all(${lanes}::text[])`;
  if (row!.orphaned.length === 0) return;
  await sql`
    update work_queue set kind = ${BUILT_IN_LANE}, attempts = 0, claimed_until = null, error = null
     where kind = any(${row!.orphaned}::text[])`;
}
