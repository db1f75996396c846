import { BYTE_ORDER_MARK, csvLine } from '../csv.ts';
import type { Sql } from '../db/connect.ts';
import type { RecordFilter } from './filter-sql.ts';
import { recordToJson } from './json.ts';
import { toRecord } from './queries.ts';
import { allOfDayParsed, matchingDays, type ParsedRow } from './search.ts';

export type ExportFormat = 'csv' | 'ndjson';

export interface ExportOptions {
  format: ExportFormat;
  limit: number;
  /** In front of CSV. */
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

/**
 * The records that fit, newest first, at most `limit`: read as fast as the other side takes them, a slice at a time, from
 * cursors on two connections of `sql`. Ends its queries when the other side goes away.
 */
export function exportRecords(
  sql: Sql,
  lookups: Sql,
  filter: RecordFilter,
  options: ExportOptions,
): ReadableStream<Uint8Array> {
  const texts = exportTexts(sql, lookups, filter, options);
  const encoder = new TextEncoder();
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { done, value } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await texts.return(undefined);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

async function* exportTexts(
  sql: Sql,
  lookups: Sql,
  filter: RecordFilter,
  { format, limit, byteOrderMark }: ExportOptions,
): AsyncGenerator<string, void> {
  if (format === 'csv') yield (byteOrderMark ? BYTE_ORDER_MARK : '') + csvLine(COLUMNS);
  const line = format === 'csv' ? csvOf : jsonLine;
  let left = limit;
  for await (const rows of slicesOfDays(sql, lookups, filter, limit)) {
    const wanted = rows.slice(0, left);
    left -= wanted.length;
    yield wanted.map(row => line(toRecord(row))).join('');
    if (left === 0) return;
  }
}

/** A day's query begins while the day before it is written out. */
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

/** The slices of a cursor, each fetched while the one before it is written out, the first at once. */
function begin(cursor: AsyncIterable<ParsedRow[]>) {
  const iterator = cursor[Symbol.asyncIterator]();
  const fetchNext = () => {
    const next = Promise.resolve(iterator.next());
    // Who asks for it is told; it may fail before anyone does.
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

type ExportedRecord = Omit<ParsedRow, 'payloadRaw'>;

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
