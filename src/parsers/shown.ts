import type { RecordParsed } from '../../views/records/record-parsed.tsx';
import type { Sql } from '../db/connect.ts';
import { findWork } from '../db/work-queue.ts';
import type { StoredRecord } from '../records/record.ts';
import { type Lane, parserOf } from './parser.ts';
import { WITHOUT_A_WORD } from './queue.ts';
import { readParsed } from './store.ts';

/** What a record's page shows of its payload; undefined where no parser reads it, or has found anything. */
export async function parsedOfRecord(sql: Sql, record: StoredRecord): Promise<RecordParsed | undefined> {
  // The queue is asked first: a record that has left it by then has its data when that is asked for.
  const queued = await findWork(sql, sql`kind like 'parse%'`, record.id);
  const found = (await readParsed(sql, [record])).get(record.id);
  if (found) return { state: 'parsed', ...found };
  if (!queued) return undefined;
  const parser = parserOf(queued.kind as Lane);
  return queued.failed
    ? { state: 'failed', parser, error: queued.error ?? WITHOUT_A_WORD }
    : { state: 'waiting', parser };
}

/** Records as the API and exports write them: `parsed` is what a parser made of the payload, or null. */
export async function withParsed<Json extends { id: number }>(
  sql: Sql,
  records: StoredRecord[],
  toJson: (record: StoredRecord) => Json,
) {
  const parsed = await readParsed(sql, records);
  return records.map(record => ({ ...toJson(record), parsed: parsed.get(record.id)?.data ?? null }));
}
