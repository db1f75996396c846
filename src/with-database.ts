import { loadConfig } from './config/load.ts';
import type { Config } from './config/settings.ts';
import type { Sql } from './db/connect.ts';
import { type Database, openExisting } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { createLog, type Log } from './log.ts';

/** What a command gets to work with. */
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
  /** Logs warnings only. */
  quiet?: boolean;
}

/**
 * Runs a command on the configured database after migrating it. Beside a running server it uses that server's
 * PostgreSQL. `name` is the name of its connection. Throws NoDatabase if there is none, and ConfigError.
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
