import type { Fragment, Queryable } from './connect.ts';
import { storable } from './storable.ts';

/** What waits to be done with a record: its crash analysis, or reading its payload by a built-in parser or by one of an admin. */
export type WorkKind = 'crash' | 'parse' | `parse:${string}`;

export interface QueuedKey {
  id: number;
  machineId: string;
  receivedAt: Date;
}

/** After so many failures a record is set aside, until someone asks for another try. */
export const MAX_ATTEMPTS = 3;

/** Pages count records in the queue so far. */
export const COUNTED_AT_MOST = 10_000;

const LONGEST_ERROR = 1000;

// MAX_ATTEMPTS stands in the text: with a parameter the planner does not use the index of the records that failed.
export const hasAttemptsLeft = (sql: Queryable) => sql`attempts < ${sql.unsafe(String(MAX_ATTEMPTS))}`;
export const hasNoAttemptsLeft = (sql: Queryable) => sql`attempts >= ${sql.unsafe(String(MAX_ATTEMPTS))}`;

/** No attempts are left and the last one has ended. */
export const isSetAside = (sql: Queryable) =>
  sql`${hasNoAttemptsLeft(sql)} and (claimed_until is null or claimed_until < now())`;

interface Claims {
  limit: number;
  /** A claim that was not brought to an end by then is free again: whoever held it has died. */
  seconds: number;
  /** Also what failed before, where nothing else waits. */
  again: boolean;
}

/**
 * Claims work and counts the attempt at once, so that a record that kills the process is set aside as well. What failed before is
 * claimed alone: nothing else shares its fate.
 */
export async function claimWork(sql: Queryable, kind: WorkKind, { limit, seconds, again }: Claims) {
  const fresh = await claim(sql, kind, sql`attempts = 0`, limit, seconds);
  if (fresh.length > 0 || !again) return fresh;
  return claim(sql, kind, sql`attempts > 0 and ${hasAttemptsLeft(sql)}`, 1, seconds);
}

function claim(sql: Queryable, kind: WorkKind, which: Fragment, limit: number, seconds: number) {
  return sql<QueuedKey[]>`
    update work_queue
       set attempts = attempts + 1, claimed_until = now() + make_interval(secs => ${seconds})
     where kind = ${kind} and record_id = any(array(
             select record_id from work_queue
              where kind = ${kind} and ${which} and (claimed_until is null or claimed_until < now())
              order by record_id limit ${limit} for update skip locked))
    returning record_id as id, machine_id as "machineId", received_at as "receivedAt"`;
}

/** Takes records off the queue; returns those that were still in it. */
export async function finishWork(tx: Queryable, kind: WorkKind, ids: number[]): Promise<Set<number>> {
  const rows = await tx<{ id: number }[]>`
    delete from work_queue where kind = ${kind} and record_id = any(${ids}::bigint[]) returning record_id as id`;
  return new Set(rows.map(row => row.id));
}

/** Gives up a claim after a failure; the record is tried again, or set aside once its attempts are used up. */
export async function failWork(sql: Queryable, kind: WorkKind, id: number, error: string) {
  await sql`
    update work_queue set claimed_until = null, error = ${storableError(error)}
     where kind = ${kind} and record_id = ${id}`;
}

/** Gives claims back untried, the attempts included: the database, not the records, was the reason. */
export async function releaseWork(sql: Queryable, kind: WorkKind, ids: number[]) {
  await sql`
    update work_queue set claimed_until = null, attempts = greatest(attempts - 1, 0)
     where kind = ${kind} and record_id = any(${ids}::bigint[])`;
}

/** Lets records that were set aside be tried again. Returns how many. */
export async function retryWork(sql: Queryable, which: Fragment): Promise<number> {
  const rows = await sql`
    update work_queue set attempts = 0, claimed_until = null, queued_at = now()
     where ${which} and ${isSetAside(sql)}`;
  return rows.count;
}

/** What the queue says of one record; undefined if it isn't in it. */
export async function findWork(sql: Queryable, kinds: Fragment, id: number) {
  const [row] = await sql<{ kind: WorkKind; failed: boolean; error: string | null }[]>`
    select kind, ${isSetAside(sql)} as failed, error from work_queue where ${kinds} and record_id = ${id} limit 1`;
  return row;
}

export function storableError(error: string): string {
  return storable(error.slice(0, LONGEST_ERROR));
}
