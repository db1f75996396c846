import type { Queryable, Sql } from '../db/connect.ts';
import { isConnectionFailure, isDataError, isMovedByPartition, isRetryable } from '../db/sqlstates.ts';
import type { Reading } from '../parsers/read-at-once.ts';
import type { Report, WayIn } from './record.ts';

export interface NewRecord extends Reading {
  report: Report;
  fleetId: number;
  /** See recordFingerprint. */
  fingerprint: string;
  /** The names of the rules that changed its payload. */
  scrubbedBy: string[];
  wayIn: WayIn;
}

export type StoreOutcome =
  | { kind: 'stored'; id: number; receivedAt: Date }
  /** It came before: the id and time of the first one. */
  | { kind: 'repeated'; id: number; receivedAt: Date }
  /** The database refused this record alone. */
  | { kind: 'rejected'; reason: string };

const RETRIES = 3;

/**
 * Stores a batch in one transaction: records, duplicates check, parsed data, queued work, and that they are to be counted. A row that the database does
 * not take is found by halving the batch, so that it costs the others a few transactions and nothing else.
 */
export async function storeBatch(sql: Sql, batch: NewRecord[], attempt = 0): Promise<StoreOutcome[]> {
  try {
    return await writeBatch(sql, batch);
  } catch (error) {
    if ((isRetryable(error) || isMovedByPartition(error)) && attempt < RETRIES)
      return storeBatch(sql, batch, attempt + 1);
    if (isConnectionFailure(error) || !isDataError(error)) throw error;
    if (batch.length === 1) return [{ kind: 'rejected', reason: (error as Error).message }];
    const middle = batch.length >> 1;
    const first = await storeBatch(sql, batch.slice(0, middle));
    return [...first, ...(await storeBatch(sql, batch.slice(middle)))];
  }
}

interface StoredBatch {
  arrival: Date;
  ids: number[];
  /** Of those that came before: [place in the batch, id, time] of the first one. */
  repeated: [number, number, string][] | null;
}

async function writeBatch(sql: Sql, batch: NewRecord[]): Promise<StoreOutcome[]> {
  const { distinct, places } = distinctRecords(batch);
  const rows = distinct.map(record => [
    ...recordMetadata(record),
    payloadRaw(record),
    record.fingerprint,
    record.scrubbedBy.join(',') || null,
    record.wayIn,
  ]);
  const { payloads, separator } = payloadsOf(distinct);
  const work = distinct.flatMap((record, place) => record.work.map(kind => [place, kind]));
  const parsed = distinct.flatMap(({ parsed }, place) => (parsed ? [[place, parsed.parser, parsed.data]] : []));
  const [stored] = await sql<[StoredBatch]>`
    select arrival, to_jsonb(ids) as ids, repeated
      from store_records(${JSON.stringify(rows)}::text::jsonb, ${payloads}, ${separator},
                         ${jsonOrNull(work)}::text::jsonb, ${jsonOrNull(parsed)}::text::jsonb)`;
  const earlier = new Map(stored.repeated?.map(([place, id, time]) => [place, { id, receivedAt: new Date(time) }]));
  const answered = new Set<number>();
  return places.map(place => {
    const first = earlier.get(place) ?? { id: stored.ids[place]!, receivedAt: stored.arrival };
    const kind = earlier.has(place) || answered.has(place) ? 'repeated' : 'stored';
    answered.add(place);
    return { kind, ...first };
  });
}

function jsonOrNull(list: unknown[]): string | null {
  return list.length > 0 ? JSON.stringify(list) : null;
}

/** The records without those that came before in the same batch, and for each of the batch where it is among them. */
function distinctRecords(batch: NewRecord[]): { distinct: NewRecord[]; places: number[] } {
  const distinct: NewRecord[] = [];
  const known = new Map<string, number>();
  const places = batch.map(record => {
    const key = `${record.fingerprint}${record.report.machineId}`;
    const place = known.get(key) ?? distinct.push(record) - 1;
    known.set(key, place);
    return place;
  });
  return { distinct, places };
}

export interface RecordToInsert {
  id: number;
  fleetId: number;
  receivedAt: Date;
  report: Report;
}

/** Inserts into `records`, or into the table of one day: for records whose ids and times are known. */
export async function insertRecords(tx: Queryable, records: RecordToInsert[], table = 'records') {
  const rows = records.map(record => [...recordMetadata(record), payloadRaw(record), record.id, record.receivedAt]);
  const { payloads, separator } = payloadsOf(records);
  await tx`
    insert into ${tx(table)} (id, received_at, machine_id, fleet_id, external, severity, record_format_version,
                         payload_format_version, classification, system_name, build, arch, kernel_version, host_type,
                         board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw, way_in)
    select (e->>18)::bigint, (e->>19)::timestamptz, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint,
           (e->>4)::smallint, (e->>5)::integer, e->>6, e->>7, e->>8, e->>9, e->>10, e->>11, e->>12, e->>13, e->>14, e->>15,
           to_timestamp((e->>16)::bigint), payload, decode(e->>17, 'base64'), 'headers'
      from rows from (jsonb_array_elements(${JSON.stringify(rows)}::text::jsonb), string_to_table(${payloads}, ${separator}))
           as record (e, payload)
     where e is not null`;
}

type RecordToWrite = { fleetId: number; report: Report };

/** A record as values in the order that store_records, import_records (sql/) and insertRecords expect, but for its payload. */
export function recordMetadata({ fleetId, report }: RecordToWrite) {
  return [
    report.machineId,
    fleetId,
    report.external,
    report.severity,
    report.recordFormatVersion,
    report.payloadFormatVersion,
    report.classification,
    report.systemName,
    report.build,
    report.arch,
    report.kernelVersion,
    report.hostType,
    report.boardName,
    report.cpuModel,
    report.biosVersion,
    report.eventId,
    report.capturedAt,
  ];
}

/** The payload as text: PostgreSQL's can't hold NULs. */
export function payloadText({ report: { payload } }: RecordToWrite): string {
  return payload.includes('\0') ? payload.replaceAll('\0', '␀') : payload;
}

/** The bytes of a payload with NULs, in base64. */
export function payloadRaw({ report: { payload } }: RecordToWrite): string | null {
  return payload.includes('\0') ? Buffer.from(payload).toString('base64') : null;
}

/** Payloads as one text, each followed by a separator that nobody can know beforehand. */
function payloadsOf(records: RecordToWrite[]): { payloads: string; separator: string } {
  const separator = crypto.randomUUID();
  return { payloads: records.map(record => payloadText(record) + separator).join(''), separator };
}

/** Blocks of recent_records that one statement looks through: 2 MB. */
const PRUNE_BLOCKS = 256;
/** The table is swept in as many parts, one after the other, each hour. */
export const PRUNE_PARTS = 12;

/**
 * Forgets, in a part of the table, what came more than 48 hours ago. Reading all of it once an hour costs a busy server less
 * than an index by time, which every record would have to be put into.
 */
export async function pruneRecent(sql: Sql, part: number) {
  const [table] = await sql<[{ blocks: number }]>`
    select (pg_relation_size('recent_records') / current_setting('block_size')::integer)::integer as blocks`;
  const end = Math.ceil((table.blocks * (part + 1)) / PRUNE_PARTS);
  for (let block = Math.floor((table.blocks * part) / PRUNE_PARTS); block < end; block += PRUNE_BLOCKS) {
    await sql`
      delete from recent_records
       where ctid >= ${`(${block},0)`}::tid and ctid < ${`(${Math.min(block + PRUNE_BLOCKS, end)},0)`}::tid
         and received_at < now() - interval '48 hours'`;
  }
}
