import type { Config } from '../config/settings.ts';
import { countMachinesOfDays, rebuildCounters } from '../counters/count.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import type { Fleet } from '../fleets.ts';
import { type PayloadReader, payloadReader, type Reading } from '../parsers/read-at-once.ts';
import { insertParsed } from '../parsers/store.ts';
import { insertRecords, type RecordToInsert } from '../records/store.ts';
import type { FleetDay } from './fleet.ts';

const CHUNK = 4_000;

interface DemoWriter {
  fleets: Fleet[];
  config: Config;
  progress(written: number): void;
}

/** Connections of `sql`: machines are counted, a day is finished, one waits for that, and one is filled. */
export const AT_ONCE = 4;
/** Days whose machines are counted together: most machines are seen on all of them. */
const DAYS_COUNTED = 5;

/**
 * Writes the days of a fleet, each in one transaction and with everything that ingestion would have written for it: records,
 * memory of recent ones, parsed data, queued work, and counters as the function that rebuilds counters derives them. The records of
 * the next days go in while a day is finished. Machines follow in transactions of their own: interrupted, it leaves some days whose
 * machines `rebuild-counters` has to count.
 */
export async function writeFleet(sql: Sql, days: FleetDay[], writer: DemoWriter): Promise<number> {
  const read = payloadReader(writer.config);
  let written = 0;
  let finished: Promise<unknown> = Promise.resolve();
  let counted: Promise<unknown> = Promise.resolve();
  for (const [n, day] of days.entries()) {
    const before = finished;
    const filled = Promise.withResolvers<void>();
    finished = sql.begin(async tx => {
      const tables = await openDay(tx, day.day);
      written = await writeRecords(tx, day, tables, writer, read, written);
      filled.resolve();
      await before;
      await finishDay(tx, day.day, tables, writer.config);
    });
    finished.catch(filled.reject);
    await filled.promise;
    if ((n + 1) % DAYS_COUNTED === 0 || n === days.length - 1) {
      const first = days[n - (n % DAYS_COUNTED)]!;
      counted = Promise.all([counted, finished]).then(() =>
        sql.begin(tx => countMachinesOfDays(tx, first.day, day.day)),
      );
      counted.catch(() => {});
    }
  }
  await counted;
  return written;
}

async function finishDay(tx: Queryable, day: string, tables: DayTables, config: Config) {
  if (tables !== WHOLE) {
    await tx`select attach_records_table(${day}::date)`;
    // It gives up soon rather than stall ingestion, which counting does not.
    await tx`set local lock_timeout = 0`;
  }
  await rememberRecent(tx, day);
  await rebuildCounters(tx, day, config);
}

/** Tables that take the records of a day, and what parsers made of them. */
interface DayTables {
  records: string;
  parsed: string;
}

const WHOLE: DayTables = { records: 'records', parsed: 'parsed' };

/** New tables are filled before they become partitions, since their indexes are made quicker at once. */
async function openDay(tx: Queryable, day: string): Promise<DayTables> {
  const [row] = await tx<(DayTables & { present: boolean })[]>`
    select records, parsed, coalesce(to_regclass(records), to_regclass(months_table('records', day))) is not null as present
      from (select ${day}::date as day) d, days_table('records', day) as records, days_table('parsed', day) as parsed`;
  const { present, ...tables } = row!;
  if (present) return WHOLE;
  await tx`select create_records_table(${day}::date)`;
  return tables;
}

/** One chunk is generated while the one before it is written. */
async function writeRecords(
  tx: Queryable,
  day: FleetDay,
  tables: DayTables,
  { fleets, progress }: DemoWriter,
  read: PayloadReader,
  before: number,
) {
  let written = before;
  let writing: Promise<unknown> = Promise.resolve();
  for (const records of chunks(day, fleets)) {
    await writing;
    progress(written);
    written += records.length;
    writing = insertChunk(tx, records, tables, read);
  }
  await writing;
  progress(written);
  return written;
}

function* chunks(day: FleetDay, fleets: Fleet[]): Generator<Omit<RecordToInsert, 'id'>[]> {
  let chunk: Omit<RecordToInsert, 'id'>[] = [];
  for (const { report, receivedAt, fleetIndex } of day.records()) {
    chunk.push({ report, receivedAt: new Date(receivedAt), fleetId: fleets[fleetIndex]!.id });
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function insertChunk(tx: Queryable, chunk: Omit<RecordToInsert, 'id'>[], tables: DayTables, read: PayloadReader) {
  const ids = await tx<
    { id: number }[]
  >`select nextval('record_ids') as id from generate_series(1, ${chunk.length}::int)`;
  const records = chunk.map((record, index) => ({ ...record, id: ids[index]!.id }));
  const withReading = records.map(({ report, ...key }) => ({ ...key, machineId: report.machineId, ...read(report) }));
  const parsed = withReading.flatMap(({ parsed, ...key }) => (parsed ? [{ ...key, ...parsed }] : []));
  await Promise.all([
    insertRecords(tx, records, tables.records),
    insertParsed(tx, parsed, tables.parsed),
    queueWork(tx, withReading),
  ]);
}

function queueWork(tx: Queryable, records: (Reading & { id: number; machineId: string; receivedAt: Date })[]) {
  const rows = records.flatMap(({ machineId, receivedAt, id, work }) =>
    work.map(kind => [kind, id, machineId, receivedAt]),
  );
  return tx`
    insert into work_queue (kind, record_id, machine_id, received_at)
    select e->>0, (e->>1)::bigint, e->>2, (e->>3)::timestamptz
      from jsonb_array_elements(${JSON.stringify(rows)}::text::jsonb) as record (e)`;
}

function ofDay(tx: Queryable, day: string) {
  return tx`received_at >= ${day}::timestamp at time zone 'UTC' and received_at < (${day}::date + 1)::timestamp at time zone 'UTC'`;
}

/** The fingerprint that ingestion makes in recordFingerprint, in SQL. */
async function rememberRecent(tx: Queryable, day: string) {
  await tx`
    insert into recent_records (machine_id, fingerprint, id, received_at)
    select machine_id,
           encode(substring(sha256(
             convert_to(coalesce(event_id, ''), 'UTF8') || '\\x00' || convert_to(classification, 'UTF8') || '\\x00'
             || convert_to(extract(epoch from captured_at)::bigint::text, 'UTF8') || '\\x00' || convert_to(payload, 'UTF8')
           ) for 16), 'hex')::uuid,
           id, received_at
      from records
     where ${ofDay(tx, day)} and received_at > now() - interval '48 hours'
        on conflict do nothing`;
}
