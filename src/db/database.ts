import { statSync } from 'node:fs';
import { DatabaseUnavailable, fileReason, OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ConnectOptions, connect, type DatabaseTarget, type Sql } from './connect.ts';
import { type EmbeddedPostgres, runningSocket, startEmbedded } from './embedded.ts';
import { hasHistory } from './migrate.ts';
import { StateInUse } from './owner.ts';

export interface DatabaseSettings {
  database: { url?: string | undefined; connections: number };
  state: { dir: string };
}

export interface Database {
  kind: 'embedded' | 'external';
  /** For threads, which open connections of their own. */
  target: DatabaseTarget;
  /** The pool that pages and API use. */
  sql: Sql;
  /** For health checks: answers soon, or fails. */
  health: Sql;
  /**
   * Opens another client with its own connections (one by default), closed with the database. A server's clients need a
   * deadline.
   */
  client(name: string, options?: Partial<Omit<ConnectOptions, 'target' | 'name' | 'onGivenUp'>>): Sql;
  /** Throws DatabaseUnavailable while the embedded server is being restarted. */
  assertAvailable(): void;
  close(): Promise<void>;
}

const PAGES_DEADLINE_MS = 15_000;
const HEALTH_DEADLINE_MS = 4_000;
const CLOSE_TIMEOUT_S = 2;
const JOIN_TIMEOUT_MS = 10_000;
const JOIN_PAUSE_MS = 100;

/**
 * Opens the external server of `database.url`, or else starts the embedded one. With `join`, a command uses the
 * embedded server of a running telemetricsd; without it, the command is refused.
 */
export async function openDatabase(config: DatabaseSettings, log: Log, { join = false } = {}): Promise<Database> {
  const { url, connections } = config.database;
  if (url) return openExternal(url, connections, log);
  const opened = await (join ? startOrJoin(config.state.dir, log) : startEmbedded(config.state.dir, log));
  return databaseAt(opened, connections, 'stop' in opened ? { embedded: opened, log } : { log });
}

/** The process that holds the state directory may be about to start or to stop. */
async function startOrJoin(stateDir: string, log: Log): Promise<EmbeddedPostgres | { socketDir: string }> {
  for (const deadline = performance.now() + JOIN_TIMEOUT_MS; ; await Bun.sleep(JOIN_PAUSE_MS)) {
    try {
      return await startEmbedded(stateDir, log);
    } catch (error) {
      if (!(error instanceof StateInUse)) throw error;
      const socketDir = await runningSocket(stateDir);
      if (socketDir) return { socketDir };
      if (performance.now() > deadline) throw error;
    }
  }
}

/** There is no database where the configuration says, and this command does not make one. */
export class NoDatabase extends OperatorError {}

/** Opens the database as it is, also beside a running telemetricsd. Throws NoDatabase if there is none. */
export async function openExisting(config: DatabaseSettings, log: Log): Promise<Database> {
  const { url } = config.database;
  const missing = new NoDatabase(
    `there is no database at ${url === undefined ? config.state.dir : 'database.url'}`,
    'The first "telemetricsd serve" makes it. If it is elsewhere, say where: --config FILE, TELEMETRICSD_STATE_DIR or TELEMETRICSD_DATABASE_URL.',
  );
  if (url === undefined && !hasCluster(config.state.dir)) throw missing;
  const database = await openDatabase(config, log, { join: true });
  if (await hasHistory(database.sql)) return database;
  await database.close();
  throw missing;
}

function hasCluster(stateDir: string): boolean {
  try {
    statSync(`${stateDir}/data`);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new OperatorError(
      `can't check for a database at ${stateDir}: ${fileReason(cause)}`,
      'Run this as root or as the user of the service.',
      { cause },
    );
  }
}

async function openExternal(url: string, connections: number, log: Log): Promise<Database> {
  const database = databaseAt({ url }, connections, { log });
  try {
    await database.sql`select 1`;
    return database;
  } catch (cause) {
    await database.close();
    throw new OperatorError(
      `the database server of database.url can't be used: ${(cause as Error).message}`,
      'Check that it runs, and the host, port, user, password and database in database.url (TELEMETRICSD_DATABASE_URL).',
      { cause },
    );
  }
}

interface DatabaseOptions {
  /** Stopped when the database is closed. */
  embedded?: EmbeddedPostgres;
  log?: Log;
  /** Multiplies all deadlines; for tests. */
  pace?: number;
}

/** Opens a database that already runs. */
export function databaseAt(target: DatabaseTarget, connections: number, options: DatabaseOptions = {}): Database {
  const { embedded, log, pace = 1 } = options;
  const clients: Sql[] = [];
  function open({ deadlineMs = 0, ...rest }: Omit<ConnectOptions, 'target'>) {
    const client = connect({ target, deadlineMs: deadlineMs * pace, onGivenUp, ...rest });
    clients.push(client);
    return client;
  }

  function onGivenUp(name: string) {
    log?.error('a connection to the database did not answer and is replaced', { connection: name });
  }

  return {
    kind: 'url' in target ? 'external' : 'embedded',
    target: 'url' in target ? target : plain(target),
    sql: open({ name: 'pages', connections, deadlineMs: PAGES_DEADLINE_MS, cancellable: true }),
    health: open({ name: 'health', connections: 2, deadlineMs: HEALTH_DEADLINE_MS }),
    client: (name, rest) => open({ name, connections: 1, ...rest }),
    assertAvailable() {
      if (embedded && !embedded.available) throw new DatabaseUnavailable('the database is being restarted');
    },
    async close() {
      await Promise.all(clients.map(client => client.end({ timeout: CLOSE_TIMEOUT_S })));
      await embedded?.stop();
    },
  };
}

/** Copies only these fields: the object is sent to a thread. */
function plain({ socketDir, database }: { socketDir: string; database?: string }): DatabaseTarget {
  return database === undefined ? { socketDir } : { socketDir, database };
}
