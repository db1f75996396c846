import { uptime } from 'node:os';
import type { Sql } from '../db/connect.ts';
import type { Log } from '../log.ts';
import { newestId } from '../records/queries.ts';
import { type Belief, judge, NOT_HEARD } from './judge.ts';
import { hasRecords, hearMachines, readBelief, writeBelief } from './store.ts';

/**
 * Watches the clock by which records are dated and grow old. Where it has made a step that no time explains, nothing may be removed for
 * its age until the step is undone, machines whose clocks agree report, or an administrator purges by hand.
 */
export interface ClockWatch {
  look(): Promise<Belief>;
  /** Looks; false where nothing may be removed for its age. */
  isTrusted(): Promise<boolean>;
}

/** `passed`: seconds by a clock that nobody sets, and that goes on while the machine sleeps. */
export function watchClock(sql: Sql, log: Log, passed: () => number = uptime): ClockWatch {
  let last: number | undefined;

  async function look(): Promise<Belief> {
    const at = passed();
    const elapsed = last === undefined ? undefined : at - last;
    const { before, after, began } = await sql.begin(async tx => {
      const { now, belief: before, afterId } = await readBelief(tx, { lock: true });
      const heard = before.doubt ? await hearMachines(tx, before.doubt, now, afterId) : NOT_HEARD;
      // Without records there is nothing to lose.
      const after = (await hasRecords(tx))
        ? judge(before, { now, elapsed, heard })
        : { trustedAt: now, lookedAt: now, doubt: null };
      const began = after.doubt !== null && after.doubt.since !== before.doubt?.since;
      await writeBelief(tx, after, began ? await newestId(tx) : afterId, isOver(before, after));
      return { before, after, began };
    });
    last = at;
    const step = { now: iso(after.lookedAt), last_believed: iso(before.trustedAt) };
    if (began) log.error('the date may be wrong: nothing is removed for its age', step);
    if (isOver(before, after)) log.info('the date is believed again', step);
    return after;
  }

  return { look, isTrusted: async () => (await look()).doubt === null };
}

/** Takes the clock as right from now on, because someone says so. */
export async function trustClock(sql: Sql) {
  await sql.begin(async tx => {
    const { now, belief, afterId } = await readBelief(tx, { lock: true });
    await writeBelief(tx, { trustedAt: now, lookedAt: now, doubt: null }, afterId, belief.doubt !== null);
  });
}

function isOver(before: Belief, after: Belief) {
  return before.doubt !== null && after.doubt === null;
}

function iso(seconds: number) {
  return new Date(seconds * 1000).toISOString();
}
