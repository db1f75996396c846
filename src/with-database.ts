import { loadConfig } from './config/load.ts';
import type { Config } from './config/settings.ts';
import type { Sql } from './db/connect.ts';
import { type Database, openExisting } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { createLog, type Log } from './log.ts';

/** What a command works with. */
interface OpenedDatabase {
  config: Config;
  log: Log;
  database: Database;
  /** One connection of its own. */
  sql: Sql;
}

interface WithDatabaseOptions {
  /** The path of a configuration file, as `--config` names it. */
  config?: string | undefined;
  /** Says nothing that is not a warning. */
  quiet?: boolean;
}

/**
 * Runs a command on the database that the configuration names, brought to the schema of this program; beside a running server in that
 * one's PostgreSQL. `name` is that of its connection. Throws NoDatabase where there is none, and ConfigError.
 */
export async function withDatabase<Result>(
  name: string,
  { config: file, quiet = false }: WithDatabaseOptions,
  work: (opened: OpenedDatabase) => Promise<Result>,
): Promise<Result> {
  const { config } = loadConfig({ file });
  const log = createLog(quiet ? 'warn' : config.log.level, config.log.format);
  const database = await openExisting(config, log);
  try {
    const sql = database.client(name);
    await migrate(sql, log);
    return await work({ config, log, database, sql });
  } finally {
    await database.close();
  }
}
