import type { Queryable, Sql } from '../db/connect.ts';
import { PROGRAM_VERSION } from '../version.ts';
import { TableDigest } from './digest.ts';
import { type BackupHeader, type BackupPart, headerOf, type Sequence } from './format.ts';

const SLICE = 250;

/**
 * Everything in the database as it was at one moment, while ingestion goes on: one transaction reads each table with a cursor.
 * `sql` has one connection and no statement timeout.
 */
export async function* readDatabase(sql: Sql): AsyncGenerator<BackupPart> {
  const connection = await sql.reserve();
  try {
    await connection`begin isolation level repeatable read read only`;
    yield { kind: 'header', header: await describe(connection) };
    for (const table of await listTables(connection)) {
      const digest = new TableDigest();
      const found = connection<{ row: string }[]>`select t::text as row from ${connection(table)} t`;
      for await (const slice of found.cursor(SLICE)) {
        const rows = slice.map(({ row }) => row);
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
 * The tables of the schema, those first that others refer to; partitions come with their parent. Unlogged ones hold nothing worth keeping. The history of migrations
 * is no part of it: a database that is restored into gets one of its own.
 */
export async function listTables(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select relname as name
      from pg_class c
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relpersistence = 'p' and not relispartition
       and relname <> 'schema_migrations'
     order by exists (select from pg_constraint where conrelid = c.oid and contype = 'f'), relname`;
  return rows.map(({ name }) => name);
}

/** How many rows there are, roughly. */
export async function estimateRows(sql: Queryable): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select coalesce(sum(greatest(reltuples, 0)), 0)::bigint as rows
      from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'`;
  return Math.max(1, row!.rows);
}

async function listSequences(sql: Queryable): Promise<Sequence[]> {
  const names = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'S' order by 1`;
  const sequences: Sequence[] = [];
  for (const { name } of names) {
    const [state] = await sql<Omit<Sequence, 'name'>[]>`select last_value, is_called from ${sql(name)}`;
    sequences.push({ name, ...state! });
  }
  return sequences;
}
