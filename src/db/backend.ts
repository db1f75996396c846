import { readFileSync } from 'node:fs';
import type postgres from 'postgres';

const AGAIN_MS = 5_000;
const ATTEMPTS = 120;

/**
 * Ends the server's process behind a connection that was given up, because its transaction may hold locks that others
 * wait for. Connects with `connect`, and tries again for ten minutes if it can't. `name` is the application_name of the
 * connection given up: behind a pooler its pid may belong to nobody, or to someone else.
 */
export async function endBackend(connect: () => postgres.Sql<{ bigint: number }>, pid: number, name: string) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const sql = connect();
    try {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where pid = ${pid} and application_name = ${name}`;
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS).unref());
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

/**
 * Ends such a process in our own PostgreSQL by a signal, since it may not take connections any more. Continues a
 * stopped process first: it would take no other signal.
 */
export function signalBackend(socketDir: string, pid: number) {
  try {
    const [postmaster] = readFileSync(`${socketDir}/.s.PGSQL.5432.lock`, 'utf8').split('\n');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (parent !== postmaster) return;
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGCONT');
  } catch {
    // The process is gone, or we may not signal it.
  }
}
