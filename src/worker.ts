/** The thread that analyses crashes and reads payloads: database connections of its own, so that it costs ingestion nothing. */
import { analyseBatch, BATCH } from './crashes/analyse.ts';
import { createDemangler } from './crashes/demangle.ts';
import { recomputeSlice } from './crashes/recompute.ts';
import { connect, type DatabaseTarget, LOOKUPS_BY_INDEX } from './db/connect.ts';
import { type BuiltInSettings, builtInParsers } from './parsers/built-in/parsers.ts';
import { PARSE_BATCH, parseBatch } from './parsers/parse-batch.ts';
import { newestId } from './records/queries.ts';

declare const self: Worker;

export type ToWorker =
  | { kind: 'start'; target: DatabaseTarget; settings: BuiltInSettings }
  | { kind: 'wake' }
  | { kind: 'stop' };
export type FromWorker = { kind: 'trouble'; what: string; reason: string } | { kind: 'stopped' };

/** It looks by itself as well: other instances' records, claims that have run out. */
const LOOK_EVERY_MS = 5_000;
/** How long records gather after the first one has come. */
const GATHER_MS = 250;
const PAUSE_AFTER_TROUBLE_MS = 1_000;
/** Nearly every record is to be parsed: looking costs less than being woken for each batch. */
const LOOK_FOR_PAYLOADS_MS = 1_000;
/**
 * Ingestion and crashes come first: while more than BUSY records a second come in, or crashes wait, it rests REST times as long as a
 * batch of payloads took.
 */
const BUSY = 1_000;
const REST = 9;

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

async function analyse({ target }: Start) {
  const sql = connect({ target, connections: 1, name: 'crashes', settings: LOOKUPS_BY_INDEX });
  const demangler = createDemangler();
  while (!stopping) {
    try {
      const analysed = await analyseBatch(sql, demangler);
      crashesWait = analysed === BATCH;
      const recomputed = await recomputeSlice(sql);
      if (analysed === 0 && !recomputed) await idle(LOOK_EVERY_MS);
      // A few records at a time cost the database as much as hundreds. Single ones don't wait: they may be those that a killed
      // instance left, which are tried one by one.
      if (analysed !== 1 && analysed < BATCH && !recomputed && !stopping) await Bun.sleep(GATHER_MS);
    } catch (error) {
      tell({ kind: 'trouble', what: 'crash analysis', reason: (error as Error).message });
      await idle(PAUSE_AFTER_TROUBLE_MS);
    }
  }
  await demangler.close();
  await sql.end({ timeout: 2 });
}

async function parse({ target, settings }: Start) {
  const sql = connect({ target, connections: 1, name: 'parsers', settings: LOOKUPS_BY_INDEX });
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
      tell({ kind: 'trouble', what: 'reading payloads', reason: (error as Error).message });
    }
    await Promise.race([stop.promise, Bun.sleep(pause)]);
  }
  await sql.end({ timeout: 2 });
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
