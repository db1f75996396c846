import type { Fragment, Queryable } from '../db/connect.ts';
import { storable } from '../db/storable.ts';
import { type BoundedRow, recordColumns, smallPayload } from '../records/queries.ts';
import { BUILT_IN_LANE, type Lane } from './parser.ts';

export const MAX_ATTEMPTS = 3;
/** A claim that was not brought to an end by then is free again. Longer than a batch of a parser's slowest records takes. */
const CLAIM_SECONDS = 300;
/** What is said of a record that was set aside where nobody lived to say why. */
export const WITHOUT_A_WORD = 'its process ended without a word';

interface QueuedKey {
  id: number;
  machineId: string;
  receivedAt: Date;
}

/**
 * Takes records off the queue of the built-in parsers, in the transaction that stores what these make of them. Large payloads are
 * left to `readPayload`.
 */
export async function takeRecords(tx: Queryable, limit: number) {
  const taken = await tx<QueuedKey[]>`
    delete from work_queue
     where kind = ${BUILT_IN_LANE} and record_id = any(array(
             select record_id from work_queue
              where kind = ${BUILT_IN_LANE} and attempts < ${MAX_ATTEMPTS}
              order by record_id limit ${limit} for update skip locked))
    returning record_id as id, machine_id as "machineId", received_at as "receivedAt"`;
  const rows = await tx<(QueuedKey & Pick<BoundedRow, 'classification' | 'payload'>)[]>`
    select r.id, r.machine_id as "machineId", r.received_at as "receivedAt", r.classification, ${smallPayload(tx)}
      from ${keysOf(tx, taken)}
      join records r on r.machine_id = queued.machine_id and r.received_at = queued.received_at::timestamptz and r.id = queued.id`;
  return { taken: taken.length, records: [...rows] };
}

/**
 * Claims records for a parser of an admin and counts the attempt at once. What failed before is claimed alone: nothing else
 * shares its fate. Claims of records that are gone are dropped. Large payloads are left to `withPayload`.
 */
export async function claimRecords(sql: Queryable, lane: Lane, limit: number): Promise<BoundedRow[]> {
  const fresh = await claim(sql, lane, sql`attempts = 0`, limit);
  const claimed = fresh.length > 0 ? fresh : await claim(sql, lane, sql`attempts between 1 and ${MAX_ATTEMPTS - 1}`, 1);
  if (claimed.length === 0) return [];
  const records = await sql<BoundedRow[]>`
    select ${recordColumns(sql, smallPayload(sql))}
      from ${keysOf(sql, claimed)}
      join records r on r.machine_id = queued.machine_id and r.received_at = queued.received_at::timestamptz and r.id = queued.id
      join fleets f on f.id = r.fleet_id
     order by r.id`;
  if (records.length < claimed.length) {
    const found = new Set(records.map(record => record.id));
    await finishRecords(
      sql,
      lane,
      claimed.map(({ id }) => id).filter(id => !found.has(id)),
    );
    if (records.length === 0) return claimRecords(sql, lane, limit);
  }
  return records;
}

function claim(sql: Queryable, lane: Lane, which: Fragment, limit: number) {
  return sql<QueuedKey[]>`
    update work_queue
       set attempts = attempts + 1, claimed_until = now() + make_interval(secs => ${CLAIM_SECONDS})
     where kind = ${lane} and record_id = any(array(
             select record_id from work_queue
              where kind = ${lane} and ${which} and (claimed_until is null or claimed_until < now())
              order by record_id limit ${limit} for update skip locked))
    returning record_id as id, machine_id as "machineId", received_at as "receivedAt"`;
}

function keysOf(sql: Queryable, keys: QueuedKey[]) {
  return sql`
    unnest(
      ${keys.map(key => key.id)}::bigint[],
      ${keys.map(key => key.machineId)}::text[],
      ${keys.map(key => key.receivedAt.toISOString())}::text[]
    ) as queued (id, machine_id, received_at)`;
}

/** Takes records off a queue; returns those that were still in it. */
export async function finishRecords(tx: Queryable, lane: Lane, ids: number[]): Promise<Set<number>> {
  const rows = await tx<{ id: number }[]>`
    delete from work_queue where kind = ${lane} and record_id = any(${ids}::bigint[]) returning record_id as id`;
  return new Set(rows.map(row => row.id));
}

/** Gives up a claim after a failure; the record is tried again, or set aside once its attempts are used up. */
export async function reportFailure(sql: Queryable, lane: Lane, id: number, error: string) {
  await sql`
    update work_queue set claimed_until = null, error = ${storable(error.slice(0, 1000))}
     where kind = ${lane} and record_id = ${id}`;
}

/** Gives claims back untried, the attempts included. */
export async function releaseClaims(sql: Queryable, lane: Lane, ids: number[]) {
  await sql`
    update work_queue set claimed_until = null, attempts = greatest(attempts - 1, 0)
     where kind = ${lane} and record_id = any(${ids}::bigint[])`;
}

/** Sets records aside that a built-in parser fails on. */
export async function setAside(tx: Queryable, records: (QueuedKey & { error: string })[]) {
  if (records.length === 0) return;
  await tx`
    insert into work_queue (kind, record_id, machine_id, received_at, attempts, error)
    select ${BUILT_IN_LANE}, queued.id, queued.machine_id, queued.received_at::timestamptz, ${MAX_ATTEMPTS}, error
      from ${keysOf(tx, records)}
      join unnest(${records.map(({ id }) => id)}::bigint[], ${records.map(({ error }) => storable(error.slice(0, 1000)))}::text[])
           as failed (id, error) on failed.id = queued.id`;
}

/** Sets the first record aside that waits for the built-in parsers: what they make of it can't be stored. */
export async function setFirstAside(sql: Queryable, error: string) {
  await sql`
    update work_queue set attempts = ${MAX_ATTEMPTS}, error = ${storable(error.slice(0, 1000))}
     where kind = ${BUILT_IN_LANE}
       and record_id = (select record_id from work_queue where kind = ${BUILT_IN_LANE} and attempts < ${MAX_ATTEMPTS}
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

/** What the queues say of one record: undefined if no parser is to read it. */
export async function queuedForParsing(sql: Queryable, id: number) {
  const [row] = await sql<{ lane: Lane; failed: boolean; error: string | null }[]>`
    select kind as lane, error,
           attempts >= ${MAX_ATTEMPTS} and (claimed_until is null or claimed_until < now()) as failed
      from work_queue where kind like 'parse%' and record_id = ${id} limit 1`;
  return row;
}
