import { connect, type DatabaseTarget, type Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { PLUGIN_ROLE_LOCK } from '../db/locks.ts';
import { OperatorError } from '../errors.ts';

/** What analysts see, as tables. Nothing else can be read by plugins, and nothing at all be written. */
export const READABLE_TABLES = [
  'records',
  'record_days',
  'fleets',
  'build_counts',
  'platform_counts',
  'kernel_counts',
  'hour_counts',
  'machine_check_machines',
  'machine_check_cpus',
  'update_counts',
  'machine_days',
  'machine_counts',
  'machines_last_seen',
  'crashes',
  'parsed',
  'guilties',
  'never_guilty',
  'stacks',
  'stack_counts',
  'stack_builds',
  'stack_platforms',
  'stack_machines',
  'guilty_machines',
  'guilty_machine_counts',
];

/** The role in the built-in PostgreSQL. */
const OWN_ROLE = 'telemetricsd_plugins';
/** Of the 60 of the built-in PostgreSQL: whatever plugins do, there are some left for records. */
const MOST_CONNECTIONS = 20;

/**
 * How plugins connect: as a role that may read and nothing else, which is what protects the database from them. In
 * the built-in PostgreSQL the role is made here. In another one telemetricsd may make no roles: `url` names one that an
 * administrator made; it is granted what it may read, and refused where it may write.
 */
export async function openForReading(database: Database, url: string | undefined): Promise<DatabaseTarget> {
  const { target } = database;
  if ('url' in target && url === undefined) {
    throw new OperatorError(
      'plugins need a role of their own in the database of database.url, one that may only read',
      'Make one (create role telemetricsd_plugins login password …) and set plugins.database_url.',
    );
  }
  const owner = database.client('plugins');
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
    // Or they could fill the disk with tables of their own.
    await tx`revoke temporary on database ${tx(name)} from public`;
  });
}

async function roleOf(reader: DatabaseTarget): Promise<string> {
  return asReader(reader, async sql => {
    const [row] = await sql<{ role: string }[]>`select current_user as role`;
    return row!.role;
  });
}

/** Only what is missing, so that a start changes nothing where all is well. */
async function grantReading(owner: Sql, role: string) {
  await owner.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${PLUGIN_ROLE_LOCK})`;
    const missing = await tx<{ name: string }[]>`
      select name from unnest(${READABLE_TABLES}::text[]) as name where not has_table_privilege(${role}, name, 'select')`;
    if (missing.length === 0) return;
    await tx`grant select on ${tx.unsafe(missing.map(({ name }) => name).join(', '))} to ${tx(role)}`;
  });
}

/** Throws where the role is the owner, a superuser, or was given too much. */
async function assertReadsOnly(owner: Sql, role: string) {
  const [writable] = await owner<{ name: string }[]>`
    select relname as name from pg_class
     where relkind in ('r', 'p')
       and relnamespace = (select relnamespace from pg_class where oid = 'records'::regclass)
       and has_table_privilege(${role}, oid, 'insert, update, delete, truncate')
     limit 1`;
  if (!writable) return;
  throw new OperatorError(
    `the role ${role} of plugins.database_url may write (the table ${writable.name}, for one)`,
    'Let it own nothing and be no superuser; telemetricsd itself grants it what it may read.',
  );
}

async function assertSameDatabase(reader: DatabaseTarget) {
  await asReader(reader, sql => sql`select from records limit 0`);
}

async function asReader<T>(target: DatabaseTarget, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect({ target, connections: 1, name: 'plugins' });
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
