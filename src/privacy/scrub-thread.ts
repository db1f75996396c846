import { cpuMilliseconds } from '../children/usage.ts';
import type { ScrubRule } from '../config/scrub.ts';
import { RequestError } from '../errors.ts';
import { startScrubWorker } from '../workers.ts';
import { RULE, type Scrubbed, type ScrubTask, TASK, THREAD } from './scrub.ts';
import type { FromScrubber, ToScrubber } from './scrub-worker.ts';

/** A thread that applies rules. */
interface ScrubThread {
  /** Returns one answer for each task. Calls take turns. */
  scrub(tasks: readonly ScrubTask[]): Promise<Scrubbed[]>;
  /** Ends the thread; the next call starts a new one. */
  stop(): void;
}

/** The reason of a failure that a thread with more patience might avoid. */
export const TAKES_TOO_LONG = 'takes too long on this payload';

const PATIENCE_MS_PER_KB = 0.5;
/** The limit in real time if the thread gets no processor time, and for its start. */
const WALL_MS = 3_000;
const START_WALL_MS = 10_000;
const LOOK_MS = 10;

/** Where the thread hung or ended. */
interface Stuck {
  task: number;
  rule: number;
}

/**
 * Starts the thread when it is first needed, and again after it was stopped because a payload took longer than
 * `patienceMs` (more for a large one): that payload fails, and the others are scrubbed again.
 */
export function scrubThread(rules: readonly ScrubRule[], patienceMs: number): ScrubThread {
  let progress: Int32Array;
  let worker: Worker | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function scrub(tasks: readonly ScrubTask[]): Promise<Scrubbed[]> {
    const answers = turn.then(() => scrubAll(tasks));
    turn = answers.catch(() => {});
    return answers;
  }

  async function scrubAll(tasks: readonly ScrubTask[]): Promise<Scrubbed[]> {
    const answer = await ask(tasks);
    if (Array.isArray(answer)) return answer;
    const failed = { kind: 'failed', rule: rules[answer.rule]!.name, reason: TAKES_TOO_LONG } as const;
    const others = await scrubAll(tasks.toSpliced(answer.task, 1));
    return others.toSpliced(answer.task, 0, failed);
  }

  async function ask(tasks: readonly ScrubTask[]): Promise<Scrubbed[] | Stuck> {
    if (tasks.length === 0) return [];
    const { promise, resolve } = Promise.withResolvers<Scrubbed[] | undefined>();
    worker ??= start();
    progress.fill(-1, TASK, RULE + 1);
    worker.onmessage = ({ data }: MessageEvent<FromScrubber>) => resolve(data);
    worker.onerror = event => {
      event.preventDefault();
      resolve(undefined);
    };
    worker.postMessage({ kind: 'scrub', tasks } satisfies ToScrubber);
    const stopWatching = watch(tasks, () => resolve(undefined));
    const answers = await promise;
    stopWatching();
    if (answers) return answers;
    stop();
    const stuck = { task: Atomics.load(progress, TASK), rule: Atomics.load(progress, RULE) };
    if (stuck.rule < 0) throw new RequestError(503, 'payloads cannot be scrubbed now; send the record again later');
    return stuck;
  }

  function start() {
    // New memory, since a stopped thread may still write for a moment.
    progress = new Int32Array(new SharedArrayBuffer(12));
    const started = startScrubWorker();
    started.unref();
    started.postMessage({ kind: 'start', rules, progress } satisfies ToScrubber);
    return started;
  }

  /** Calls `onStuck` once a task takes too long. */
  function watch(tasks: readonly ScrubTask[], onStuck: () => void): () => void {
    let task = -1;
    let begun = clocks();
    const timer = setInterval(() => {
      const now = clocks();
      const current = Atomics.load(progress, TASK);
      if (current !== task) [task, begun] = [current, now];
      else if (now.wall - begun.wall > (task < 0 ? START_WALL_MS : WALL_MS)) onStuck();
      else if (task >= 0 && now.cpu - begun.cpu > patienceMs + kilobytes(tasks[task]!) * PATIENCE_MS_PER_KB) onStuck();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }

  /** The thread's processor time, so that a payload does not seem slow because the machine is busy. */
  function clocks() {
    const wall = performance.now();
    return { wall, cpu: cpuMilliseconds(Atomics.load(progress, THREAD)) ?? wall };
  }

  function stop() {
    worker?.terminate();
    worker = undefined;
  }

  return { scrub, stop };
}

function kilobytes(task: ScrubTask) {
  return task.payload.length / 1024;
}
