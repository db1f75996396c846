import type { Config } from '../config/settings.ts';
import { countMachinesOfDays, rebuildCounters } from '../counters/count.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import type { Fleet } from '../fleets.ts';
import { builtInParsers } from '../parsers/built-in/parsers.ts';
import { likePatterns } from '../records/classification.ts';
import { insertRecords, type RecordToInsert } from '../records/store.ts';
import type { FleetDay } from './fleet.ts';

const CHUNK = 4_000;

export interface DemoWriter {
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
 * memory of recent ones, queued work, and counters as the function that rebuilds counters derives them. The records of the next
 * days go in while a day is finished. Machines follow in transactions of their own: interrupted, it leaves some days whose
 * machines `rebuild-counters` has to count.
 */
export async function writeFleet(sql: Sql, days: FleetDay[], writer: DemoWriter): Promise<number> {
  let written = 0;
  let finished: Promise<unknown> = Promise.resolve();
  let counted: Promise<unknown> = Promise.resolve();
  for (const [n, day] of days.entries()) {
    const before = finished;
    const filled = Promise.withResolvers<void>();
    finished = sql.begin(async tx => {
      const table = await openDay(tx, day.day);
      written = await writeRecords(tx, day, table, writer, written);
      await queueWork(tx, day.day, table, writer.config);
      filled.resolve();
      await before;
      await finishDay(tx, day.day, table, writer.config);
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

async function finishDay(tx: Queryable, day: string, table: string, config: Config) {
  if (table !== 'records') await tx`select attach_records_table(${day}::date)`;
  await rememberRecent(tx, day);
  await rebuildCounters(tx, day, config);
}

/** A new table is filled before it becomes a partition, since its indexes are made quicker at once. */
async function openDay(tx: Queryable, day: string): Promise<string> {
  const [row] = await tx<{ name: string; present: boolean }[]>`
    select name, to_regclass(name) is not null as present
      from (select 'records_' || to_char(${day}::date, 'YYYYMMDD') as name) partition`;
  if (row!.present) return 'records';
  await tx`select create_records_table(${day}::date)`;
  return row!.name;
}

/** One chunk is generated while the one before it is written. */
async function writeRecords(
  tx: Queryable,
  day: FleetDay,
  table: string,
  { fleets, progress }: DemoWriter,
  before: number,
) {
  let written = before;
  let writing: Promise<void> = Promise.resolve();
  for (const records of chunks(day, fleets)) {
    await writing;
    progress(written);
    written += records.length;
    writing = insertWithIds(tx, records, table);
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

async function insertWithIds(tx: Queryable, records: Omit<RecordToInsert, 'id'>[], table: string) {
  const ids = await tx<
    { id: number }[]
  >`select nextval('record_ids') as id from generate_series(1, ${records.length}::int)`;
  await insertRecords(
    tx,
    records.map((record, index) => ({ ...record, id: ids[index]!.id })),
    table,
  );
}

function ofDay(tx: Queryable, day: string) {
  return tx`received_at >= ${day}::timestamp at time zone 'UTC' and received_at < (${day}::date + 1)::timestamp at time zone 'UTC'`;
}

async function queueWork(tx: Queryable, day: string, table: string, config: Config) {
  const crashes = likePatterns(config.crashes.classifications);
  const parsed = likePatterns(builtInParsers(config).flatMap(parser => parser.classifications));
  await tx`
    with work as materialized (
      select classification, kind
        from (select distinct classification from ${tx(table)} where ${ofDay(tx, day)}) came
        join (values ('crash', ${crashes}::text[]), ('parse', ${parsed}::text[])) as wanted (kind, patterns)
          on classification like any(patterns)
    )
    insert into work_queue (kind, record_id, machine_id, received_at)
    select kind, id, machine_id, received_at from ${tx(table)} join work using (classification) where ${ofDay(tx, day)}
        on conflict do nothing`;
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
