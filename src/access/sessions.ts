import type { Queryable } from '../db/connect.ts';
import type { Role } from '../roles.ts';
import { hashOfKey, newKey } from './keys.ts';

export interface SessionLimits {
  /** A session ends after this many hours without a request. */
  idleHours: number;
  /** A session ends after this many days in any case. */
  days: number;
}

const AGENT_LENGTH = 200;

/**
 * Signs a user in; returns the key for the cookie. Always a new key, since someone else may have planted the browser's
 * old one.
 */
export async function startSession(
  sql: Queryable,
  userId: number,
  { address, agent }: { address: string | null; agent: string | undefined },
): Promise<string> {
  const key = newKey();
  await sql`
    with known as (update users set signed_in_at = now() where id = ${userId})
    insert into sessions (key, user_id, address, agent)
    values (${hashOfKey(key)}, ${userId}, ${address}, ${agent?.slice(0, AGENT_LENGTH) ?? null})`;
  return key;
}

/** The user of a session; undefined if it has ended. Stores the time of the last request to the minute. */
export async function useSession(sql: Queryable, key: string, limits: SessionLimits) {
  const hash = hashOfKey(key);
  const [session] = await sql<{ id: number; userId: number; name: string; role: Role; stale: boolean }[]>`
    select s.id, s.user_id as "userId", u.name, u.role, s.seen_at < now() - interval '1 minute' as stale
      from sessions s join users u on u.id = s.user_id
     where s.key = ${hash} and ${isAlive(sql, limits)}`;
  if (session?.stale) await sql`update sessions set seen_at = now() where key = ${hash}`;
  return session;
}

function isAlive(sql: Queryable, { idleHours, days }: SessionLimits) {
  return sql`
    s.seen_at > now() - make_interval(hours => ${idleHours}) and s.created_at > now() - make_interval(days => ${days})`;
}

export interface Session {
  id: number;
  createdAt: Date;
  seenAt: Date;
  address: string | null;
  agent: string | null;
}

/** A user's sessions that have not ended; the one used last comes first. */
export function listSessions(sql: Queryable, userId: number, limits: SessionLimits) {
  return sql<Session[]>`
    select s.id, s.created_at as "createdAt", s.seen_at as "seenAt", s.address, s.agent
      from sessions s where s.user_id = ${userId} and ${isAlive(sql, limits)} order by s.seen_at desc`;
}

/** Ends one session of a user. */
export async function endSession(sql: Queryable, userId: number, id: number): Promise<boolean> {
  return (await sql`delete from sessions where user_id = ${userId} and id = ${id}`).count > 0;
}

export async function endOtherSessions(sql: Queryable, userId: number, keptId: number | undefined): Promise<number> {
  return (await sql`delete from sessions where user_id = ${userId} and id is distinct from ${keptId ?? null}`).count;
}

/** For the schedule: forgets ended sessions and expired links. */
export async function forgetEnded(sql: Queryable, limits: SessionLimits) {
  await sql`delete from sessions s where not (${isAlive(sql, limits)})`;
  await sql`delete from sign_in_links where expires_at < now()`;
}

/** For the schedule: forgets unfinished and failed sign-ins. */
export async function forgetAttempts(sql: Queryable) {
  await sql`delete from oidc_sign_ins where expires_at < now()`;
  await sql`delete from sign_in_failures where at < now() - interval '1 hour'`;
}
