import { csvLine } from '../csv.ts';
import type { Sql } from '../db/connect.ts';
import type { Data } from '../parsers/parser.ts';
import { withParsed } from '../parsers/shown.ts';
import type { RecordFilter } from './filter-sql.ts';
import { recordToJson } from './json.ts';
import { toRecord } from './queries.ts';
import type { StoredRecord } from './record.ts';
import { allOfDay, matchingDays } from './search.ts';

export type ExportFormat = 'csv' | 'ndjson';

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
const SLICE = 250;

/**
 * The records that fit, newest first, at most `limit`: read as fast as the other side takes them, a slice at a time, each day
 * from a cursor, while `lookups` tells what parsers made of them. Ends its query when the other side goes away.
 */
export function exportRecords(
  sql: Sql,
  lookups: Sql,
  filter: RecordFilter,
  format: ExportFormat,
  limit: number,
): ReadableStream<Uint8Array> {
  const texts = exportTexts(sql, lookups, filter, format, limit);
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
  format: ExportFormat,
  limit: number,
): AsyncGenerator<string, void> {
  if (format === 'csv') yield csvLine(COLUMNS);
  const line = format === 'csv' ? csvOf : jsonLine;
  let left = limit;
  for await (const { days } of matchingDays(sql, filter, 'newest')) {
    for (const { day } of days) {
      if (left <= 0) return;
      for await (const rows of allOfDay(sql, filter, day, left).cursor(SLICE)) {
        left -= rows.length;
        const records = await withParsed(lookups, rows.map(toRecord), record => record);
        yield records.map(line).join('');
      }
    }
  }
}

type ExportedRecord = StoredRecord & { parsed: { [key: string]: Data } | null };

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
  return `${JSON.stringify({ ...recordToJson(record), parsed: record.parsed })}\n`;
}
