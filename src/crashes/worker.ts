/** The thread that analyses crashes and reads payloads: database connections of its own, so that it costs ingestion nothing. */

import { connect, type DatabaseTarget, LOOKUPS_BY_INDEX } from '../db/connect.ts';
import { type BuiltInSettings, builtInParsers } from '../parsers/built-in/parsers.ts';
import { PARSE_BATCH, parseBatch } from '../parsers/parse-batch.ts';
import { newestId } from '../records/queries.ts';
import { BATCH, readBatch, storeAnalysed } from './analyse.ts';
import { createDemangler } from './demangle/demangle.ts';
import { createListReader } from './never-guilty-list.ts';
import { recomputeSlice } from './recompute.ts';

declare const self: Worker;

export type ToWorker =
  | { kind: 'start'; target: DatabaseTarget; settings: BuiltInSettings }
  | { kind: 'wake' }
  | { kind: 'stop' };
export type FromWorker = { kind: 'trouble'; what: string; reason: string } | { kind: 'stopped' };

/** It looks by itself as well: other instances' records, claims that have run out. */
const LOOK_EVERY_MS = 5_000;
/** How long records gather after the first one has come. */
const GATHER_MS = 1_000;
const PAUSE_AFTER_TROUBLE_MS = 1_000;
/** Nearly every record is to be parsed: looking costs less than being woken for each batch. */
const LOOK_FOR_PAYLOADS_MS = 1_000;
/**
 * Ingestion and crashes come first: while more than BUSY records a second come in, or crashes wait, it rests REST times as long as a
 * batch of payloads took.
 */
const BUSY = 1_000;
const REST = 9;
const DEADLINE_MS = 60_000;
/** Deciding backtraces again may count the machines of large guilties again. */
const RESULTS_DEADLINE_MS = 180_000;

const stop = Promise.withResolvers<void>();
let stopping = false;
let wake = () => {};
let woken = false;
let crashesWait = false;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'start') void Promise.all([analyse(data), parse(data)]).then(() => tell({ kind: 'stopped' }));
  if (data.kind === 'stop') {
    stopping = true;
    stop.resolve();
  }
  woken = true;
  wake();
};

type Start = ToWorker & { kind: 'start' };

/** One batch is read while the one before it is stored. */
async function analyse({ target }: Start) {
  const reader = connectFor('crashes', target, DEADLINE_MS);
  const writer = connectFor('crash results', target, RESULTS_DEADLINE_MS);
  const demangler = createDemangler();
  const readList = createListReader();
  let storing = Promise.resolve();
  while (!stopping) {
    try {
      const batch = await readBatch(reader, demangler);
      await storing;
      storing = storeAnalysed(writer, batch, readList).catch(error => inTrouble('crash analysis', error));
      const read = batch.claimed.length;
      crashesWait = read >= BATCH;
      const recomputed = await recomputeSlice(writer, readList);
      if (read === 0 && !recomputed) await idle(LOOK_EVERY_MS);
      // A few records at a time cost the database as much as hundreds. Single ones don't wait: they may be those that a killed
      // instance left, which are tried one by one.
      if (read !== 1 && read < BATCH && !recomputed && !stopping) await Bun.sleep(GATHER_MS);
    } catch (error) {
      inTrouble('crash analysis', error);
      await idle(PAUSE_AFTER_TROUBLE_MS);
    }
  }
  await storing;
  await demangler.close();
  await Promise.all([reader.end({ timeout: 2 }), writer.end({ timeout: 2 })]);
}

async function parse({ target, settings }: Start) {
  const sql = connectFor('parsers', target, DEADLINE_MS);
  const parsers = builtInParsers(settings);
  let before = { id: 0, at: 0 };
  while (!stopping) {
    const started = performance.now();
    let pause = LOOK_FOR_PAYLOADS_MS;
    try {
      const id = await newestId(sql);
      const busy = crashesWait || id - before.id > (BUSY * (started - before.at)) / 1000;
      before = { id, at: started };
      const parsed = await parseBatch(sql, parsers);
      if (parsed === PARSE_BATCH) pause = busy ? (performance.now() - started) * REST : 0;
    } catch (error) {
      inTrouble('reading payloads', error);
    }
    await Promise.race([stop.promise, Bun.sleep(pause)]);
  }
  await sql.end({ timeout: 2 });
}

function connectFor(name: string, target: DatabaseTarget, deadlineMs: number) {
  return connect({ target, connections: 1, name, deadlineMs, settings: LOOKUPS_BY_INDEX });
}

function inTrouble(what: string, error: unknown) {
  tell({ kind: 'trouble', what, reason: (error as Error).message });
}

function tell(message: FromWorker) {
  postMessage(message);
}

/** Until woken, or for so long. */
async function idle(ms: number) {
  if (!woken && !stopping) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await Promise.race([promise, Bun.sleep(ms)]);
    wake = () => {};
  }
  woken = false;
}
