import type { Sql } from '../../src/db/connect.ts';
import type { Source } from '../../src/import/source.ts';

/** A record of an old database under the names of the flat schema; what is left out is usual. */
export type OldRow = Record<string, string | number | boolean | Uint8Array | null>;

const USUAL: OldRow = {
  architecture: 'x86_64',
  bios_version: '1.2',
  board_name: 'board|vendor',
  build: '43010',
  classification: 'org.clearlinux/hello/world',
  cpu_model: 'cpu model',
  event_id: '0123456789abcdef0123456789abcdef',
  external: false,
  host_type: 'vendor|product|1.0',
  kernel_version: '6.18.4-1',
  payload_version: 1,
  record_version: 4,
  severity: 1,
  system_name: 'clear-linux-os',
  payload: 'hello\n',
  processed: true,
};

/** The tables of an old server; `early`: without the columns that came later. */
export async function createOldDatabase(sql: Sql, schema: Source['schema'], { early = false } = {}) {
  await sql.unsafe(`
    create table alembic_version (version_num varchar primary key);
    create table guilty (id serial primary key, function varchar, module varchar, comment varchar ${early ? '' : ', hide boolean'});
    create table guilty_blacklisted (id serial primary key, function varchar, module varchar);`);
  if (schema === 'flat') await sql.unsafe(FLAT);
  else await sql.unsafe(`${NORMALISED} ${early ? EARLY : ''}`);
}

const FLAT = `
  create table records (
    id serial primary key, architecture varchar, bios_version varchar, board_name text, build text not null, classification text not null,
    cpu_model varchar, event_id text, external boolean, host_type text, kernel_version text, machine_id text, payload_version int,
    record_version int, severity int, system_name text, timestamp_client numeric, timestamp_server numeric not null, payload text not null,
    processed boolean, guilty_id int references guilty);`;

const NORMALISED = `
  create table classification (id serial primary key, classification varchar unique, domain varchar, probe varchar);
  create table build (id serial primary key, build varchar unique);
  create table records (
    id serial primary key, severity int, machine varchar, machine_id varchar, architecture varchar, kernel_version varchar,
    os_name varchar, record_format_version int, payload_format_version int, payload bytea, tsp int, tsp_server int, buildstamp varchar,
    backtrace varchar, guilty varchar, dupe_of int, dupecount int, dupemaster boolean, security boolean, hide boolean, processed boolean,
    icon varchar, classification_id int references classification, build_id int references build, guilty_id int references guilty,
    external boolean, board_name varchar, bios_version varchar, cpu_model varchar, event_id varchar);`;

const EARLY =
  'alter table records drop column board_name, drop column bios_version, drop column cpu_model, drop column event_id;';

export async function insertOld(sql: Sql, schema: Source['schema'], rows: OldRow[]) {
  const whole = rows.map(row => ({ ...USUAL, ...row }));
  for (let start = 0; start < whole.length; start += 1_000) {
    const slice = whole.slice(start, start + 1_000).map(row => ({
      ...row,
      payload: schema === 'flat' ? row.payload! : base64(row.payload!),
    }));
    if (schema === 'flat') await insertFlat(sql, slice);
    else await insertNormalised(sql, slice);
  }
}

function base64(payload: OldRow[string]) {
  return payload === null ? null : Buffer.from(payload as Uint8Array).toString('base64');
}

async function insertFlat(sql: Sql, rows: OldRow[]) {
  await sql`insert into records select * from json_populate_recordset(null::records, ${JSON.stringify(rows)}::text::json)`;
}

async function insertNormalised(sql: Sql, rows: OldRow[]) {
  const json = JSON.stringify(rows);
  await sql`
    insert into classification (classification)
    select distinct e->>'classification' from json_array_elements(${json}::text::json) e where e->>'classification' is not null
        on conflict do nothing`;
  await sql`
    insert into build (build) select distinct e->>'build' from json_array_elements(${json}::text::json) e on conflict do nothing`;
  await sql`
    insert into records (id, severity, machine, machine_id, architecture, kernel_version, os_name, record_format_version,
                         payload_format_version, payload, tsp, tsp_server, backtrace, classification_id, build_id, external, processed)
    select (e->>'id')::int, (e->>'severity')::int, e->>'host_type', e->>'machine_id', e->>'architecture', e->>'kernel_version',
           e->>'system_name', (e->>'record_version')::int, (e->>'payload_version')::int, decode(e->>'payload', 'base64'),
           (e->>'timestamp_client')::int, (e->>'timestamp_server')::int, e->>'backtrace', c.id, b.id, (e->>'external')::boolean, true
      from json_array_elements(${json}::text::json) e
      left join classification c on c.classification = e->>'classification'
      left join build b on b.build = e->>'build'`;
}
