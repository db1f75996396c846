import { readFileSync } from 'node:fs';
import type postgres from 'postgres';

const AGAIN_MS = 5_000;
const ATTEMPTS = 120;

/**
 * Ends the server's process behind a connection that was given up: what its transaction has locked would hold up whoever comes
 * next. `connect` opens another connection for that; where it can't be had, it is tried again for ten minutes. `name` is the
 * application_name of the one given up: behind a pooler its pid may be that of nobody, or of someone else.
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
 * The same in our own PostgreSQL, which may be past taking connections. A process that was stopped goes on for that: it takes no
 * other signal.
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
    // It is gone, or not ours to signal.
  }
}
