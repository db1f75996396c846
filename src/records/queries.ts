import type { Queryable } from '../db/connect.ts';
import { LATELY_DAYS, today } from '../time/scope.ts';
import type { StoredRecord } from './record.ts';

export interface RecordRow extends Omit<StoredRecord, 'payload'> {
  payload: string;
  payloadRaw: Uint8Array | null;
}

/** Queries of many records read larger payloads one by one, to bound the memory. */
const LARGE_BYTES = 64 * 1024;

/** A record, without its payload if that is large. */
export type BoundedRow = Omit<RecordRow, 'payload'> & { payload: string | null };

/** Finds a record by id in the one partition that can hold it. */
export async function findRecord(sql: Queryable, id: number): Promise<StoredRecord | undefined> {
  const [row] = await sql<RecordRow[]>`
    select ${recordColumns(sql)}
      from records r join fleets f on f.id = r.fleet_id
     where r.id = ${id}
       and r.received_at >= (select min(day) from ids_of_days where ${id} between first_id and last_id)::timestamp at time zone 'UTC'
       and r.received_at < ((select max(day) from ids_of_days where ${id} between first_id and last_id) + 1)::timestamp at time zone 'UTC'`;
  return row && toRecord(row);
}

/** Records whose id and time of reception are known. */
export async function readRecords(sql: Queryable, keys: { id: number; receivedAt: Date }[]): Promise<StoredRecord[]> {
  const rows = await sql<RecordRow[]>`
    select ${recordColumns(sql)}
      from unnest(${keys.map(key => key.id)}::bigint[], ${keys.map(key => key.receivedAt.toISOString())}::text[]) as wanted (id, received_at)
      join records r on r.id = wanted.id and r.received_at = wanted.received_at::timestamptz
      join fleets f on f.id = r.fleet_id`;
  return rows.map(toRecord);
}

export async function newestRecordId(sql: Queryable): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select coalesce(max(last_id), 0)::bigint as id from ids_of_days`;
  return row!.id;
}

/** Marks the advisory locks of store_records (sql/), above the 53 bits of an id. */
const OPEN_BATCH_TAG = 737;

/**
 * The highest id below which no record can appear any more. Batches of several instances become visible out of order;
 * each holds an advisory lock with an id below its own (see store_records). The order of the two statements matters: a
 * batch that took ids before the first statement had its lock before, and either still has it or is visible to a later
 * query.
 */
export async function settledId(sql: Queryable): Promise<number> {
  const taken = await newestId(sql);
  const [open] = await sql<{ id: number | null }[]>`
    select min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 53) - 1)) as id
      from pg_locks
     where locktype = 'advisory' and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and ((classid::bigint << 32) | objid::bigint) >> 53 = ${OPEN_BATCH_TAG}::bigint`;
  return Math.min(taken, open!.id ?? taken);
}

/** The highest id that any record got. */
export async function newestId(sql: Queryable): Promise<number> {
  const [newest] = await sql<
    { id: number }[]
  >`select case when is_called then last_value else 0 end as id from record_ids`;
  return newest!.id;
}

/** The ids of the same machine's records just before and after one; none if the machine is unknown. */
export async function findNeighbours(
  sql: Queryable,
  { machineId, receivedAt, id }: StoredRecord,
): Promise<{ older: number | null; newer: number | null }> {
  if (machineId === '') return { older: null, newer: null };
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

/** The builds of a system, or of all, that were seen lately, in order of versions, newest first. */
export async function listBuilds(sql: Queryable, systemName: string | undefined, limit: number): Promise<string[]> {
  const rows = await sql<{ build: string }[]>`
    select build from machine_counts
     where build <> '*' and last_day > ${today(sql)} - ${LATELY_DAYS}::int and ${systemName === undefined ? sql`true` : sql`system_name = ${systemName}`}
     group by build order by version_order(build) desc, build limit ${limit}`;
  return rows.map(row => row.build);
}

/** The first UTC day whose records are kept. */
export async function keptRecords(sql: Queryable) {
  const [row] = await sql<{ from: string | null; wholeFrom: string | null }[]>`
    select min(day) filter (where first_id <= last_id)::text as "from",
           (max(day) filter (where not complete) + 1)::text as "wholeFrom"
      from record_days`;
  return { from: row!.from ?? undefined, wholeFrom: row!.wholeFrom ?? undefined };
}

/** The systems that reported lately, those with most machines first. */
export async function listSystems(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ systemName: string }[]>`
    select system_name as "systemName" from machine_counts
     where build = '*' and system_name <> '' and last_day > ${today(sql)} - ${LATELY_DAYS}::int group by system_name order by sum(machines) desc, system_name limit 100`;
  return rows.map(row => row.systemName);
}

export function wholePayload(sql: Queryable) {
  return sql`r.payload, r.payload_raw as "payloadRaw"`;
}

export function beginningOfPayload(sql: Queryable, characters: number) {
  return sql`left(r.payload, ${characters}) as payload, null as "payloadRaw"`;
}

export function smallPayload(sql: Queryable) {
  const isSmall = sql`octet_length(r.payload) <= ${LARGE_BYTES}`;
  return sql`
    case when ${isSmall} then r.payload end as payload, case when ${isSmall} then r.payload_raw end as "payloadRaw"`;
}

export function recordColumns(sql: Queryable, payload = wholePayload(sql)) {
  return sql`
    r.id, r.received_at as "receivedAt", r.machine_id as "machineId", f.name as fleet, r.external, r.severity,
    r.record_format_version as "recordFormatVersion", r.payload_format_version as "payloadFormatVersion", r.classification,
    r.system_name as "systemName", r.build, r.arch, r.kernel_version as "kernelVersion", r.host_type as "hostType",
    r.board_name as "boardName", r.cpu_model as "cpuModel", r.bios_version as "biosVersion", r.event_id as "eventId",
    extract(epoch from r.captured_at)::bigint as "capturedAt", coalesce(r.scrubbed, '{}') as "scrubbedBy",
    r.way_in as "wayIn", ${payload}`;
}

/** A record with its whole payload, however large; undefined if it is gone by now. */
export async function withPayload<Row extends BoundedRow>(sql: Queryable, row: Row) {
  const { payload, payloadRaw } = row;
  if (payload !== null) return toRecord({ ...row, payload, payloadRaw });
  const whole = await readPayload(sql, row);
  return whole && toRecord({ ...row, ...whole });
}

/** The payload of one record; undefined if it is gone. */
export async function readPayload(
  sql: Queryable,
  { machineId, receivedAt, id }: Pick<StoredRecord, 'machineId' | 'receivedAt' | 'id'>,
): Promise<Pick<RecordRow, 'payload' | 'payloadRaw'> | undefined> {
  const [row] = await sql<Pick<RecordRow, 'payload' | 'payloadRaw'>[]>`
    select ${wholePayload(sql)} from records r
     where r.machine_id = ${machineId} and r.received_at = ${receivedAt} and r.id = ${id}`;
  return row;
}

export function toRecord<Row extends RecordRow>({ payloadRaw, ...row }: Row): Omit<Row, 'payloadRaw'> {
  return payloadRaw ? { ...row, payload: Buffer.from(payloadRaw).toString('utf8') } : row;
}
