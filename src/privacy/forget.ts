import type { Config } from '../config/settings.ts';
import { countedClassifications } from '../counters/classifications.ts';
import type { Queryable, Sql } from '../db/connect.ts';
import { isLocked, isRetryable } from '../db/sqlstates.ts';

/** How many rows each place holds of a machine id. */
export interface MachineTraces {
  records: number;
  /** The UTC days of the first and of the last record. */
  firstDay: string | null;
  lastDay: string | null;
  crashes: number;
  parsed: number;
  /** Backtraces that no other machine id has reported. */
  ownStacks: number;
  stackCounts: number;
  queued: number;
  recent: number;
  lastSeen: number;
  machineChecks: number;
  /** In exposure and affected machines. */
  signals: number;
  quarantined: number;
}

export async function findTraces(sql: Queryable, machineId: string): Promise<MachineTraces> {
  const of = sql`where machine_id = ${machineId}`;
  const [row] = await sql<MachineTraces[]>`
    select r.*,
           (select count(*) from crashes ${of}) as crashes,
           (select count(*) from parsed ${of}) as parsed,
           (select count(distinct stack_id) from stack_machines own ${of}
               and not exists (select from stack_machines o where o.stack_id = own.stack_id and o.machine_id <> own.machine_id)) as "ownStacks",
           (select count(*) from stack_machines ${of}) + (select count(*) from guilty_machines ${of}) as "stackCounts",
           (select count(*) from work_queue ${of}) as queued,
           (select count(*) from recent_records ${of}) as recent,
           (select count(*) from machines_last_seen ${of}) as "lastSeen",
           (select count(*) from machine_check_machines ${of}) as "machineChecks",
           (select count(*) from exposed_machines ${of} and period in (select counted_periods()))
             + (select count(*) from affected_machines ${of} and period in (select counted_periods())) as signals,
           (select count(*) from quarantine ${of}) as quarantined
      from (select count(*) as records, min(received_at at time zone 'UTC')::date::text as "firstDay",
                   max(received_at at time zone 'UTC')::date::text as "lastDay"
              from records ${of}) r`;
  return row!;
}

export function isUnknownMachine({ firstDay: _, lastDay: __, ...rows }: MachineTraces): boolean {
  return Object.values(rows).every(count => count === 0);
}

/** Records erased in one transaction, in which no other of their day can be stored. */
const SLICE = 500;
/** What arrives from it meanwhile is erased as well, so often. */
const ROUNDS = 3;

/**
 * Erases a machine id in slices, each of which leaves everything consistent: it may be interrupted and done again. Returns
 * what is left because the machine goes on reporting.
 */
export async function forgetMachine(
  sql: Sql,
  machineId: string,
  config: Config,
  progress: (records: number) => void,
): Promise<MachineTraces> {
  let records = 0;
  for (let round = 1; ; round++) {
    for (const day of await daysOf(sql, machineId)) {
      for await (const erased of eraseDay(sql, machineId, day, config)) {
        records += erased;
        progress(records);
      }
    }
    await patiently(() => sql`select forget_traces(${machineId})`);
    const left = await findTraces(sql, machineId);
    if (isUnknownMachine(left) || round === ROUNDS) return left;
  }
}

async function daysOf(sql: Queryable, machineId: string): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    select distinct (received_at at time zone 'UTC')::date::text as day from records where machine_id = ${machineId} order by 1`;
  return rows.map(({ day }) => day);
}

async function* eraseDay(sql: Sql, machineId: string, day: string, config: Config): AsyncGenerator<number> {
  for (let erased = SLICE; erased === SLICE; ) {
    const started = performance.now();
    const [row] = await patiently(
      () => sql<{ erased: number }[]>`
        select forget_records(${machineId}, ${day}::date, ${SLICE}, ${countedClassifications(sql, config)}) as erased`,
    );
    erased = row!.erased;
    yield erased;
    // Ingestion comes first.
    if (erased === SLICE) await Bun.sleep(performance.now() - started);
  }
}

/** Deadlock and serialization failure, or a lock that can't be had at once. */
const ATTEMPTS = 10;
const PAUSE_MS = 500;

async function patiently<T>(work: () => PromiseLike<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !(isRetryable(error) || isLocked(error))) throw error;
      await Bun.sleep(PAUSE_MS);
    }
  }
}
