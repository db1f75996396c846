import { DAY_MS } from '../time/units.ts';

/** Below this, gaps between records are nothing to speak of. */
const SHORTEST_SILENCE_MS = 10 * 60_000;
/** So many times the usual gap between two records is a silence. */
const GAPS = 20;
/** A handful of records makes no rhythm. */
const FEWEST_RECORDS = 24;

export interface Arrival {
  /** When the newest record came. */
  at: Date;
  /** Records of the 24 hours up to then. */
  dayBefore: number;
}

/**
 * Whether records stopped coming: none for twenty times the gap that was usual in the 24 hours before the last one, and for ten
 * minutes at least. Never where fewer than 24 came in those hours.
 */
export function hasStopped({ at, dayBefore }: Arrival, now: Date): boolean {
  if (dayBefore < FEWEST_RECORDS) return false;
  const silence = now.getTime() - at.getTime();
  return silence > Math.max(SHORTEST_SILENCE_MS, (GAPS * DAY_MS) / dayBefore);
}
