import { DatabaseUnavailable } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ConnectOptions, connect, type DatabaseTarget, type Sql } from './connect.ts';
import { type EmbeddedPostgres, socketOfRunning, startEmbedded } from './embedded.ts';

export interface DatabaseSettings {
  database: { url?: string | undefined; connections: number };
  state: { dir: string };
}

export interface Database {
  kind: 'embedded' | 'external';
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

/**
 * Opens the external server of `database.url`, else starts the embedded one. With `join`, a command beside a running
 * telemetricsd uses that one's embedded server instead of being refused.
 */
export async function openDatabase(config: DatabaseSettings, log: Log, { join = false } = {}): Promise<Database> {
  const { url, connections } = config.database;
  if (url) return databaseAt({ url }, connections);
  const running = join ? socketOfRunning(config.state.dir) : undefined;
  if (running) return databaseAt({ socketDir: running }, connections);
  const embedded = await startEmbedded(config.state.dir, log);
  return databaseAt(embedded, connections, embedded);
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
