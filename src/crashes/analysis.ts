import type { DatabaseTarget } from '../db/connect.ts';
import type { Log } from '../log.ts';
import type { BuiltInSettings } from '../parsers/built-in/parsers.ts';
import { startCrashWorker } from '../workers.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** The running analysis of crash records, and the reading of payloads by built-in parsers. */
interface CrashAnalysis {
  /** There is something to do. */
  wake(): void;
  stop(): Promise<void>;
}

/** Once woken the worker looks again after longer than this. */
const WAKE_EVERY_MS = 100;
const RESTART_PAUSE_MS = 1_000;
const STOP_DEADLINE_MS = 2_500;

/** Starts the worker thread, and again whenever it dies. */
export function startCrashAnalysis(target: DatabaseTarget, config: BuiltInSettings, log: Log): CrashAnalysis {
  const { crashes, machine_checks, thermal, updates } = config;
  const settings = { crashes, machine_checks, thermal, updates };
  let stopping = false;
  let stopped = () => {};
  let wokenAt = 0;
  let worker = start();

  function start() {
    const started = startCrashWorker();
    started.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'stopped') stopped();
      else log.limited(data.what, 'warn', `${data.what} was interrupted and goes on`, { reason: data.reason });
    };
    started.onerror = event => {
      event.preventDefault();
      log.error('crash analysis failed', { reason: event.message });
      started.terminate();
    };
    started.addEventListener('close', () => {
      stopped();
      if (stopping) return;
      log.warn('the thread of crash analysis has ended; starting it again');
      setTimeout(() => {
        if (!stopping) worker = start();
      }, RESTART_PAUSE_MS);
    });
    started.postMessage({ kind: 'start', target, settings } satisfies ToWorker);
    return started;
  }

  return {
    wake() {
      const now = performance.now();
      if (now - wokenAt < WAKE_EVERY_MS) return;
      wokenAt = now;
      worker.postMessage({ kind: 'wake' } satisfies ToWorker);
    },
    async stop() {
      stopping = true;
      const done = new Promise<void>(resolve => {
        stopped = resolve;
      });
      worker.postMessage({ kind: 'stop' } satisfies ToWorker);
      await Promise.race([done, Bun.sleep(STOP_DEADLINE_MS)]);
      worker.terminate();
    },
  };
}
