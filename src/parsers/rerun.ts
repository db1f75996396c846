import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Sql } from '../db/connect.ts';
import { finishWork } from '../db/work-queue.ts';
import { progressBar } from '../progress.ts';
import { type BoundedRow, withPayload } from '../records/queries.ts';
import { type MatchingDay, matchingDays } from '../records/search.ts';
import { allOfDay } from '../records/whole-days.ts';
import { withDatabase } from '../with-database.ts';
import { ParserProblem } from './parser-child.ts';
import { openParser, type RunningParser } from './run-parser.ts';
import { type ParsedRecord, removeParsed, storeParsed } from './store.ts';

interface RerunOptions {
  config?: string | undefined;
  /** Records received within so many seconds. */
  since: number;
}

const SLICE = 200;
/** Failures that are reported one by one. */
const SHOWN = 10;

/** Lets a parser read records that are there already, the newest first; returns on how many it failed. */
export async function rerunParser(name: string, { config: file, since }: RerunOptions): Promise<number> {
  const { config, directory } = loadConfig({ file });
  const parser = await openParser(name, join(directory, 'parsers'), config);
  try {
    return await withDatabase('parser run results', { config: file }, ({ database, sql: writer }) =>
      rerun(name, parser, since, database.client('parser run'), writer),
    );
  } finally {
    await parser.stop();
  }
}

async function rerun(name: string, parser: RunningParser, since: number, reader: Sql, writer: Sql): Promise<number> {
  const filter = {
    classification: parser.classifications.join(','),
    receivedFrom: new Date(Date.now() - since * 1000),
  };
  const days: MatchingDay[] = [];
  for await (const chunk of matchingDays(reader, filter, 'newest')) days.push(...chunk.days);
  const total = days.reduce((sum, { counted }) => sum + (counted ?? 0), 0);
  const bar = progressBar(Math.max(1, total), 'records', 'Read');
  let [done, failures] = [0, 0];
  for (const { day } of days) {
    for await (const rows of allOfDay(reader, filter, day, Number.POSITIVE_INFINITY).cursor(SLICE)) {
      failures += await readAgain(writer, name, parser, rows, failures);
      done += rows.length;
      bar.show(done);
    }
  }
  bar.done(done);
  if (failures > 0)
    process.stderr.write(`It failed on ${failures.toLocaleString('en')} of them, which stay as they were.\n`);
  return failures;
}

async function readAgain(sql: Sql, name: string, parser: RunningParser, rows: BoundedRow[], failedBefore: number) {
  const parsed: ParsedRecord[] = [];
  const empty: Omit<ParsedRecord, 'parser' | 'data'>[] = [];
  let failures = 0;
  for (const row of rows) {
    const record = await withPayload(sql, row);
    if (!record) continue;
    const { id, machineId, receivedAt } = record;
    try {
      const data = await parser.parse(record);
      if (data) parsed.push({ id, machineId, receivedAt, parser: name, data });
      else empty.push({ id, machineId, receivedAt });
    } catch (error) {
      if (!(error instanceof ParserProblem)) throw error;
      failures++;
      if (failedBefore + failures <= SHOWN) process.stderr.write(`Record ${id}: ${error.message}\n`);
    }
  }
  await sql.begin(async tx => {
    await finishWork(
      tx,
      parser.lane,
      [...parsed, ...empty].map(({ id }) => id),
    );
    await storeParsed(tx, parsed);
    await removeParsed(tx, empty);
  });
  return failures;
}
