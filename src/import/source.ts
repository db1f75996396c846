import { connect, type DatabaseTarget, type Queryable, type Sql } from '../db/connect.ts';
import { OperatorError } from '../errors.ts';

/** The two schemas of the old server: with tables of classifications and builds, and with one flat table. */

/** An old database, as it was found. */
export interface Source {
  sql: Sql;
  /** Tells it from others, wherever it is reached. */
  key: string;
  schema: 'normalised' | 'flat';
  /** Those of its table of records. */
  columns: Set<string>;
  /** Tables that are not the old server's own. */
  foreignTables: string[];
  hasHideFlag: boolean;
  /** Text as PostgreSQL writes it: it may be past what a number holds. Null: no records. */
  highestId: string | null;
}

/** One record of an old database; metadata under the names that the wire formats have for it. */
export interface OldRecord {
  id: string;
  received: string | null;
  external: boolean | null;
  payloadBytes: Uint8Array | null;
  payloadText: string | null;
  record_format_version: string | null;
  severity: string | null;
  classification: string | null;
  machine_id: string | null;
  creation_timestamp: string | null;
  arch: string | null;
  host_type: string | null;
  kernel_version: string | null;
  board_name: string | null;
  cpu_model: string | null;
  bios_version: string | null;
  event_id: string | null;
  system_name: string | null;
  build: string | null;
  payload_format_version: string | null;
}

export interface OldGuilty {
  id: string;
  function: string | null;
  module: string | null;
  comment: string | null;
  hidden: boolean | null;
}

const OLD_TABLES = ['records', 'guilty', 'guilty_blacklisted', 'classification', 'build', 'alembic_version'];
const PAGE_ROWS = 1_000;
/** As PostgreSQL stores them; a page has one record at least. */
const PAGE_BYTES = 4 * 1024 ** 2;

/** Connects to an old database, which is only read, and looks which schema it has. */
export async function openSource(target: DatabaseTarget): Promise<Source> {
  const sql = connect({
    target,
    connections: 2,
    name: 'import',
    settings: { default_transaction_read_only: 'on' },
  });
  try {
    return await describe(sql);
  } catch (cause) {
    await sql.end({ timeout: 1 });
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(
      `the old database can't be read: ${(cause as Error).message}`,
      'Check that it runs, and the host, port, user, password and database of --from; PGPASSWORD may hold the password.',
      { cause },
    );
  }
}

async function describe(sql: Sql): Promise<Source> {
  const columns = await listColumns(sql, 'records');
  const guiltyColumns = await listColumns(sql, 'guilty');
  const schema = schemaOf(columns);
  const foreign = await sql<{ name: string }[]>`
    select relname as name from pg_class
     where relnamespace = (select relnamespace from pg_class where oid = to_regclass('records')) and relkind in ('r', 'p')
       and relname <> all(${OLD_TABLES}::text[])
     order by relname`;
  const [highest] = await sql<{ id: string | null }[]>`select max(id)::text as id from records`;
  return {
    sql,
    key: await identify(sql),
    schema,
    columns,
    foreignTables: foreign.map(({ name }) => name),
    hasHideFlag: guiltyColumns.has('hide'),
    highestId: highest!.id,
  };
}

async function listColumns(sql: Sql, table: string): Promise<Set<string>> {
  const rows = await sql<{ name: string }[]>`
    select attname as name from pg_attribute where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`;
  return new Set(rows.map(({ name }) => name));
}

function schemaOf(columns: Set<string>): Source['schema'] {
  const has = (...names: string[]) => names.every(name => columns.has(name));
  if (has('id', 'timestamp_server', 'payload', 'classification', 'build', 'system_name')) return 'flat';
  if (has('id', 'tsp_server', 'payload', 'backtrace', 'classification_id', 'build_id', 'os_name')) return 'normalised';
  throw new OperatorError(
    'this is no database of the old server: it has no table "records" with the columns of either of its schemas',
    'Name the database that the old server was configured with, mostly telemdb or telemetry.',
  );
}

/** The same for one database, by whatever name it is reached. */
export async function identify(sql: Sql): Promise<string> {
  const [row] = await sql<{ key: string }[]>`
    select (select system_identifier from pg_control_system()) || '/' || oid as key from pg_database where datname = current_database()`;
  return row!.key;
}

/** Records after an id and up to another, in the order of ids: some hundreds, fewer where they are large. */
export async function readOldPage({ sql, schema, columns }: Source, after: string, upTo: string): Promise<OldRecord[]> {
  const text = (name: string) => (columns.has(name) ? sql`r.${sql(name)}::text` : sql`null::text`);
  const flat = schema === 'flat';
  const payload = flat ? sql`r.payload` : sql`coalesce(r.payload, convert_to(r.backtrace, 'UTF8'))`;
  const page = sql`
    select p.id from (
      select r.id, sum(pg_column_size(${payload})) over (order by r.id rows between unbounded preceding and 1 preceding) as before
        from (select * from records where id > ${after}::numeric and id <= ${upTo}::numeric order by id limit ${PAGE_ROWS}) r
    ) p where coalesce(p.before, 0) < ${PAGE_BYTES}`;
  return sql<OldRecord[]>`
    select r.id::text as id, ${text(flat ? 'timestamp_server' : 'tsp_server')} as received, r.external,
           ${flat ? sql`null::bytea` : sql`r.payload`} as "payloadBytes", ${flat ? sql`r.payload` : sql`r.backtrace`} as "payloadText",
           ${text(flat ? 'record_version' : 'record_format_version')} as record_format_version,
           ${text('severity')} as severity, ${flat ? sql`r.classification` : sql`c.classification`} as classification,
           ${text('machine_id')} as machine_id, ${text(flat ? 'timestamp_client' : 'tsp')} as creation_timestamp,
           ${text('architecture')} as arch, ${text(flat ? 'host_type' : 'machine')} as host_type,
           ${text('kernel_version')} as kernel_version, ${text('board_name')} as board_name, ${text('cpu_model')} as cpu_model,
           ${text('bios_version')} as bios_version, ${text('event_id')} as event_id,
           ${text(flat ? 'system_name' : 'os_name')} as system_name, ${flat ? sql`r.build` : sql`b.build`} as build,
           ${text(flat ? 'payload_version' : 'payload_format_version')} as payload_format_version
      from records r
      ${flat ? sql`` : sql`left join classification c on c.id = r.classification_id left join build b on b.id = r.build_id`}
     where r.id in (${page})
     order by r.id`;
}

/** How many records there are up to an id, and how many of them came more than so many days ago. */
export async function countOldRecords(
  { sql, schema }: Source,
  { after = null, upTo, olderThanDays }: { after?: string | null; upTo: string; olderThanDays?: number },
): Promise<number> {
  const received = sql(schema === 'flat' ? 'timestamp_server' : 'tsp_server');
  const [row] = await sql<{ records: number }[]>`
    select count(*) as records from records
     where id <= ${upTo}::numeric ${after === null ? sql`` : sql`and id > ${after}::numeric`}
     ${olderThanDays === undefined ? sql`` : sql`and ${received} < extract(epoch from now()) - ${olderThanDays}::int * 86400`}`;
  return row!.records;
}

/** What analysts said of guilties: those with a comment or hidden. */
export function listJudged({ sql, hasHideFlag }: Source) {
  const hidden = hasHideFlag ? sql`coalesce(hide, false)` : sql`false`;
  return sql<OldGuilty[]>`
    select id::text as id, function, module, comment, ${hidden} as hidden
      from guilty where coalesce(comment, '') <> '' or ${hidden} order by id`;
}

export function listOldNeverGuilty({ sql }: Source) {
  return sql<Pick<OldGuilty, 'function' | 'module'>[]>`select function, module from guilty_blacklisted order by id`;
}

/** Whether a table is there: an old database may be restored in part. */
export async function hasTable(sql: Queryable, table: string): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select to_regclass(${table}) is not null as present`;
  return row!.present;
}
