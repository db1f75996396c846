import { connect, type DatabaseTarget, type Queryable, type Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { PLUGIN_ROLE_LOCK } from '../db/locks.ts';
import { tableNames } from '../db/tables.ts';
import { OperatorError } from '../errors.ts';

/** The tables that plugins may read: what analysts see. They may read no others and write none. */
const READABLE_TABLES = tableNames('plugins');

/** The role in the built-in PostgreSQL. */
const OWN_ROLE = 'telemetricsd_plugins';
/** Of the 60 connections of the built-in PostgreSQL, so that some are always left for records. */
const MOST_CONNECTIONS = 20;
const DEADLINE_MS = 20_000;

/**
 * Connects plugins with a role that may only read, which protects the database from them. In the built-in PostgreSQL
 * the role is made here. In an external one telemetricsd may not make roles: `url` names a role that an administrator
 * made. It gets the right to read, and is refused if it may write.
 */
export async function openForReading(database: Database, url: string | undefined): Promise<DatabaseTarget> {
  const { target } = database;
  if ('url' in target && url === undefined) {
    throw new OperatorError(
      'plugins need a role of their own in the database of database.url, one that may only read',
      'Make one (create role telemetricsd_plugins login password …) and set plugins.database_url.',
    );
  }
  const owner = database.client('plugins', { deadlineMs: DEADLINE_MS });
  try {
    if ('socketDir' in target) {
      await makeOwnRole(owner);
      await grantReading(owner, OWN_ROLE);
      return { ...target, user: OWN_ROLE };
    }
    const reader: DatabaseTarget = { url: url! };
    const role = await roleOf(reader);
    await grantReading(owner, role);
    await assertReadsOnly(owner, role);
    await assertSameDatabase(reader);
    return reader;
  } finally {
    await owner.end();
  }
}

async function makeOwnRole(owner: Sql) {
  await owner.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${PLUGIN_ROLE_LOCK})`;
    const [role] = await tx`select from pg_roles where rolname = ${OWN_ROLE}`;
    if (!role) await tx`create role ${tx(OWN_ROLE)} login`;
    await tx`alter role ${tx(OWN_ROLE)} connection limit ${tx.unsafe(String(MOST_CONNECTIONS))}`;
    const [{ name } = { name: '' }] = await tx<{ name: string }[]>`select current_database() as name`;
    // Otherwise it could fill the disk with tables of its own, or with large objects.
    await tx`revoke temporary on database ${tx(name)} from public`;
    for (const { signature } of await writingFunctions(tx, OWN_ROLE))
      await tx`revoke execute on function ${tx.unsafe(signature)} from public`;
  });
}

/** PostgreSQL's writing functions that anyone may call by default. */
function writingFunctions(sql: Queryable, role: string) {
  return sql<{ signature: string }[]>`
    select oid::regprocedure::text as signature
      from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace
       and proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message')
       and has_function_privilege(${role}, oid, 'execute')`;
}

async function roleOf(reader: DatabaseTarget): Promise<string> {
  return asReader(reader, async sql => {
    const [row] = await sql<{ role: string }[]>`select current_user as role`;
    return row!.role;
  });
}

/** Grants only what is missing, so that a start changes nothing if all is well. */
async function grantReading(owner: Sql, role: string) {
  await owner.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${PLUGIN_ROLE_LOCK})`;
    const missing = await tx<{ name: string }[]>`
      select name from unnest(${READABLE_TABLES}::text[]) as name where not has_table_privilege(${role}, name, 'select')`;
    if (missing.length === 0) return;
    await tx`grant select on ${tx.unsafe(missing.map(({ name }) => name).join(', '))} to ${tx(role)}`;
  });
}

/** Throws if the role is the owner, a superuser, or has too many rights. */
async function assertReadsOnly(owner: Sql, role: string) {
  const [tooMuch] = await owner<{ name: string; writes: boolean }[]>`
    select name, writes
      from (
             select relname as name, has_table_privilege(${role}, oid, 'insert, update, delete, truncate') as writes,
                    has_table_privilege(${role}, oid, 'select') as reads
               from pg_class
              where relkind in ('r', 'p') and not relispartition
                and relnamespace = (select relnamespace from pg_class where oid = 'records'::regclass)
           ) tables
     where writes or (reads and name <> all(${READABLE_TABLES}::text[]))
     order by writes desc, name limit 1`;
  if (!tooMuch) return;
  const { name, writes } = tooMuch;
  throw new OperatorError(
    `the role ${role} of plugins.database_url may ${writes ? 'write' : 'read more than analysts see'} (the table ${name}, for one)`,
    'Let it own nothing, be no superuser and no member of another role; telemetricsd itself grants it what it may read.',
  );
}

async function assertSameDatabase(reader: DatabaseTarget) {
  await asReader(reader, sql => sql`select from records limit 0`);
}

async function asReader<T>(target: DatabaseTarget, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect({ target, connections: 1, name: 'plugins', deadlineMs: DEADLINE_MS });
  try {
    return await work(sql);
  } catch (cause) {
    throw new OperatorError(
      `plugins can't read as the role of plugins.database_url: ${(cause as Error).message}`,
      'Check that it names the database of database.url, and the password.',
      { cause },
    );
  } finally {
    await sql.end({ timeout: 1 });
  }
}
