import type { Queryable } from '../db/connect.ts';
import type { StoredRecord } from './record.ts';

/** What to narrow a list of records to. Texts are exact but for `classification`, which may end in `/*`. */
export interface RecordFilter {
  systemName?: string | undefined;
  build?: string | undefined;
  classification?: string | undefined;
  severity?: number | undefined;
  machineId?: string | undefined;
  external?: boolean | undefined;
  fleet?: string | undefined;
  /** Crash records with this backtrace, see GET /api/guilties/ID/backtraces. */
  stackId?: number | undefined;
  /** Received at this moment or later, and before that one. */
  receivedFrom?: Date | undefined;
  receivedBefore?: Date | undefined;
  /** Received within the last so many seconds. */
  receivedWithin?: number | undefined;
  /** Captured after this moment, Unix seconds. */
  capturedAfter?: number | undefined;
  fromId?: number | undefined;
  beforeId?: number | undefined;
}

interface RecordRow extends Omit<StoredRecord, 'payload'> {
  payload: string;
  payloadRaw: Uint8Array | null;
}

/** The newest records that fit, newest first; of each payload at most `payloadBeginning` characters. */
export async function listRecords(
  sql: Queryable,
  filter: RecordFilter,
  limit: number,
  payloadBeginning?: number,
): Promise<StoredRecord[]> {
  const rows = await sql<RecordRow[]>`
    select ${columns(sql, payloadBeginning)}
      from records r join fleets f on f.id = r.fleet_id
     where ${conditions(sql, filter)}
     order by r.id desc limit ${limit}`;
  return rows.map(toRecord);
}

/** The oldest `limit` records after an id, oldest first. */
export async function listRecordsAfter(
  sql: Queryable,
  afterId: number,
  filter: RecordFilter,
  limit: number,
  payloadBeginning?: number,
): Promise<StoredRecord[]> {
  const rows = await sql<RecordRow[]>`
    select ${columns(sql, payloadBeginning)}
      from records r join fleets f on f.id = r.fleet_id
     where ${conditions(sql, { ...filter, fromId: afterId + 1 })}
     order by r.id limit ${limit}`;
  return rows.map(toRecord);
}

/** One record by id, in the one partition that can hold it. */
export async function findRecord(sql: Queryable, id: number): Promise<StoredRecord | undefined> {
  const [row] = await sql<RecordRow[]>`
    select ${columns(sql)}
      from records r join fleets f on f.id = r.fleet_id
     where r.id = ${id}
       and r.received_at >= (select min(day) from record_days where ${id} between first_id and last_id)::timestamp at time zone 'UTC'
       and r.received_at < ((select max(day) from record_days where ${id} between first_id and last_id) + 1)::timestamp at time zone 'UTC'`;
  return row && toRecord(row);
}

/** Records whose id and time of reception are known. */
export async function readRecords(sql: Queryable, keys: { id: number; receivedAt: Date }[]): Promise<StoredRecord[]> {
  const rows = await sql<RecordRow[]>`
    select ${columns(sql)}
      from unnest(${keys.map(key => key.id)}::bigint[], ${keys.map(key => key.receivedAt.toISOString())}::text[]) as wanted (id, received_at)
      join records r on r.id = wanted.id and r.received_at = wanted.received_at::timestamptz
      join fleets f on f.id = r.fleet_id`;
  return rows.map(toRecord);
}

export async function newestRecordId(sql: Queryable): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select coalesce(max(last_id), 0)::bigint as id from record_days`;
  return row!.id;
}

/** Marks the advisory locks of store_records (sql/), above the 53 bits that hold an id. */
export const OPEN_BATCH_TAG = 737;

/**
 * The highest id below which no record can appear any more. Batches of several instances become visible out of order;
 * each holds an advisory lock that carries an id below its own (see store_records). The order of the two
 * statements matters: whoever took ids before the first had its lock before it, and still has it or is visible to a later query.
 */
export async function settledId(sql: Queryable): Promise<number> {
  const [taken] = await sql<
    { id: number }[]
  >`select case when is_called then last_value else 0 end as id from record_ids`;
  const [open] = await sql<{ id: number | null }[]>`
    select min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 53) - 1)) as id
      from pg_locks
     where locktype = 'advisory' and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and ((classid::bigint << 32) | objid::bigint) >> 53 = ${OPEN_BATCH_TAG}::bigint`;
  return Math.min(taken!.id, open!.id ?? taken!.id);
}

/** The ids of the records that the same machine id reported just before and just after one. */
export async function findNeighbours(
  sql: Queryable,
  { machineId, receivedAt, id }: StoredRecord,
): Promise<{ older: number | null; newer: number | null }> {
  const [row] = await sql<{ older: number | null; newer: number | null }[]>`
    select (select id from records
             where machine_id = ${machineId} and received_at <= ${receivedAt} and id < ${id}
             order by received_at desc, id desc limit 1) as older,
           (select id from records
             where machine_id = ${machineId} and received_at >= ${receivedAt} and id > ${id}
             order by received_at, id limit 1) as newer`;
  return row!;
}

/** The names of the fleets, each once. */
export async function listFleets(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`select distinct name from fleets order by name`;
  return rows.map(row => row.name);
}

/** The systems that have reported, most frequent first. */
export async function listSystems(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ systemName: string }[]>`
    select system_name as "systemName" from machine_counts
     where build = '*' and system_name <> '' group by system_name order by sum(machines) desc, system_name limit 100`;
  return rows.map(row => row.systemName);
}

/** How many records were received that fit, from the counters; undefined where these do not tell the filter apart. */
export async function countReceived(sql: Queryable, filter: RecordFilter): Promise<number | undefined> {
  const { systemName, build, classification, severity, external, fleet, ...others } = filter;
  if (Object.entries(others).some(([name, value]) => value !== undefined && name !== 'beforeId')) return undefined;
  const [row] = await sql<{ records: number }[]>`
    select coalesce(sum(records), 0)::bigint as records
      from build_counts r
     where ${conditions(sql, { systemName, build, classification, severity, external, fleet })}`;
  return row!.records;
}

/** The same for `records r` and for the counters, whose columns are called alike. */
function conditions(sql: Queryable, filter: RecordFilter) {
  const {
    systemName,
    build,
    classification,
    severity,
    machineId,
    external,
    fleet,
    stackId,
    receivedFrom,
    receivedBefore,
    receivedWithin,
    capturedAfter,
    fromId,
    beforeId,
  } = filter;
  const all = [
    systemName !== undefined && sql`r.system_name = ${systemName}`,
    build !== undefined && sql`r.build = ${build}`,
    classification !== undefined && matchesClassification(sql, classification),
    severity !== undefined && sql`r.severity = ${severity}`,
    machineId !== undefined && sql`r.machine_id = ${machineId}`,
    external !== undefined && sql`r.external = ${external}`,
    fleet !== undefined && sql`r.fleet_id in (select id from fleets where name = ${fleet})`,
    stackId !== undefined &&
      sql`(r.machine_id, r.received_at, r.id) in (select machine_id, received_at, id from crashes where stack_id = ${stackId})`,
    receivedFrom !== undefined && sql`r.received_at >= ${receivedFrom}`,
    receivedBefore !== undefined && sql`r.received_at < ${receivedBefore}`,
    receivedWithin !== undefined && sql`r.received_at > now() - make_interval(secs => ${receivedWithin})`,
    capturedAfter !== undefined && sql`r.captured_at > to_timestamp(${capturedAfter}::bigint)`,
    // The days of the ids: other partitions need not be opened.
    fromId !== undefined &&
      sql`r.id >= ${fromId}
          and r.received_at >= (select min(day) from record_days where last_id >= ${fromId})::timestamp at time zone 'UTC'`,
    beforeId !== undefined &&
      sql`r.id < ${beforeId}
          and r.received_at < ((select max(day) from record_days where first_id < ${beforeId}) + 1)::timestamp at time zone 'UTC'`,
  ].filter(condition => condition !== false);
  return all.reduce((joined, condition) => sql`${joined} and ${condition}`, sql`true`);
}

function matchesClassification(sql: Queryable, classification: string) {
  if (!classification.endsWith('/*')) return sql`r.classification = ${classification}`;
  const prefix = classification.slice(0, -1).replaceAll(/[\\%_]/g, character => `\\${character}`);
  return sql`r.classification like ${`${prefix}%`}`;
}

function columns(sql: Queryable, payloadBeginning?: number) {
  const payload =
    payloadBeginning === undefined
      ? sql`r.payload, r.payload_raw as "payloadRaw"`
      : sql`left(r.payload, ${payloadBeginning}) as payload, null as "payloadRaw"`;
  return sql`
    r.id, r.received_at as "receivedAt", r.machine_id as "machineId", f.name as fleet, r.external, r.severity,
    r.record_format_version as "recordFormatVersion", r.payload_format_version as "payloadFormatVersion", r.classification,
    r.system_name as "systemName", r.build, r.arch, r.kernel_version as "kernelVersion", r.host_type as "hostType",
    r.board_name as "boardName", r.cpu_model as "cpuModel", r.bios_version as "biosVersion", r.event_id as "eventId",
    extract(epoch from r.captured_at)::bigint as "capturedAt", ${payload}`;
}

function toRecord({ payloadRaw, ...row }: RecordRow): StoredRecord {
  return payloadRaw ? { ...row, payload: Buffer.from(payloadRaw).toString('utf8') } : row;
}
