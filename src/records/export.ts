import { queriesUntil, signalOfWork } from '../db/cancellation.ts';
import type { Sql } from '../db/connect.ts';
import { BYTE_ORDER_MARK, csvLine } from '../tables/csv.ts';
import type { RecordFilter } from './filter-sql.ts';
import { recordToJson } from './json.ts';
import { withPayload } from './queries.ts';
import type { StoredRecord } from './record.ts';
import { matchingDays } from './search.ts';
import { allOfDayParsed, type ParsedRow } from './whole-days.ts';

export type ExportFormat = 'csv' | 'ndjson';

interface ExportOptions {
  format: ExportFormat;
  limit: number;
  /** Begins CSV with a byte order mark. */
  byteOrderMark: boolean;
}

export const MEDIA_TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const COLUMNS = [
  'id',
  'external',
  'received',
  'severity',
  'classification',
  'os',
  'build',
  'machine_id',
  'payload',
  'parsed',
];
/** Rows in memory at a time. */
const SLICE = 100;

/** Characters passed on at once. */
const PIECE = 256 * 1024;

/**
 * Exports at most `limit` matching records, newest first. Reads a slice at a time from cursors on two connections of
 * `sql`, as fast as the client takes them. Resolves once the first records are there, and calls `ended` when its
 * connections are free. Ends its queries if the client leaves.
 */
export async function exportRecords(
  sql: Sql,
  lookups: Sql,
  filter: RecordFilter,
  options: ExportOptions,
  ended: () => void,
): Promise<ReadableStream<Uint8Array>> {
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  const asker = signalOfWork();
  const texts = exportTexts(sql, lookups, filter, options);
  const run = queriesUntil(leaving.signal);
  const next = () => run(() => texts.next());
  const end = async () => {
    leave();
    await texts.return(undefined).catch(() => {});
    ended();
  };

  asker?.addEventListener('abort', leave);
  let first: Promise<IteratorResult<string, void>> | undefined = next();
  try {
    await first;
  } catch (error) {
    await end();
    throw error;
  } finally {
    asker?.removeEventListener('abort', leave);
  }

  const encoder = new TextEncoder();
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      try {
        const { done, value } = await (first ?? next());
        first = undefined;
        if (!done) return controller.enqueue(encoder.encode(value));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      await end();
    },
    cancel: end,
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

async function* exportTexts(
  sql: Sql,
  lookups: Sql,
  filter: RecordFilter,
  { format, limit, byteOrderMark }: ExportOptions,
): AsyncGenerator<string, void> {
  const line = format === 'csv' ? csvOf : jsonLine;
  let text = format === 'csv' ? (byteOrderMark ? BYTE_ORDER_MARK : '') + csvLine(COLUMNS) : '';
  let left = limit;
  for await (const rows of slicesOfDays(sql, lookups, filter, limit)) {
    for (const row of rows.slice(0, left)) {
      const record = await withPayload(lookups, row);
      if (record) text += line(record);
      if (text.length < PIECE) continue;
      yield text;
      text = '';
    }
    if (text !== '') yield text;
    text = '';
    left -= rows.length;
    if (left <= 0) return;
  }
  if (text !== '') yield text;
}

/** Starts a day's query while the day before is written out. */
async function* slicesOfDays(sql: Sql, lookups: Sql, filter: RecordFilter, limit: number) {
  let [current, next]: ReturnType<typeof begin>[] = [];
  try {
    for await (const { days } of matchingDays(lookups, filter, 'newest')) {
      for (const { day } of days) {
        next = begin(allOfDayParsed(sql, filter, day, limit).cursor(SLICE));
        if (current) yield* current.slices();
        [current, next] = [next, undefined];
      }
    }
    if (current) yield* current.slices();
  } finally {
    await Promise.all([current?.end(), next?.end()]);
  }
}

/** Reads a cursor's slices: the first at once, each later one while its predecessor is written out. */
function begin(cursor: AsyncIterable<ParsedRow[]>) {
  const iterator = cursor[Symbol.asyncIterator]();
  const fetchNext = () => {
    const next = Promise.resolve(iterator.next());
    // The error reaches the caller of next(); this only prevents an unhandled rejection before.
    next.catch(() => {});
    return next;
  };
  let next = fetchNext();
  return {
    async *slices() {
      for (let slice = await next; !slice.done; slice = await next) {
        next = fetchNext();
        yield slice.value;
      }
    },
    /** A cursor can be closed only between two slices. */
    async end() {
      await next.catch(() => {});
      await iterator.return?.();
    },
  };
}

type ExportedRecord = StoredRecord & Pick<ParsedRow, 'parsed'>;

function csvOf(record: ExportedRecord): string {
  return csvLine([
    record.id,
    record.external,
    record.receivedAt.toISOString(),
    record.severity,
    record.classification,
    record.systemName,
    record.build,
    record.machineId,
    record.payload,
    record.parsed && JSON.stringify(record.parsed),
  ]);
}

function jsonLine(record: ExportedRecord): string {
  return `${JSON.stringify(Object.assign(recordToJson(record), { parsed: record.parsed }))}\n`;
}
