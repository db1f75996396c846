import { userInfo } from 'node:os';
import type { Context } from 'hono';
import type { Queryable } from '../db/connect.ts';

type Details = Record<string, unknown>;

/** A change, or an attempt to get in. Never holds a secret. */
interface AuditEntry {
  /** In the past tense: `commented`, `added a user`. */
  action: string;
  /** What it was done to: `guilty 12`, `user ann`. */
  subject?: string | undefined;
  before?: Details | undefined;
  after?: Details | undefined;
}

/** By whom and from where. */
export interface Actor {
  who: string;
  via: string;
  address: string | null;
}

/** Who sent a request. */
export function actorOf(c: Context): Actor {
  const visitor = c.get('visitor');
  return { who: visitor?.name ?? 'nobody', via: visitor?.via ?? 'nothing', address: addressOf(c) };
}

declare module 'hono' {
  interface ContextVariableMap {
    /** See originOf. */
    address: string | null;
  }
}

/** Where a request came from; null where only a unix socket is known. */
export function addressOf(c: Context): string | null {
  const address = c.get('address');
  return address === undefined ? peerAddressOf(c) : address;
}

/** The other end of the connection, a proxy perhaps; null on a unix socket. */
export function peerAddressOf(c: Context): string | null {
  return (c.env as { address?: string | null } | undefined)?.address ?? null;
}

/** Whoever runs a command. */
export function shellActor(): Actor {
  const { username, uid } = userInfo();
  return { who: username === 'unknown' ? `uid ${uid}` : username, via: 'shell', address: null };
}

/** Best in the transaction of the change. */
export async function recordAudit(sql: Queryable, { who, via, address }: Actor, entry: AuditEntry) {
  const { action, subject, before, after } = entry;
  await sql`
    insert into audit (who, via, address, action, subject, before, after)
    values (${who}, ${via}, ${address}, ${action}, ${subject ?? null},
            ${before ? JSON.stringify(before) : null}::text::jsonb, ${after ? JSON.stringify(after) : null}::text::jsonb)`;
}

/** How many are kept of what anybody can cause, or comes again and again; changes are kept for ever. */
const MOST_KEPT: Record<string, number> = {
  'failed to sign in': 10_000,
  'was not let in': 10_000,
  'signed in': 100_000,
  'signed out': 100_000,
};

/** For the schedule: forgets the oldest sign-ins and attempts past their number. */
export async function boundAudit(sql: Queryable, most = MOST_KEPT) {
  for (const [action, kept] of Object.entries(most)) {
    await sql`
      delete from audit
       where action = ${action}
         and id <= (select id from audit where action = ${action} order by id desc offset ${kept} limit 1)`;
  }
}

export interface AuditRow extends Actor {
  id: number;
  at: Date;
  action: string;
  subject: string | null;
  before: Details | null;
  after: Details | null;
}

interface AuditFilter {
  who?: string | undefined;
  action?: string | undefined;
  beforeId?: number | undefined;
}

/** The newest first. */
export function listAudit(sql: Queryable, { who, action, beforeId }: AuditFilter, limit: number) {
  return sql<AuditRow[]>`
    select id, at, who, via, address, action, subject, before, after
      from audit
     where id < ${beforeId ?? Number.MAX_SAFE_INTEGER}
       and (${who ?? null}::text is null or lower(who) = lower(${who ?? null}))
       and (${action ?? null}::text is null or action = ${action ?? null})
     order by id desc limit ${limit}`;
}
