import type { Queryable } from '../db/connect.ts';
import { laneOf } from './parser.ts';
import { adoptOrphans } from './queue.ts';

/**
 * Each server reports its enabled parsers once a minute. A server that was silent this long, or has stopped, does not
 * run now.
 */
const SILENT_SECONDS = 150;
/** A server's queues are kept this long, since it may start again. */
const GONE_MINUTES = 10;

/** The admins' parsers that a server has enabled. */
export interface EnabledThere {
  host: string;
  enabled: string[];
}

/**
 * Reports this server's parsers to the other servers on this database, and gives records whose parser no server has to
 * the built-in parsers. Returns what the running servers have enabled.
 */
export async function settleWithOthers(sql: Queryable, server: string, { host, enabled }: EnabledThere) {
  await announce(sql, server, { host, enabled });
  const others = await enabledElsewhere(sql, server);
  const known = [...enabled, ...others.flatMap(other => other.enabled)];
  await adoptOrphans(sql, known.map(laneOf));
  return others.filter(({ running }) => running).map(({ host, enabled }) => ({ host, enabled }));
}

/** Reports that this server stops. */
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
