import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { POSTGRES_VERSION } from '../version.ts';
import { type DatabaseSettings, openDatabase } from './database.ts';
import { assertSameMajor } from './embedded.ts';
import { pendingMigrations } from './migrate.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

/** The result of checking whether this program can take over a database. */
interface Preflight {
  /** One sentence for each thing that was checked and is in order. */
  findings: string[];
  pending: Migration[];
}

const MB = 2 ** 20;
const LEAST_FREE_BYTES = 256 * MB;

/**
 * Checks a database without changing it, also beside a running server of another version. Throws OperatorError if this
 * program could not take it over: another major version of PostgreSQL, a newer schema, too little disk space.
 */
export async function preflight(config: DatabaseSettings, log: Log): Promise<Preflight> {
  if (config.database.url === undefined) {
    const dataDir = join(config.state.dir, 'data');
    if (!existsSync(dataDir)) return { findings: [await assertRoom(config.state.dir, 0)], pending: MIGRATIONS };
    assertSameMajor(dataDir);
  }
  const database = await openDatabase(config, log, { join: true });
  try {
    const client = database.client('preflight');
    const pending = await pendingMigrations(client);
    const [server] = await client<{ version: string; bytes: number }[]>`
      select current_setting('server_version') as version, pg_database_size(current_database()) as bytes`;
    const { version, bytes } = server!;
    if (database.kind === 'external') return { findings: [`PostgreSQL ${version} is external.`], pending };
    const room = await assertRoom(config.state.dir, pending.length > 0 ? bytes : 0);
    return {
      findings: [`PostgreSQL ${version} is built in; this program carries ${POSTGRES_VERSION}.`, room],
      pending,
    };
  } finally {
    await database.close();
  }
}

/** A backup and rewriting migrations may together take as much space as the database does now. */
async function assertRoom(stateDir: string, databaseBytes: number): Promise<string> {
  const { bavail, bsize } = await statfs(nearestExisting(stateDir));
  const free = bavail * bsize;
  const needed = LEAST_FREE_BYTES + databaseBytes;
  if (free >= needed) return `${megabytes(free)} are free for ${stateDir}; ${megabytes(needed)} may be needed.`;
  throw new OperatorError(
    `${megabytes(free)} are free for ${stateDir}, and ${megabytes(needed)} may be needed`,
    'Make room on that file system, or purge records first: telemetricsd purge --help.',
  );
}

export function nearestExisting(directory: string): string {
  return existsSync(directory) ? directory : nearestExisting(dirname(directory));
}

function megabytes(bytes: number) {
  return `${Math.round(bytes / MB).toLocaleString('en')} MB`;
}
