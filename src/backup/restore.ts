import type { Queryable, Sql } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { MIGRATIONS, type Migration } from '../db/migrations.ts';
import { makeDaysOfEmpty, makePartitionsAhead } from '../db/partitions.ts';
import { tablesWith } from '../db/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { TableSum } from './digest.ts';
import { type BackupHeader, readBackup, type Sequence } from './format.ts';
import { ourTables } from './snapshot.ts';

export interface Progress {
  show(rows: number): void | Promise<void>;
}

export interface CheckedBackup {
  header: BackupHeader;
  tables: Map<string, TableSum>;
  rows: number;
}

/** Reads a whole backup and compares all its checksums. Throws OperatorError if one differs. */
export async function checkBackup(file: string): Promise<CheckedBackup> {
  const tables = new Map<string, TableSum>();
  let header: BackupHeader | undefined;
  for await (const part of readBackup(file)) {
    if (part.kind === 'header') header = part.header;
    if (part.kind === 'table') tables.set(part.table, part.sum);
  }
  const rows = [...tables.values()].reduce((sum, table) => sum + table.rows, 0);
  return { header: header!, tables, rows };
}

/**
 * Fills an empty database from a checked backup and brings it to this program's schema. Throws OperatorError if the
 * database is not empty, or a newer program wrote the backup. `sql` has one connection and no statement timeout.
 */
export async function restoreBackup(sql: Sql, file: string, checked: CheckedBackup, log: Log, progress: Progress) {
  await fillFromBackup(sql, file, checked, log, progress);
  await migrate(sql, log);
  await makePartitionsAhead(sql, log);
  await sql`analyze`;
}

/** Fills the database without applying migrations later than the backup's. */
export async function fillFromBackup(sql: Sql, file: string, { header }: CheckedBackup, log: Log, progress: Progress) {
  const known = migrationsOf(header);
  await assertEmpty(sql);
  await migrate(sql, log, known);
  await makeDaysOfEmpty(sql, header.days);
  await sql.begin(async tx => {
    const tables = (await ourTables(tx)).map(({ name }) => name);
    await tx`truncate ${tx(tables)}`;
    const triggered = await tx<{ name: string }[]>`
      select distinct c.relname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
       where not t.tgisinternal and c.relnamespace = current_schema()::regnamespace and c.relname = any(${tables}::text[])`;
    // The backup also has the rows that triggers would derive.
    for (const { name } of triggered) await tx`alter table ${tx(name)} disable trigger user`;
    let done = 0;
    for await (const part of readBackup(file)) {
      if (part.kind === 'rows') {
        await insertRows(tx, part.table, part.rows);
        done += part.rows.length;
        await progress.show(done);
      }
      if (part.kind === 'sequences') await setSequences(tx, part.sequences);
    }
    for (const { name } of triggered) await tx`alter table ${tx(name)} enable trigger user`;
  });
}

/** This program's migrations up to the backup's. */
function migrationsOf({ telemetricsd, migrations }: BackupHeader): Migration[] {
  return migrations.map(({ number, name, checksum }) => {
    const known = MIGRATIONS.find(migration => migration.number === number);
    if (known?.checksum === checksum) return known;
    throw new OperatorError(
      known
        ? `the backup is of another build of telemetricsd: its migration ${number} (${name}) is not the one that this program carries`
        : `the backup is of telemetricsd ${telemetricsd}, which is newer than this program: it has migration ${number} (${name})`,
      known
        ? `Restore it with the program that wrote it (telemetricsd ${telemetricsd}): databases of development versions can't be upgraded.`
        : `Restore it with telemetricsd ${telemetricsd}.`,
    );
  });
}

/** Throws if the database holds records or anything that people entered. A server may have been started on it. */
async function assertEmpty(sql: Sql) {
  const held: string[] = [];
  for (const [table, what] of tablesWith('keeps')) {
    const [found] = await sql<{ present: boolean }[]>`select to_regclass(${table}) is not null as present`;
    if (found!.present && (await sql`select from ${sql(table)} limit 1`).length > 0) held.push(what);
  }
  if (held.length === 0) return;
  throw new OperatorError(
    `the database holds ${held.join(', ')} already, and a backup is only restored into an empty one`,
    'Name an empty state directory (TELEMETRICSD_STATE_DIR) or database (TELEMETRICSD_DATABASE_URL); nothing was changed.',
  );
}

/** PostgreSQL itself parses the rows, each once. */
async function insertRows(tx: Queryable, table: string, rows: string[]) {
  await tx`
    insert into ${tx(table)} overriding system value
    select (came.row).*
      from (select (value::text)::${tx(table)} as row from jsonb_array_elements_text(${JSON.stringify(rows)}::text::jsonb) value offset 0) came`;
}

async function setSequences(tx: Queryable, sequences: Sequence[]) {
  for (const { name, last_value, is_called } of sequences)
    await tx`select setval(${name}::regclass, ${last_value}, ${is_called})`;
}
