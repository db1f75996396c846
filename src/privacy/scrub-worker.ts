/** The thread that scrubs payloads: the server goes on, whatever a regular expression does here. */
import { readlinkSync } from 'node:fs';
import type { ScrubRule } from '../config/scrub.ts';
import { compileRules, RULE, type Scrubbed, type ScrubTask, TASK, THREAD } from './scrub.ts';

declare const self: Worker;

/** `progress` is shared memory; scrub.ts describes its slots. */
export type ToScrubber =
  | { kind: 'start'; rules: readonly ScrubRule[]; progress: Int32Array }
  | { kind: 'scrub'; tasks: readonly ScrubTask[] };
/** One answer for each task, in order. */
export type FromScrubber = Scrubbed[];

let progress: Int32Array = new Int32Array(2);
let scrub = compileRules([]);

self.onmessage = ({ data }: MessageEvent<ToScrubber>) => {
  if (data.kind === 'start') {
    progress = data.progress;
    Atomics.store(progress, THREAD, threadId());
    scrub = compileRules(data.rules);
    return;
  }
  const answers = data.tasks.map((task, place) => {
    Atomics.store(progress, TASK, place);
    return scrub(task, rule => Atomics.store(progress, RULE, rule));
  });
  postMessage(answers satisfies FromScrubber);
};

/** The kernel's id of this thread. */
function threadId(): number {
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}
