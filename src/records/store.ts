import type { Queryable, Sql } from '../db/connect.ts';
import { isConnectionFailure, isDataError, isMovedByPartition, isRetryable } from '../db/sqlstates.ts';
import type { Reading } from '../parsers/read-at-once.ts';
import type { Report, WayIn } from './record.ts';

export interface NewRecord extends Reading {
  report: Report;
  fleetId: number;
  /** From recordFingerprint. */
  fingerprint: string;
  /** The names of the rules that changed its payload. */
  scrubbedBy: string[];
  wayIn: WayIn;
}

export type StoreOutcome =
  | { kind: 'stored'; id: number; receivedAt: Date }
  /** It came before; id and time are those of the first one. */
  | { kind: 'repeated'; id: number; receivedAt: Date }
  /** The database refused this record alone. */
  | { kind: 'rejected'; reason: string };

const RETRIES = 3;

/**
 * Stores a batch in one transaction: records, the check for duplicates, parsed data, queued work, and the note to count
 * them. A row that the database refuses is found by halving the batch, which costs the other rows only a few
 * transactions.
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
  /** For each repeated record: [index in the batch, id and time of the first one]. */
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

/** The records without repetitions within the batch, and for each record of the batch its index among them. */
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

/** Inserts records with known ids and times into `records`, or into the table of one day. */
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

/**
 * A record's values except its payload, in the order that store_records, import_records (sql/) and insertRecords
 * expect.
 */
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

/** The payload as text without NULs, which PostgreSQL's text can't hold. */
export function payloadText({ report: { payload } }: RecordToWrite): string {
  return payload.includes('\0') ? payload.replaceAll('\0', '␀') : payload;
}

/** A payload with NULs as base64 bytes; null for others. */
export function payloadRaw({ report: { payload } }: RecordToWrite): string | null {
  return payload.includes('\0') ? Buffer.from(payload).toString('base64') : null;
}

/** Joins payloads into one text, each followed by a random separator that no sender can guess. */
function payloadsOf(records: RecordToWrite[]): { payloads: string; separator: string } {
  const separator = crypto.randomUUID();
  return { payloads: records.map(record => payloadText(record) + separator).join(''), separator };
}

/** How much of recent_records one statement reads: 2 MB in blocks. */
const PRUNE_BLOCKS = 256;
/** Each hour, the table is pruned in this many parts, one after the other. */
export const PRUNE_PARTS = 12;

/**
 * Forgets, in a part of the table, what came more than 48 hours ago. Reading the whole table once an hour costs a busy
 * server less than an index by time, to which every record would have to be added.
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
