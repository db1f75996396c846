import type { ScrubRule } from '../config/scrub.ts';
import { type GroupCommit, groupCommit } from '../db/group-commit.ts';
import { classificationTest } from '../records/classification.ts';
import { JOURNAL_FIELDS, withoutPrivateFields } from './journal-fields.ts';
import type { Scrubbed, ScrubTask } from './scrub.ts';
import { scrubThread, TAKES_TOO_LONG } from './scrub-thread.ts';

/** Removes private fields from journal entries, and from all payloads what privacy.scrub says. */
export interface Scrubber {
  /** Whether there are rules besides the one for journal entries. */
  readonly hasRules: boolean;
  /** All rules apply to an undefined (unknown) classification. Rejects with a 503 if scrubbing is impossible now. */
  scrub(payload: string, classification: string | undefined): Promise<Scrubbed>;
  /** Payloads that wait to be scrubbed. */
  readonly waiting: number;
  /** Waits for these, and ends the thread. */
  drain(): Promise<void>;
}

const TASK_BYTES = 200;
/** Ten times the usual processor time: a slower payload no longer holds up others. */
const PATIENCE_MS = 30;
const LAST_PATIENCE_MS = 500;
/** How many payloads may wait for a second attempt; any further one fails at once. */
const MOST_LATE = 3;

/**
 * Payloads go to a thread together, as many as gathered while it was busy; payloads without rules skip it. A payload
 * that takes too long is tried once more in a separate thread for slow ones.
 */
export function createScrubber(
  rules: readonly ScrubRule[],
  limits: { maxWaiting: number; answerWithinMs: number },
): Scrubber {
  const thread = scrubThread(rules, PATIENCE_MS);
  const lateThread = scrubThread(rules, LAST_PATIENCE_MS);
  const queue: GroupCommit<ScrubTask, Scrubbed> = groupCommit({
    write: tasks => thread.scrub(tasks),
    size: task => task.payload.length + TASK_BYTES,
    ...limits,
  });
  const rulesFor = rulesByClassification(rules);
  let late = 0;

  async function scrub(payload: string, classification: string | undefined): Promise<Scrubbed> {
    const shortened = withoutPrivateFields(payload);
    const before = { payload: shortened ?? payload, by: shortened === undefined ? [] : [JOURNAL_FIELDS] };
    const applicable = rulesFor(classification);
    if (applicable.length === 0 || payload === '') return { kind: 'scrubbed', ...before };
    const scrubbed = await applyRules({ payload: before.payload, rules: applicable });
    return scrubbed.kind === 'failed' ? scrubbed : { ...scrubbed, by: [...before.by, ...scrubbed.by] };
  }

  async function applyRules(task: ScrubTask): Promise<Scrubbed> {
    const scrubbed = await queue.submit(task);
    const isLate = scrubbed.kind === 'failed' && scrubbed.reason === TAKES_TOO_LONG;
    return isLate && late < MOST_LATE ? tryAgain(task) : scrubbed;
  }

  async function tryAgain(task: ScrubTask): Promise<Scrubbed> {
    late++;
    try {
      const [scrubbed] = await lateThread.scrub([task]);
      return scrubbed!;
    } finally {
      late--;
    }
  }

  return {
    hasRules: rules.length > 0,
    scrub,
    get waiting() {
      return queue.waiting + late;
    },
    async drain() {
      await queue.drain();
      while (late > 0) await lateThread.scrub([]);
      thread.stop();
      lateThread.stop();
    },
  };
}

function rulesByClassification(rules: readonly ScrubRule[]) {
  const tests = rules.map(rule => classificationTest([rule.classification]));
  const all = [...rules.keys()];
  return (classification: string | undefined) =>
    classification === undefined ? all : all.filter(place => tests[place]!(classification));
}
