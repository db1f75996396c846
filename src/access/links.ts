import type { Queryable } from '../db/connect.ts';
import { hashOfKey, newKey } from './keys.ts';

export const LINK_HOURS = 24;

/**
 * The path of a page on which a user chooses a password once; for null, the first admin makes an account there. Ends
 * earlier links.
 */
export async function makeLink(sql: Queryable, userId: number | null): Promise<string> {
  const key = newKey();
  await sql`delete from sign_in_links where user_id is not distinct from ${userId}`;
  await sql`
    insert into sign_in_links (key, user_id, expires_at)
    values (${hashOfKey(key)}, ${userId}, now() + make_interval(hours => ${LINK_HOURS}))`;
  return `/telemetryui/links/${key}`;
}

/** The user a link is for; undefined if it never existed, was used, or is too old. */
export async function findLink(sql: Queryable, key: string) {
  const [link] = await sql<{ userId: number | null; name: string | null }[]>`
    select user_id as "userId", u.name
      from sign_in_links l left join users u on u.id = l.user_id
     where l.key = ${hashOfKey(key)} and l.expires_at > now()
       and (l.user_id is not null or not exists (select from users))`;
  return link;
}

/** True for the first to use the link. */
export async function useLink(sql: Queryable, key: string): Promise<boolean> {
  return (await sql`delete from sign_in_links where key = ${hashOfKey(key)}`).count > 0;
}
