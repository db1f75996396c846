import { DatabaseUnavailable, OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ConnectOptions, connect, type DatabaseTarget, type Sql } from './connect.ts';
import { type EmbeddedPostgres, runningSocket, startEmbedded } from './embedded.ts';
import { StateInUse } from './owner.ts';

export interface DatabaseSettings {
  database: { url?: string | undefined; connections: number };
  state: { dir: string };
}

export interface Database {
  kind: 'embedded' | 'external';
  /** For threads that connect by themselves. */
  target: DatabaseTarget;
  /** The pool of pages and API, under a statement timeout. */
  sql: Sql;
  /** Another client with connections of its own and no timeout; closed with the database. */
  client(name: string, options?: { connections?: number; settings?: Record<string, string> }): Sql;
  /** Throws DatabaseUnavailable while the embedded server is being restarted. */
  assertAvailable(): void;
  close(): Promise<void>;
}

const PAGE_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_S = 2;
const JOIN_TIMEOUT_MS = 10_000;
const JOIN_PAUSE_MS = 100;

/**
 * Opens the external server of `database.url`, else starts the embedded one. With `join`, a command beside a running
 * telemetricsd uses that one's embedded server instead of being refused.
 */
export async function openDatabase(config: DatabaseSettings, log: Log, { join = false } = {}): Promise<Database> {
  const { url, connections } = config.database;
  if (url) return openExternal(url, connections);
  const embedded = await (join ? startOrJoin(config.state.dir, log) : startEmbedded(config.state.dir, log));
  return databaseAt(embedded, connections, 'stop' in embedded ? embedded : undefined);
}

/** The one who has the state directory may be about to start or to stop. */
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

async function openExternal(url: string, connections: number): Promise<Database> {
  const database = databaseAt({ url }, connections);
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

/** A database that is there already; `embedded` is stopped with it. */
export function databaseAt(target: DatabaseTarget, connections: number, embedded?: EmbeddedPostgres): Database {
  const clients: Sql[] = [];
  function open(options: Omit<ConnectOptions, 'target'>) {
    const client = connect({ target, ...options });
    clients.push(client);
    return client;
  }

  return {
    kind: 'url' in target ? 'external' : 'embedded',
    target: 'url' in target ? target : plain(target),
    sql: open({ name: 'pages', connections, statementTimeoutMs: PAGE_TIMEOUT_MS }),
    client: (name, options) => open({ name, connections: 1, ...options }),
    assertAvailable() {
      if (embedded && !embedded.available) throw new DatabaseUnavailable('the database is being restarted');
    },
    async close() {
      await Promise.all(clients.map(client => client.end({ timeout: CLOSE_TIMEOUT_S })));
      await embedded?.stop();
    },
  };
}

/** Without whatever else the object carries: it is sent to a thread. */
function plain({ socketDir, database }: { socketDir: string; database?: string }): DatabaseTarget {
  return database === undefined ? { socketDir } : { socketDir, database };
}
