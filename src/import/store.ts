import type { Config } from '../config/settings.ts';
import { countedClassifications } from '../counters/classifications.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import { makeDay } from '../db/partitions.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { RecordKind } from '../parsers/kind.ts';
import { settledId } from '../records/queries.ts';
import { payloadRaw, payloadText, recordMetadata } from '../records/store.ts';
import type { ImportedRecord } from './old-record.ts';

/** How far an old database was read, and what happened to its records. */
export interface ImportState {
  source: string;
  startedAt: Date;
  /** The last id read, as text; at the start the one before the first. */
  lastId: string;
  imported: number;
  /** Imported records that could not keep their id. */
  renumbered: number;
  present: number;
  /** Counts by reason. */
  setAside: Record<string, number>;
  judged: boolean;
}

export type RecordToImport = ImportedRecord & { id: string; kinds: RecordKind[] };

const BEFORE_ALL = '-9223372036854775809';
/** Ids are JSON numbers. Higher ids than this are not kept, so that enough are left for new records. */
const HIGHEST_KEPT = 2 ** 52;
/** More ids than can be used while the sequence is moved. */
const CLEARANCE = 100_000;
const SETTLE_TIMEOUT_MS = 30_000;

/**
 * The state of a source; with `again` from its first record. What analysts decided is taken over only once in any case.
 */
export async function openState(sql: Sql, source: string, name: string, again: boolean): Promise<ImportState> {
  await sql`
    insert into imports (source, name, last_id) values (${source}, ${name}, ${BEFORE_ALL}::numeric)
        on conflict (source) do update set name = excluded.name`;
  const state = (await findState(sql, source))!;
  return again ? fromTheFirst(state) : state;
}

export function fromTheFirst(state: ImportState): ImportState {
  return { ...initialState(state.source), startedAt: state.startedAt, judged: state.judged };
}

/** Undefined if nothing was imported from it. */
export async function findState(sql: Queryable, source: string): Promise<ImportState | undefined> {
  const [row] = await sql<ImportState[]>`
    select source, started_at as "startedAt", last_id::text as "lastId", imported, renumbered, present, set_aside as "setAside",
           judged_at is not null as judged
      from imports where source = ${source}`;
  return row;
}

export function initialState(source: string): ImportState {
  const counts = { imported: 0, renumbered: 0, present: 0, setAside: {} };
  return { source, startedAt: new Date(), lastId: BEFORE_ALL, ...counts, judged: false };
}

export async function saveState(tx: Queryable, state: ImportState) {
  await tx`
    update imports
       set last_id = ${state.lastId}::numeric, imported = ${state.imported}, renumbered = ${state.renumbered}, present = ${state.present},
           set_aside = ${JSON.stringify(state.setAside)}::text::jsonb
     where source = ${state.source}`;
}

/**
 * Moves the ids of new records above those of an old database, and waits for batches that took ids before: an id that
 * is free afterwards stays free.
 */
export async function clearIds(sql: Sql, highestId: string) {
  const highest = Math.min(Number(highestId), HIGHEST_KEPT);
  await sql`select setval('record_ids', ${highest + CLEARANCE}) from record_ids where last_value < ${highest}`;
  for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; (await settledId(sql)) < highest; await Bun.sleep(50)) {
    if (Date.now() < deadline) continue;
    throw new OperatorError(
      'the server is writing a batch that does not end',
      'Run the import again; it continues where it stopped.',
    );
  }
}

const DAY_ATTEMPTS = 20;
const DAY_PAUSE_MS = 500;

/** Makes the partitions of days, also past ones, without holding up ingestion. */
export async function makeDays(sql: Sql, days: Iterable<string>, log: Log) {
  for (const day of days) {
    for (let attempt = 1; !(await makeDay(sql, day, log)); attempt++) {
      if (attempt === DAY_ATTEMPTS)
        throw new OperatorError(
          `the partition of ${day} can't be made while a long query reads the records`,
          'Run the import again once that is over; it continues where it stopped.',
        );
      await Bun.sleep(DAY_PAUSE_MS);
    }
  }
}

export interface BatchOutcome {
  imported: number;
  renumbered: number;
  present: number;
}

/** Stores records that are not here yet, with the times when they came to the old server. */
export async function storeImported(tx: Queryable, records: RecordToImport[], config: Config): Promise<BatchOutcome> {
  if (records.length === 0) return { imported: 0, renumbered: 0, present: 0 };
  const [outcome] = await tx<BatchOutcome[]>`
    select * from import_records(${batchOf(records)}::text::jsonb, ${countedClassifications(tx, config)})`;
  return outcome!;
}

/** How many of the records are here. */
export async function countPresent(sql: Queryable, records: RecordToImport[]): Promise<number> {
  if (records.length === 0) return 0;
  const [row] = await sql<{ present: number }[]>`
    select cardinality(records_present(${batchOf(records)}::text::jsonb)) as present`;
  return row!.present;
}

/** In the order that import_records (sql/) expects. */
function batchOf(records: RecordToImport[]): string {
  return JSON.stringify(
    records.map(record => [
      ...recordMetadata(record),
      payloadText(record),
      payloadRaw(record),
      record.fingerprint,
      record.kinds,
      record.scrubbedBy.join(',') || null,
      record.receivedAt,
      idToKeep(record.id),
    ]),
  );
}

function idToKeep(oldId: string): number | null {
  const id = Number(oldId);
  return id >= 1 && id <= HIGHEST_KEPT ? id : null;
}
