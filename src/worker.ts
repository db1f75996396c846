/** The thread that analyses crashes: its own database connection, so that it costs ingestion nothing. */
import { analyseBatch, BATCH } from './crashes/analyse.ts';
import { createDemangler } from './crashes/demangle.ts';
import { recomputeSlice } from './crashes/recompute.ts';
import { connect, type DatabaseTarget, LOOKUPS_BY_INDEX } from './db/connect.ts';

declare const self: Worker;

export type ToWorker = { kind: 'start'; target: DatabaseTarget } | { kind: 'wake' } | { kind: 'stop' };
export type FromWorker = { kind: 'trouble'; reason: string } | { kind: 'stopped' };

/** It looks by itself as well: other instances' records, claims that have run out. */
const LOOK_EVERY_MS = 5_000;
/** How long records gather after the first one has come. */
const GATHER_MS = 250;
const PAUSE_AFTER_TROUBLE_MS = 1_000;

let stopping = false;
let wake = () => {};
let woken = false;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'start') void work(data.target);
  if (data.kind === 'stop') stopping = true;
  woken = true;
  wake();
};

async function work(target: DatabaseTarget) {
  const sql = connect({ target, connections: 1, name: 'crashes', settings: LOOKUPS_BY_INDEX });
  const demangler = createDemangler();
  while (!stopping) {
    try {
      const analysed = await analyseBatch(sql, demangler);
      const recomputed = await recomputeSlice(sql);
      if (analysed === 0 && !recomputed) await idle(LOOK_EVERY_MS);
      // A few records at a time cost the database as much as hundreds. Single ones don't wait: they may be those that a killed
      // instance left, which are tried one by one.
      if (analysed !== 1 && analysed < BATCH && !recomputed && !stopping) await Bun.sleep(GATHER_MS);
    } catch (error) {
      postMessage({ kind: 'trouble', reason: (error as Error).message } satisfies FromWorker);
      await idle(PAUSE_AFTER_TROUBLE_MS);
    }
  }
  await demangler.close();
  await sql.end({ timeout: 2 });
  postMessage({ kind: 'stopped' } satisfies FromWorker);
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
