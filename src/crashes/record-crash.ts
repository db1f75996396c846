import type { RecordCrash } from '../../views/records/record-crash.tsx';
import type { Sql } from '../db/connect.ts';
import { findWork } from '../db/work-queue.ts';
import { modulesOf } from '../dialects/coredump-modules.ts';
import { readJournalEntry } from '../dialects/journal-entry.ts';
import { readCrash } from '../dialects/read-crash.ts';
import type { StoredRecord } from '../records/record.ts';
import { backtraceOf, guiltyName, stackToJson } from './shown.ts';
import { stackOfRecord } from './stack-queries.ts';

/** What a record's page shows of its analysis; undefined for records without backtraces. */
export async function crashOfRecord(sql: Sql, record: StoredRecord): Promise<RecordCrash | undefined> {
  const { queued, stack } = await analysisOf(sql, record);
  if (stack) {
    const entry = readJournalEntry(record.payload);
    const backtrace = backtraceOf(stack, readCrash(record.payload).frames);
    return { state: 'analysed', guilty: stack.guilty, backtrace, modules: entry ? modulesOf(entry) : [] };
  }
  if (!queued) return undefined;
  return queued.failed
    ? { state: 'failed', error: queued.error ?? 'the analysis ended without a word' }
    : { state: 'waiting' };
}

/** The same in GET /api/records/ID: `processed` is false while a crash record waits, true once nothing is left to do. */
export async function crashJson(sql: Sql, record: StoredRecord) {
  const { queued, stack } = await analysisOf(sql, record);
  if (stack) return { processed: true, guilty: guiltyName(stack.guilty), ...stackToJson(stack) };
  return {
    processed: queued === undefined,
    guilty: null,
    frames: null,
    explanation: null,
    ...(queued?.error && { error: queued.error }),
  };
}

/** The queue is asked first: a record that has left it by then has its stack when that is asked for. */
async function analysisOf(sql: Sql, record: StoredRecord) {
  const queued = await findWork(sql, sql`kind = 'crash'`, record.id);
  return { queued, stack: await stackOfRecord(sql, record) };
}
