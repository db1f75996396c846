import { DAY_MS } from '../time/units.ts';

/** Shorter gaps between records are normal. */
const SHORTEST_SILENCE_MS = 10 * 60_000;
/** A silence is this many times the usual gap between two records. */
const GAPS = 20;
/** Fewer records show no usual gap. */
const FEWEST_RECORDS = 24;

export interface Arrival {
  /** When the newest record came. */
  at: Date;
  /** Records of the 24 hours before it. */
  dayBefore: number;
}

/**
 * Whether records stopped coming: none for at least ten minutes, and for twenty times the usual gap in the 24 hours
 * before the last record. Never true if fewer than 24 came in those hours.
 */
export function hasStopped({ at, dayBefore }: Arrival, now: Date): boolean {
  if (dayBefore < FEWEST_RECORDS) return false;
  const silence = now.getTime() - at.getTime();
  return silence > Math.max(SHORTEST_SILENCE_MS, (GAPS * DAY_MS) / dayBefore);
}
