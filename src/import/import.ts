import { keepRefused } from '../collector/quarantine.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { isDataError, isRetryable } from '../db/sqlstates.ts';
import type { Fleet } from '../fleets.ts';
import type { Log } from '../log.ts';
import { kindsOf } from '../parsers/kind.ts';
import type { Scrubber } from '../privacy/scrubber.ts';
import { reasonOf, type Translated, toQuarantine, translate } from './old-record.ts';
import { readOldPage, type Source } from './source.ts';
import {
  type BatchOutcome,
  countPresent,
  type ImportState,
  makeDays,
  type RecordToImport,
  saveState,
  storeImported,
} from './store.ts';

export interface Importer {
  /** Has one connection. */
  sql: Sql;
  config: Config;
  log: Log;
  fleet: Fleet;
  scrubber: Scrubber;
  /** Only counts, and writes nothing. */
  dryRun: boolean;
}

/** A record that came again within this time is the same record, as for ingestion. */
const SAME_WITHIN_MS = 48 * 3_600_000;
const RETRIES = 5;

/**
 * Reads the records of a source up to an id, from where `state` says, and stores them page by page; reads one page
 * while the one before is written. Stores each page in one transaction together with the updated state. Returns how
 * many were read.
 */
export async function importRecords(
  source: Source,
  upTo: string,
  state: ImportState,
  importer: Importer,
  progress: (read: number) => void,
) {
  const days = new Set<string>();
  let read = 0;
  for (let next = readOldPage(source, state.lastId, upTo); ; ) {
    const page = await next;
    if (page.length === 0) return read;
    next = readOldPage(source, page.at(-1)!.id, upTo);
    next.catch(() => {});
    const slice = await Promise.all(page.map(old => translate(old, importer.fleet, importer.scrubber)));
    if (importer.dryRun) await countSlice(slice, state, importer);
    else {
      await makeNewDays(slice, days, importer);
      await storeSlice(slice, state, importer);
    }
    read += page.length;
    progress(read);
  }
}

async function makeNewDays(slice: Translated[], known: Set<string>, { sql, log }: Importer) {
  const days = slice.flatMap(item =>
    item.kind === 'record' ? [item.record.receivedAt.toISOString().slice(0, 10)] : [],
  );
  const missing = new Set(days.filter(day => !known.has(day)));
  await makeDays(sql, missing, log);
  for (const day of missing) known.add(day);
}

/** If the database refuses one of the records, halves the slice until that record stands alone. */
async function storeSlice(slice: Translated[], state: ImportState, importer: Importer, attempt = 0): Promise<void> {
  const refused = slice.filter(item => item.kind === 'refused');
  try {
    await keepAside(refused, importer);
    const after = await importer.sql.begin(async tx => {
      const { records, repeated } = distinctRecords(slice, importer);
      const stored = await storeImported(tx, records, importer.config);
      const reached = addTo(state, slice.at(-1)!.id, refused, { ...stored, present: stored.present + repeated });
      await saveState(tx, reached);
      return reached;
    });
    Object.assign(state, after);
  } catch (error) {
    if (isRetryable(error) && attempt < RETRIES) return storeSlice(slice, state, importer, attempt + 1);
    if (!isDataError(error) || refused.length === slice.length) throw error;
    const middle = slice.length >> 1;
    if (middle > 0) {
      await storeSlice(slice.slice(0, middle), state, importer);
      return storeSlice(slice.slice(middle), state, importer);
    }
    return storeSlice([withdrawn(slice[0]!, error as Error)], state, importer);
  }
}

async function keepAside(refused: (Translated & { kind: 'refused' })[], { sql, config, fleet, scrubber }: Importer) {
  if (refused.length === 0 || config.collector.refuse === 'strict') return;
  const requests = await Promise.all(refused.map(item => toQuarantine(item, fleet, scrubber)));
  await keepRefused(sql, requests, config.quarantine);
}

function withdrawn(item: Translated, { message }: Error): Translated {
  if (item.kind === 'refused') return item;
  return {
    kind: 'refused',
    id: item.id,
    old: item.old,
    refusal: { field: null, message: `the database does not take this record: ${message}` },
  };
}

async function countSlice(slice: Translated[], state: ImportState, importer: Importer) {
  const { records, repeated } = distinctRecords(slice, importer);
  const here = await countPresent(importer.sql, records);
  const refused = slice.filter(item => item.kind === 'refused');
  const counts = { imported: records.length - here, renumbered: 0, present: here + repeated };
  Object.assign(state, addTo(state, slice.at(-1)!.id, refused, counts));
}

/** Keeps the first of each group of equal records. */
function distinctRecords(slice: Translated[], { config }: Importer) {
  // Only the server loads admins' parsers; "parser run" lets them read imported records.
  const kinds = kindsOf(config);
  const seen = new Map<string, Date>();
  const records: RecordToImport[] = [];
  let repeated = 0;
  for (const item of slice) {
    if (item.kind === 'refused') continue;
    const { record, id } = item;
    const key = record.fingerprint + record.report.machineId;
    const before = seen.get(key);
    if (before && Math.abs(record.receivedAt.getTime() - before.getTime()) < SAME_WITHIN_MS) {
      repeated++;
      continue;
    }
    seen.set(key, record.receivedAt);
    records.push({ ...record, id, kinds: kinds(record.report.classification) });
  }
  return { records, repeated };
}

function addTo(
  state: ImportState,
  lastId: string,
  refused: (Translated & { kind: 'refused' })[],
  outcome: BatchOutcome,
): ImportState {
  const setAside = { ...state.setAside };
  for (const { refusal } of refused) setAside[reasonOf(refusal)] = (setAside[reasonOf(refusal)] ?? 0) + 1;
  return {
    ...state,
    lastId,
    imported: state.imported + outcome.imported,
    renumbered: state.renumbered + outcome.renumbered,
    present: state.present + outcome.present,
    setAside,
  };
}
