import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { PROGRAM_VERSION } from '../version.ts';
import type { Sql } from './connect.ts';
import { MIGRATION_LOCK } from './locks.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

// The schema is the numbered files of sql/. Each function lies in sql/functions as it is now; all are applied in the
// transaction of the newest numbered file. So each change of a function comes with a numbered migration, which may be
// empty: otherwise an older program on the same database would not notice that it is older. Functions that indexes,
// checks and triggers use lie in the numbered files and call no others. The newest numbered file names the checksum of
// the functions that it brings; a test compares it.

interface AppliedMigration {
  number: number;
  name: string;
  checksum: string;
  program: string;
}

const LOCK_POLL_MS = 50;
/** A slower migration gets its own line in the log. */
const SLOW_MS = 1_000;
const MINIMUM_VERSION = 150_000;

/**
 * Brings the database up to this program's schema: each numbered file in one transaction together with its row in the
 * history. Many instances may call it at once. Needs a client with one connection, since the lock belongs to the
 * session. Throws OperatorError if the database is newer than the program, or if an applied file has changed.
 */
export async function migrate(sql: Sql, log: Log, migrations = MIGRATIONS): Promise<Migration[]> {
  await assertServerVersion(sql);
  const release = await takeLock(sql);
  try {
    await createHistory(sql);
    const pending = pendingAmong(migrations, await readHistory(sql));
    const started = performance.now();
    for (const migration of pending) await apply(sql, migration, log);
    if (pending.length > 0) {
      const [first, last] = [pending[0]!.number, pending.at(-1)!.number];
      log.info('brought the schema up to date', { migrations: `${first}-${last}`, ms: msSince(started) });
    }
    return pending;
  } finally {
    await release();
  }
}

/** The migrations that `migrate` would apply; changes nothing. */
export async function pendingMigrations(sql: Sql, migrations = MIGRATIONS): Promise<Migration[]> {
  await assertServerVersion(sql);
  return pendingAmong(migrations, (await hasHistory(sql)) ? await readHistory(sql) : []);
}

async function assertServerVersion(sql: Sql) {
  const [row] = await sql<{ number: number; name: string }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as name`;
  if (row!.number >= MINIMUM_VERSION) return;
  throw new OperatorError(
    `the database server is PostgreSQL ${row!.name}; telemetricsd needs 15 or newer`,
    'Upgrade the server, or leave database.url out to use the built-in PostgreSQL.',
  );
}

/** Polls, because PostgreSQL may see a waiter in pg_advisory_lock as part of a deadlock and kill it. */
async function takeLock(sql: Sql) {
  for (;;) {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${MIGRATION_LOCK}) as taken`;
    if (row!.taken) break;
    await Bun.sleep(LOCK_POLL_MS);
  }
  return () => sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.catch(() => {});
}

/** Whether a telemetricsd has ever used this database. */
export async function hasHistory(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select to_regclass('schema_migrations') is not null as present`;
  return row!.present;
}

async function createHistory(sql: Sql) {
  if (await hasHistory(sql)) return;
  await sql`
    create table schema_migrations (
      number     integer     primary key,
      name       text        not null,
      checksum   text        not null,
      program    text        not null,
      applied_at timestamptz not null default now()
    )`;
}

function readHistory(sql: Sql) {
  return sql<AppliedMigration[]>`select number, name, checksum, program from schema_migrations order by number`;
}

function pendingAmong(migrations: Migration[], applied: readonly AppliedMigration[]) {
  const known = new Map(migrations.map(migration => [migration.number, migration]));
  for (const { number, name, checksum, program } of applied) {
    const migration = known.get(number);
    if (!migration) {
      throw new OperatorError(
        `the database is newer than this program: it has migration ${number} (${name}) of telemetricsd ${program}, this is ${PROGRAM_VERSION}`,
        `Run telemetricsd ${program} or newer, or restore a backup from before that upgrade.`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new OperatorError(
        `the database was made by another build of telemetricsd: its migration ${number} (${name}) is not the one that this program carries`,
        `Keep the program that made it (telemetricsd ${program}), or start with an empty database: databases of development versions can't be upgraded.`,
      );
    }
  }
  const done = new Set(applied.map(migration => migration.number));
  return migrations.filter(migration => !done.has(migration.number));
}

async function apply(sql: Sql, { number, name, checksum, sql: text, functions = '' }: Migration, log: Log) {
  const started = performance.now();
  try {
    await sql.begin(async tx => {
      await tx.unsafe(text);
      await tx.unsafe(functions);
      await tx`insert into schema_migrations (number, name, checksum, program) values (${number}, ${name}, ${checksum}, ${PROGRAM_VERSION})`;
    });
  } catch (cause) {
    throw new OperatorError(
      `migration ${number} (${name}) failed and was undone: ${(cause as Error).message}`,
      'The database is as it was after the migration before. Fix the cause and start again.',
      { cause },
    );
  }
  const ms = msSince(started);
  log[ms < SLOW_MS ? 'debug' : 'info']('applied a migration', { number, name, ms });
}

function msSince(started: number) {
  return Math.round(performance.now() - started);
}
