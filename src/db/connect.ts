import postgres from 'postgres';
import { endBackend, signalBackend } from './backend.ts';
import { track } from './cancellation.ts';

export type Sql = postgres.Sql<{ bigint: number }>;
/** A pool or a transaction: what a query function needs. */
export type Queryable = Sql | postgres.TransactionSql<{ bigint: number }>;
/** A part of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** `postgres://…` of an external server, or the directory of the embedded one's socket. */
export type DatabaseTarget = { url: string } | { socketDir: string; database?: string; user?: string };

export interface ConnectOptions {
  target: DatabaseTarget;
  connections: number;
  name: string;
  /**
   * The server ends a statement that takes longer. Where not even that is answered, the connection is given up with the error
   * ANSWER_TIMEOUT and the next query opens another; 0 waits for ever.
   */
  deadlineMs?: number;
  /** Queries end with the request that they are made for, see cancellation.ts. */
  cancellable?: boolean;
  /** A connection was given up. */
  onGivenUp?: (name: string) => void;
  /** Further settings of the session. */
  settings?: Record<string, string>;
}

/**
 * For sessions that write batches: every lookup of a batch goes by index. Prepared plans outlive what they were
 * planned for, and one made while a table was small would read it whole for years.
 */
export const LOOKUPS_BY_INDEX = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  // Planning anew costs a third of what the statements of a batch do.
  plan_cache_mode: 'force_generic_plan',
};

/** int8 as a JavaScript number: ids, counts and byte sums all stay below 2^53. */
const bigint = { to: 20, from: [20], serialize: String, parse: Number };

/** A server that works says by then that it has ended the statement. */
const GRACE = 1.25;
/** The connections that end what is behind those that were given up. */
const ENDING = 'ending';
const ENDING_DEADLINE_MS = 4_000;

export function connect(options: ConnectOptions): Sql {
  const { target, connections, name, deadlineMs = 0, cancellable = false, onGivenUp, settings = {} } = options;
  const application = `telemetricsd ${name}`;
  const common = {
    max: connections,
    types: { bigint },
    connect_timeout: 5,
    max_lifetime: null,
    backoff: () => 0.2,
    // A query that was sent behind another can't be cancelled alone.
    ...(cancellable && { onquery: track, max_pipeline: 0 }),
    answer_timeout: (deadlineMs * GRACE) / 1000,
    onunanswered(pid: number) {
      onGivenUp?.(name);
      if ('socketDir' in target) signalBackend(target.socketDir, pid);
      const another = () => connect({ target, connections: 1, name: ENDING, deadlineMs: ENDING_DEADLINE_MS });
      // One of these that does not answer either is tried again.
      if (name !== ENDING) void endBackend(another, pid, application);
    },
    onnotice: () => {},
    connection: {
      application_name: application,
      TimeZone: 'UTC',
      statement_timeout: deadlineMs,
      ...settings,
    },
  };
  if ('url' in target) return postgres(target.url, common);
  return postgres({
    ...common,
    path: `${target.socketDir}/.s.PGSQL.5432`,
    user: target.user ?? 'telemetricsd',
    database: target.database ?? 'postgres',
  });
}
