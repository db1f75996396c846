import type { Queryable, Sql } from '../db/connect.ts';
import { SEQUENCES, TABLE_NAMES, tableNames } from '../db/tables.ts';
import { PROGRAM_VERSION } from '../version.ts';
import { TableDigest } from './digest.ts';
import { type BackupHeader, type BackupPart, headerOf, type Sequence } from './format.ts';

const SLICE = 250;
const LARGE_BYTES = 128 * 1024;
const PARTITIONED = tableNames('partitioned');

/** Where a row lies within this snapshot. */
interface Place {
  tableoid: number;
  ctid: string;
}

/**
 * Reads the whole database as it is at one moment, while ingestion goes on: one transaction reads each table with a
 * cursor. `sql` has one connection and no statement timeout.
 */
export async function* readDatabase(sql: Sql): AsyncGenerator<BackupPart> {
  const connection = await sql.reserve();
  try {
    const partitioned = (await listTables(connection)).filter(name => PARTITIONED.includes(name));
    await connection`begin isolation level repeatable read read only`;
    // Locked before the snapshot is taken: otherwise a day dropped or a month gathered after it would be missing.
    for (const table of partitioned) await connection`lock table only ${connection(table)} in access share mode`;
    yield { kind: 'header', header: await describe(connection) };
    for (const table of await listTables(connection)) {
      const digest = new TableDigest();
      for await (const rows of rowsOf(connection, table)) {
        for (const row of rows) digest.add(row);
        yield { kind: 'rows', table, rows };
      }
      yield { kind: 'table', table, sum: digest.sum() };
    }
    yield { kind: 'sequences', sequences: await listSequences(connection) };
  } finally {
    await connection`rollback`.catch(() => {});
    connection.release();
  }
}

/** The rows of a table in any order: small rows in slices, then each large one alone. */
async function* rowsOf(sql: Sql, table: string): AsyncGenerator<string[]> {
  const large: Place[] = [];
  const found = sql<(Place & { row: string | null })[]>`
    select case when octet_length(row) <= ${LARGE_BYTES} then row end as row,
           case when octet_length(row) > ${LARGE_BYTES} then tableoid end as tableoid,
           case when octet_length(row) > ${LARGE_BYTES} then ctid::text end as ctid
      from (select t::text as row, t.tableoid, t.ctid from ${sql(table)} t offset 0) t`;
  for await (const slice of found.cursor(SLICE)) {
    const rows = slice.flatMap(({ row }) => row ?? []);
    for (const { row, tableoid, ctid } of slice) if (row === null) large.push({ tableoid, ctid });
    if (rows.length > 0) yield rows;
  }
  for (const { tableoid, ctid } of large) {
    const [one] = await sql<{ row: string }[]>`
      select t::text as row from ${sql(table)} t where t.ctid = ${ctid}::text::tid and t.tableoid = ${tableoid}::oid`;
    yield [one!.row];
  }
}

async function describe(sql: Queryable): Promise<BackupHeader> {
  const [server] = await sql<{ postgresql: number; takenAt: Date }[]>`
    select current_setting('server_version_num')::int / 10000 as postgresql, now() as "takenAt"`;
  const migrations = await sql<BackupHeader['migrations']>`
    select number, name, checksum, program from schema_migrations order by number`;
  const days = await sql<{ day: string }[]>`select day::text from record_days where first_id <= last_id order by day`;
  return headerOf({
    telemetricsd: PROGRAM_VERSION,
    postgresql: server!.postgresql,
    taken_at: server!.takenAt.toISOString(),
    migrations: [...migrations],
    days: days.map(({ day }) => day),
  });
}

/**
 * Our tables, referenced tables first; partitions come with their parent. Leaves out unlogged tables, which hold
 * nothing worth keeping, and the history of migrations, since a restored database makes its own. Also leaves out other
 * programs' tables.
 */
async function listTables(sql: Queryable): Promise<string[]> {
  return (await ourTables(sql)).filter(({ unlogged }) => !unlogged).map(({ name }) => name);
}

/** Includes tables that hold nothing worth keeping. */
export async function ourTables(sql: Queryable) {
  return sql<{ name: string; unlogged: boolean }[]>`
    select relname as name, relpersistence = 'u' as unlogged
      from pg_class c
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname = any(${TABLE_NAMES}::text[])
     order by exists (select from pg_constraint where conrelid = c.oid and contype = 'f'), relname`;
}

/** A rough number of rows. */
export async function estimateRows(sql: Queryable): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select coalesce(sum(greatest(reltuples, 0)), 0)::bigint as rows
      from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'`;
  return Math.max(1, row!.rows);
}

async function listSequences(sql: Queryable): Promise<Sequence[]> {
  const names = await sql<{ name: string }[]>`
    select s.relname as name
      from pg_class s
      left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'i'
      left join pg_class of on of.oid = d.refobjid
     where s.relnamespace = current_schema()::regnamespace and s.relkind = 'S'
       and (of.relname = any(${TABLE_NAMES}::text[]) or s.relname = any(${SEQUENCES}::text[]))
     order by 1`;
  const sequences: Sequence[] = [];
  for (const { name } of names) {
    const [state] = await sql<Omit<Sequence, 'name'>[]>`select last_value, is_called from ${sql(name)}`;
    sequences.push({ name, ...state! });
  }
  return sequences;
}
