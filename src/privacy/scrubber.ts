import type { ScrubRule } from '../config/scrub.ts';
import { type GroupCommit, groupCommit } from '../db/group-commit.ts';
import { classificationTest } from '../records/classification.ts';
import { JOURNAL_FIELDS, withoutPrivateFields } from './journal-fields.ts';
import type { Scrubbed, ScrubTask } from './scrub.ts';
import { scrubThread, TAKES_TOO_LONG } from './scrub-thread.ts';

/** Takes private fields out of journal entries, and out of all payloads what privacy.scrub says. */
export interface Scrubber {
  /** There are rules beside that for journal entries. */
  readonly hasRules: boolean;
  /** Undefined: a payload of an unknown classification, to which all rules apply. Rejects with a 503 where it can't be had now. */
  scrub(payload: string, classification: string | undefined): Promise<Scrubbed>;
  /** Payloads that wait for it. */
  readonly waiting: number;
  /** Waits for those, and ends the thread. */
  drain(): Promise<void>;
}

const TASK_BYTES = 200;
/** Processor time, ten times what is usual and more: who takes longer holds up the others no further. */
const PATIENCE_MS = 30;
const LAST_PATIENCE_MS = 500;
/** Payloads that may wait for that; any further one fails at once. */
const MOST_LATE = 3;

/**
 * Payloads go to a thread together, as many as have gathered while it was busy; those that no rule is for don't go at all. One
 * that takes too long there is tried once more, in a thread for such ones.
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
