import { countRecords } from '../counters/count.ts';
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

interface RecentRecord {
  id: number;
  machine_id: string;
  fingerprint: string;
  received_at: Date;
}

async function writeBatch(sql: Sql, batch: NewRecord[]): Promise<StoreOutcome[]> {
  const distinct = firstOfEach(batch);
  return sql.begin(async tx => {
    const [, ids] = await Promise.all([announceBatch(tx), takeIds(tx, distinct.size)]);
    const fresh = new Map((await rememberRecent(tx, [...distinct.values()], ids)).map(row => [recentKey(row), row]));
    const stored = [...distinct]
      .filter(([key]) => fresh.has(key))
      .map(([key, record]) => ({ ...record, id: fresh.get(key)!.id }));
    const [first] = fresh.values();
    const [earlier] = await Promise.all([
      fresh.size < distinct.size
        ? findRecent(
            tx,
            [...distinct].filter(([key]) => !fresh.has(key)).map(([, record]) => record),
          )
        : [],
      ...(first
        ? [
            insertRecords(
              tx,
              stored.map(record => ({ ...record, receivedAt: first.received_at })),
            ),
            countRecords(tx, stored, first.received_at),
            queueWork(tx, stored, first.received_at),
          ]
        : []),
    ]);
    const known = new Map([...earlier.map(row => [recentKey(row), row] as const), ...fresh]);
    const answered = new Set<string>();
    return batch.map(({ report, fingerprint }) => {
      const key = keyOf(report.machineId, fingerprint);
      const { id, received_at: receivedAt } = known.get(key)!;
      const kind = fresh.has(key) && !answered.has(key) ? 'stored' : 'repeated';
      answered.add(key);
      return { kind, id, receivedAt };
    });
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

function recentKey(row: RecentRecord) {
  return keyOf(row.machine_id, row.fingerprint);
}

/** Tells readers that follow ids (`settled=true`) from which id on this batch may still become visible. */
function announceBatch(tx: Queryable) {
  return tx`
    select pg_advisory_xact_lock_shared((${OPEN_BATCH_TAG}::bigint << 53) | case when is_called then last_value else 0 end)
      from record_ids`;
}

/** Marks our advisory locks: above the 53 bits that hold an id. */
export const OPEN_BATCH_TAG = 737;

async function takeIds(tx: Queryable, count: number): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`select nextval('record_ids') as id from generate_series(1, ${count}::int)`;
  return rows.map(row => row.id);
}

/** Remembers what is new and returns it; what came within the last 48 hours is left out. In key order, so that instances can't deadlock. */
function rememberRecent(tx: Queryable, records: NewRecord[], ids: number[]) {
  return tx<RecentRecord[]>`
    insert into recent_records as known (machine_id, fingerprint, id, received_at)
    select machine_id, fingerprint::uuid, id, date_trunc('milliseconds', now())
      from unnest(
             ${records.map(record => record.report.machineId)}::text[],
             ${records.map(record => record.fingerprint)}::text[],
             ${ids}::bigint[]
           ) as came (machine_id, fingerprint, id)
     order by machine_id, fingerprint
        on conflict (machine_id, fingerprint) do update
       set id = excluded.id, received_at = excluded.received_at
     where known.received_at < now() - interval '48 hours'
    returning id, machine_id, replace(fingerprint::text, '-', '') as fingerprint, received_at`;
}

function findRecent(tx: Queryable, records: NewRecord[]) {
  return tx<RecentRecord[]>`
    select known.id, known.machine_id, replace(known.fingerprint::text, '-', '') as fingerprint, known.received_at
      from recent_records known
      join unnest(
             ${records.map(record => record.report.machineId)}::text[],
             ${records.map(record => record.fingerprint)}::text[]
           ) as came (machine_id, fingerprint)
        on known.machine_id = came.machine_id and known.fingerprint = came.fingerprint::uuid`;
}

export interface RecordToInsert {
  id: number;
  fleetId: number;
  receivedAt: Date;
  report: Report;
}

/** Inserts into `records`, or into the table of one day. */
export async function insertRecords(tx: Queryable, records: RecordToInsert[], table = 'records') {
  const rows = records.map(({ id, fleetId, receivedAt, report }) => {
    const nul = report.payload.includes('\0');
    return {
      id,
      received_at: receivedAt,
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
  });
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

async function queueWork(tx: Queryable, records: (NewRecord & { id: number })[], receivedAt: Date) {
  const queued = records.filter(record => record.work.length > 0);
  if (queued.length === 0) return;
  await tx`
    insert into work_queue (kind, record_id, machine_id, received_at)
    select 'crash', record_id, machine_id, ${receivedAt}
      from unnest(${queued.map(record => record.id)}::bigint[], ${queued.map(record => record.report.machineId)}::text[])
           as crash (record_id, machine_id)`;
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
