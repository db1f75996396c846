import type { Queryable } from '../db/connect.ts';
import type { TokenScope } from '../roles.ts';
import { hashOfKey, newKey } from './keys.ts';

/** Makes a token recognisable to whoever finds one, and to scanners for secrets. */
const PREFIX = 'tmd_';

export interface Token {
  id: number;
  name: string;
  scopes: TokenScope[];
  createdBy: string;
  createdAt: Date;
  expiresAt: Date | null;
  expired: boolean;
  /** To the minute. */
  usedAt: Date | null;
}

function tokenColumns(sql: Queryable) {
  return sql`
    id, name, scopes, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
    coalesce(expires_at < now(), false) as expired, used_at as "usedAt"`;
}

export function listTokens(sql: Queryable) {
  return sql<Token[]>`select ${tokenColumns(sql)} from tokens order by lower(name)`;
}

/** Returns the token itself, which is told this once; undefined where the name is taken. */
export async function addToken(
  sql: Queryable,
  {
    name,
    scopes,
    days,
    createdBy,
  }: { name: string; scopes: TokenScope[]; days: number | undefined; createdBy: string },
): Promise<string | undefined> {
  const token = `${PREFIX}${newKey()}`;
  const added = await sql`
    insert into tokens (name, key, scopes, created_by, expires_at)
    values (${name}, ${hashOfKey(token)}, ${scopes}::text[], ${createdBy}, now() + make_interval(days => ${days ?? null}::int))
    on conflict (name) do nothing`;
  return added.count > 0 ? token : undefined;
}

/** The token that was removed. */
export async function removeToken(sql: Queryable, by: { id: number } | { name: string }) {
  const [token] = await sql<Token[]>`
    delete from tokens where ${'id' in by ? sql`id = ${by.id}` : sql`name = ${by.name}`} returning ${tokenColumns(sql)}`;
  return token;
}

/** What a token allows, unless it is none or has expired. */
export async function useToken(sql: Queryable, token: string) {
  if (!token.startsWith(PREFIX)) return undefined;
  const key = hashOfKey(token);
  const [found] = await sql<{ name: string; scopes: TokenScope[]; stale: boolean }[]>`
    select name, scopes, used_at is null or used_at < now() - interval '1 minute' as stale
      from tokens where key = ${key} and (expires_at is null or expires_at > now())`;
  if (found?.stale) await sql`update tokens set used_at = now() where key = ${key}`;
  return found;
}
