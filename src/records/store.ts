import type { Queryable, Sql } from '../db/connect.ts';
import { isConnectionFailure } from '../errors.ts';
import type { Report } from './record.ts';

export interface NewRecord {
  report: Report;
  fleetId: number;
  /** See recordFingerprint. */
  fingerprint: string;
  /** Kinds of work to queue for the record. */
  work: 'crash'[];
}

export type StoreOutcome =
  | { kind: 'stored'; id: number; receivedAt: Date }
  /** It came before: the id and time of the first one. */
  | { kind: 'repeated'; id: number; receivedAt: Date }
  /** The database refused this record alone. */
  | { kind: 'rejected'; reason: string };

/** Deadlock and serialization failure: the same batch may be tried again. */
const RETRYABLE = new Set(['40001', '40P01']);
const RETRIES = 3;
/** Data that the database does not take: SQLSTATE classes 22 (data exception) and 23 (constraint violation). */
const DATA_ERROR = /^2[23]/;

/**
 * Stores a batch in one transaction: records, duplicates check, counters and queued work. A row that the database does
 * not take is found by halving the batch, so that it costs the others a few transactions and nothing else.
 */
export async function storeBatch(sql: Sql, batch: NewRecord[], attempt = 0): Promise<StoreOutcome[]> {
  try {
    return await writeBatch(sql, batch);
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '');
    if (RETRYABLE.has(code) && attempt < RETRIES) return storeBatch(sql, batch, attempt + 1);
    if (isConnectionFailure(error) || !DATA_ERROR.test(code)) throw error;
    if (batch.length === 1) return [{ kind: 'rejected', reason: (error as Error).message }];
    const middle = batch.length >> 1;
    const first = await storeBatch(sql, batch.slice(0, middle));
    return [...first, ...(await storeBatch(sql, batch.slice(middle)))];
  }
}

interface StoredRow {
  n: number;
  id: number;
  receivedAt: Date;
  fresh: boolean;
}

async function writeBatch(sql: Sql, batch: NewRecord[]): Promise<StoreOutcome[]> {
  const distinct = firstOfEach(batch);
  const rows = [...distinct.values()].map((record, index) => ({
    n: index + 1,
    fingerprint: record.fingerprint,
    crash: record.work.includes('crash'),
    ...columnsOf(record),
  }));
  const stored = await sql<StoredRow[]>`
    select n, id, received_at as "receivedAt", fresh from store_records(${JSON.stringify(rows)}::text::json)`;
  const places = new Map([...distinct.keys()].map((key, index) => [key, index + 1]));
  const byPlace = new Map(stored.map(row => [row.n, row]));
  const answered = new Set<number>();
  return batch.map(({ report, fingerprint }) => {
    const place = places.get(keyOf(report.machineId, fingerprint))!;
    const { id, receivedAt, fresh } = byPlace.get(place)!;
    const kind = fresh && !answered.has(place) ? 'stored' : 'repeated';
    answered.add(place);
    return { kind, id, receivedAt };
  });
}

function firstOfEach(batch: NewRecord[]): Map<string, NewRecord> {
  const distinct = new Map<string, NewRecord>();
  for (const record of batch) {
    const key = keyOf(record.report.machineId, record.fingerprint);
    if (!distinct.has(key)) distinct.set(key, record);
  }
  return distinct;
}

function keyOf(machineId: string, fingerprint: string) {
  return `${fingerprint}${machineId}`;
}

export interface RecordToInsert {
  id: number;
  fleetId: number;
  receivedAt: Date;
  report: Report;
}

/** Inserts into `records`, or into the table of one day: for records whose ids and times are known. */
export async function insertRecords(tx: Queryable, records: RecordToInsert[], table = 'records') {
  const rows = records.map(record => ({ id: record.id, received_at: record.receivedAt, ...columnsOf(record) }));
  await tx`
    insert into ${tx(table)} (id, received_at, machine_id, fleet_id, external, severity, record_format_version,
                         payload_format_version, classification, system_name, build, arch, kernel_version, host_type,
                         board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw)
    select id, received_at, machine_id, fleet_id, external, severity, record_format_version, payload_format_version,
           classification, system_name, build, arch, kernel_version, host_type, board_name, cpu_model, bios_version,
           event_id, to_timestamp(captured_at), payload, decode(payload_raw, 'base64')
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as row (
             id bigint, received_at timestamptz, machine_id text, fleet_id smallint, external boolean, severity smallint,
             record_format_version smallint, payload_format_version integer, classification text, system_name text, build text,
             arch text, kernel_version text, host_type text, board_name text, cpu_model text, bios_version text, event_id text,
             captured_at bigint, payload text, payload_raw text)`;
}

/** A record as the columns of `records`; a payload with NULs also as its bytes, since PostgreSQL text can't hold them. */
function columnsOf({ fleetId, report }: { fleetId: number; report: Report }) {
  const nul = report.payload.includes('\0');
  return {
    fleet_id: fleetId,
    machine_id: report.machineId,
    external: report.external,
    severity: report.severity,
    record_format_version: report.recordFormatVersion,
    payload_format_version: report.payloadFormatVersion,
    classification: report.classification,
    system_name: report.systemName,
    build: report.build,
    arch: report.arch,
    kernel_version: report.kernelVersion,
    host_type: report.hostType,
    board_name: report.boardName,
    cpu_model: report.cpuModel,
    bios_version: report.biosVersion,
    event_id: report.eventId,
    captured_at: report.capturedAt,
    payload: nul ? report.payload.replaceAll('\0', '␀') : report.payload,
    payload_raw: nul ? Buffer.from(report.payload).toString('base64') : null,
  };
}

const PRUNE_SLICE = 20_000;

/** Forgets, in slices, what came more than 48 hours ago. */
export async function pruneRecent(sql: Sql) {
  for (let pruned = PRUNE_SLICE; pruned === PRUNE_SLICE; ) {
    const result = await sql`
      delete from recent_records
       where ctid = any(array(select ctid from recent_records where received_at < now() - interval '48 hours' limit ${PRUNE_SLICE}))`;
    pruned = result.count;
  }
}
