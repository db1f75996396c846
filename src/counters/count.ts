import type { Config } from '../config/settings.ts';
import type { Queryable } from '../db/connect.ts';
import { countedClassifications } from './classifications.ts';
import { countAll } from './counting.ts';

/**
 * Derives the counters of records of one UTC day (`YYYY-MM-DD`) again. Only for a day whose records are complete:
 * counters say what was received, not what was kept.
 */
export async function rebuildCounters(tx: Queryable, day: string, config: Config) {
  await tx`select rebuild_counters(${day}::date, ${countedClassifications(tx, config)})`;
}

/** Counts all that is stored and not yet counted; no batch of the day is stored until the transaction ends. */
export async function countWholeDay(tx: Queryable, day: string, config: Config) {
  await tx`select hold_days(${day}::date, ${day}::date)`;
  await countAll(tx, config);
}

/** Counts the machines that reported on each UTC day from `first` to `last`, and those last seen before as last seen then. */
export async function countMachinesOfDays(tx: Queryable, first: string, last: string) {
  await tx`select count_machines_of_days(${first}::date, ${last}::date)`;
}

/** Derives again how many machines were last seen on each day, and which machines of guilties are exposed. */
export async function rebuildMachineCounts(tx: Queryable) {
  await tx`select rebuild_machine_counts()`;
}

/** The UTC days that hold records, oldest first; `complete` where none of theirs are gone. */
export function listRecordDays(sql: Queryable) {
  return sql<{ day: string; complete: boolean; today: boolean }[]>`
    select day::text, complete, day = (now() at time zone 'UTC')::date as today from record_days order by day`;
}
