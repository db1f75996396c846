import type { Sql } from '../db/connect.ts';
import { isConnectionFailure } from '../db/sqlstates.ts';
import { failWork, finishWork, releaseWork } from '../db/work-queue.ts';
import type { Log } from '../log.ts';
import { recordToJson } from '../records/json.ts';
import { withPayload } from '../records/queries.ts';
import type { StoredRecord } from '../records/record.ts';
import { laneOf } from './parser.ts';
import { keepParserChild, ParserProblem } from './parser-child.ts';
import { claimForParser } from './queue.ts';
import { type ParsedRecord, storeParsed } from './store.ts';

/** A parser of an admin from when it is loaded until another load has taken its place. */
export interface CustomParser {
  name: string;
  classifications: string[];
  /** Why it does not work any more, or never has. */
  readonly trouble: string | undefined;
  /** Records that it has read, whether it had something to tell or not. */
  readonly read: number;
  /** Begins to read what waits for it. */
  start(): void;
  /** Resolves once it has given back what it has claimed and its process is gone. */
  stop(): Promise<void>;
}

export interface CustomParserOptions {
  name: string;
  /** Where parsers are. */
  directory: string;
  sql: Sql;
  log: Log;
}

/** Records claimed at a time: whatever happens to their parser, they are free again soon. */
const BATCH = 50;
const LOOK_EVERY_MS = 500;
const PAUSE_AFTER_TROUBLE_MS = 2_000;
/** A parser that fails on so many records in a row is not asked again. */
const MOST_FAILURES = 5;

/** Loads a parser; never rejects: what is wrong becomes its trouble. */
export async function openCustomParser({ name, directory, sql, log }: CustomParserOptions): Promise<CustomParser> {
  const lane = laneOf(name);
  const failed = new Set<number>();
  const stop = Promise.withResolvers<void>();
  let trouble: string | undefined;
  let read = 0;
  const child = keepParserChild(directory, name);
  let classifications: string[] = [];
  let stopping = false;
  let working: Promise<void> | undefined;

  try {
    classifications = await child.use(async loaded => loaded.classifications);
  } catch (error) {
    if (!(error instanceof ParserProblem)) throw error;
    trouble = error.message;
    log.error('a parser can not be loaded and is left out', { parser: name, reason: trouble });
  }

  async function work() {
    while (!stopping && trouble === undefined) {
      let pause = LOOK_EVERY_MS;
      try {
        if ((await parseBatch()) > 0) pause = 0;
      } catch (error) {
        log.limited(`parser ${name}`, 'warn', 'a parser was interrupted and goes on', {
          parser: name,
          reason: (error as Error).message,
        });
        pause = PAUSE_AFTER_TROUBLE_MS;
      }
      await Promise.race([stop.promise, Bun.sleep(pause)]);
    }
    await child.stop();
  }

  async function parseBatch(): Promise<number> {
    const records = await claimForParser(sql, lane, BATCH);
    const left = new Map(records.map(record => [record.id, record]));
    const parsed: ParsedRecord[] = [];
    const empty: number[] = [];
    try {
      for (const row of records) {
        if (stopping || trouble !== undefined) break;
        const record = await withPayload(sql, row);
        if (!record) continue;
        const { id, machineId, receivedAt } = record;
        const data = await parse(record);
        if (data === FAILED) left.delete(id);
        else if (data) parsed.push({ id, machineId, receivedAt, parser: name, data });
        else empty.push(id);
      }
      await store(parsed, empty);
      for (const id of [...empty, ...parsed.map(record => record.id)]) left.delete(id);
    } finally {
      if (left.size > 0) await releaseWork(sql, lane, [...left.keys()]).catch(() => {});
    }
    return records.length;
  }

  async function parse(record: StoredRecord) {
    try {
      const data = await child.use(({ parse }) => parse(recordToJson(record)));
      failed.clear();
      return data;
    } catch (error) {
      if (!(error instanceof ParserProblem)) throw error;
      await failOn(record.id, error.message);
      return FAILED;
    }
  }

  async function failOn(record: number, reason: string) {
    await failWork(sql, lane, record, reason);
    failed.add(record);
    log.limited(`parser ${name} failed`, 'warn', 'a parser failed on a record', { parser: name, record, reason });
    if (failed.size >= MOST_FAILURES && trouble === undefined) giveUp(reason);
  }

  function giveUp(reason: string) {
    trouble = `it failed on ${MOST_FAILURES} records in a row, on the last one: ${reason}`;
    log.error('a parser is disabled until it is loaded again; its records wait', { parser: name, reason: trouble });
  }

  /** One that the database does not take is found alone: it costs the others nothing. */
  async function store(parsed: ParsedRecord[], empty: number[]): Promise<void> {
    if (parsed.length + empty.length === 0) return;
    try {
      await sql.begin(async tx => {
        const ids = [...empty, ...parsed.map(record => record.id)];
        const taken = await finishWork(tx, lane, ids);
        await storeParsed(
          tx,
          parsed.filter(record => taken.has(record.id)),
        );
      });
      read += parsed.length + empty.length;
    } catch (error) {
      if (isConnectionFailure(error) || parsed.length === 0) throw error;
      if (parsed.length + empty.length === 1) return failOn(parsed[0]!.id, (error as Error).message);
      await store([], empty);
      for (const record of parsed) await store([record], []);
    }
  }

  return {
    name,
    classifications,
    get trouble() {
      return trouble;
    },
    get read() {
      return read;
    },
    start() {
      working ??= work();
    },
    async stop() {
      stopping = true;
      stop.resolve();
      await (working ?? child.stop());
    },
  };
}

const FAILED = Symbol();
