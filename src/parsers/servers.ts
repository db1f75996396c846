import type { Queryable } from '../db/connect.ts';
import { laneOf } from './parser.ts';
import { adoptOrphans } from './queue.ts';

/** Each server says what it has enabled once a minute. One that was silent for so long, or has stopped, doesn't run now. */
const SILENT_SECONDS = 150;
/** What waits for its parsers is left to it for so long: it may start again. */
const GONE_MINUTES = 10;

/** The parsers of admins that a server has enabled. */
export interface EnabledThere {
  host: string;
  enabled: string[];
}

/**
 * Tells the other servers on this database what is enabled here, and leaves to the built-in parsers what waits for a parser that
 * none of them has. Returns what those have that run now.
 */
export async function settleWithOthers(sql: Queryable, server: string, { host, enabled }: EnabledThere) {
  await announce(sql, server, { host, enabled });
  const others = await enabledElsewhere(sql, server);
  const known = [...enabled, ...others.flatMap(other => other.enabled)];
  await adoptOrphans(sql, known.map(laneOf));
  return others.filter(({ running }) => running).map(({ host, enabled }) => ({ host, enabled }));
}

/** Tells the others that this one stops. */
export async function leaveOthers(sql: Queryable, server: string) {
  await sql`update parser_servers set stopped = true where server = ${server}`;
}

async function announce(sql: Queryable, server: string, { host, enabled }: EnabledThere) {
  await sql`
    insert into parser_servers (server, host, enabled, seen_at) values (${server}, ${host}, ${enabled}::text[], now())
        on conflict (server) do update set enabled = excluded.enabled, seen_at = excluded.seen_at`;
  await sql`delete from parser_servers where seen_at < now() - make_interval(mins => ${GONE_MINUTES})`;
}

function enabledElsewhere(sql: Queryable, server: string) {
  return sql<(EnabledThere & { running: boolean })[]>`
    select host, enabled, not stopped and seen_at > now() - make_interval(secs => ${SILENT_SECONDS}) as running
      from parser_servers where server <> ${server} order by host, server`;
}
