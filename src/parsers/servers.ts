import type { Queryable } from '../db/connect.ts';
import { laneOf } from './parser.ts';
import { adoptOrphans } from './queue.ts';

/** A server that was not heard of for so long is gone; it says what it has enabled each minute. */
const GONE_MINUTES = 10;

/** The parsers of admins that a server has enabled. */
export interface EnabledThere {
  host: string;
  enabled: string[];
}

/**
 * Tells the other servers on this database what is enabled here, and leaves to the built-in parsers what waits for a parser that
 * none of them has. Returns what the others have.
 */
export async function settleWithOthers(sql: Queryable, server: string, { host, enabled }: EnabledThere) {
  await announce(sql, server, { host, enabled });
  const others = await enabledElsewhere(sql, server);
  const known = [...enabled, ...others.flatMap(other => other.enabled)];
  await adoptOrphans(sql, known.map(laneOf));
  return others;
}

async function announce(sql: Queryable, server: string, { host, enabled }: EnabledThere) {
  await sql`
    insert into parser_servers (server, host, enabled, seen_at) values (${server}, ${host}, ${enabled}::text[], now())
        on conflict (server) do update set enabled = excluded.enabled, seen_at = excluded.seen_at`;
  await sql`delete from parser_servers where seen_at < now() - make_interval(mins => ${GONE_MINUTES})`;
}

async function enabledElsewhere(sql: Queryable, server: string) {
  const rows = await sql<EnabledThere[]>`
    select host, enabled from parser_servers where server <> ${server} order by host, seen_at desc`;
  return [...rows];
}
