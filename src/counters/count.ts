import type { Queryable } from '../db/connect.ts';

/**
 * Derives the counters of one UTC day (`YYYY-MM-DD`) again from its records, and counts its machines as seen on it. Only
 * for a day whose records are complete: counters say what was received, not what was kept.
 */
export async function rebuildCounters(tx: Queryable, day: string) {
  await tx`select rebuild_counters(${day}::date)`;
}
