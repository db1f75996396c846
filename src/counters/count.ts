import type { Queryable } from '../db/connect.ts';

/**
 * Derives the counters of records of one UTC day (`YYYY-MM-DD`) again. Only for a day whose records are complete:
 * counters say what was received, not what was kept.
 */
export async function rebuildCounters(tx: Queryable, day: string) {
  await tx`select rebuild_counters(${day}::date)`;
}

/** Counts the machines that reported from the first to the last UTC day as last seen on the last of their days. */
export async function countMachinesOfDays(tx: Queryable, first: string, last: string) {
  await tx`select count_machines_of_days(${first}::date, ${last}::date)`;
}
