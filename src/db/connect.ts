import postgres from 'postgres';

export type Sql = postgres.Sql<{ bigint: number }>;
/** A pool or a transaction: what a query function needs. */
export type Queryable = Sql | postgres.TransactionSql<{ bigint: number }>;

/** `postgres://…` of an external server, or the directory of the embedded one's socket. */
export type DatabaseTarget = { url: string } | { socketDir: string; database?: string; user?: string };

export interface ConnectOptions {
  target: DatabaseTarget;
  connections: number;
  name: string;
  /** Ends a statement that runs longer; 0 lets it run. */
  statementTimeoutMs?: number;
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

export function connect({ target, connections, name, statementTimeoutMs = 0, settings = {} }: ConnectOptions): Sql {
  const options = {
    max: connections,
    types: { bigint },
    connect_timeout: 5,
    max_lifetime: null,
    backoff: () => 0.2,
    onnotice: () => {},
    connection: {
      application_name: `telemetricsd ${name}`,
      TimeZone: 'UTC',
      statement_timeout: statementTimeoutMs,
      ...settings,
    },
  };
  if ('url' in target) return postgres(target.url, options);
  return postgres({
    ...options,
    path: `${target.socketDir}/.s.PGSQL.5432`,
    user: target.user ?? 'telemetricsd',
    database: target.database ?? 'postgres',
  });
}
