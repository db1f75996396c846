import type { Config } from '../config/settings.ts';
import type { Queryable } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { isConnectionFailure, isTooSlow } from '../db/sqlstates.ts';
import type { Log } from '../log.ts';
import { countedClassifications } from './classifications.ts';

/** Keeps the counters up to what is stored. */
export interface Counting {
  /** A batch is stored: it is counted soon, with those that follow. */
  stored(): void;
  /**
   * Resolves once everything that this process has stored is counted, or after a second: readers then go on with counters that are
   * somewhat behind. Never rejects.
   */
  settle(): Promise<void>;
  /** Counts what is left and looks for no more. */
  stop(): Promise<void>;
}

/** So long batches gather: a counter that many records add to costs as much to write for one of them as for all. */
const WITHIN_MS = 1_000;
/** Batches counted in one transaction. */
const BATCHES = 128;
const RETRY_MS = 1_000;
/** How often an instance looks for what another one left when it died. */
const LOOK_MS = 10_000;
const READERS_WAIT_MS = 1_000;
const DEADLINE_MS = 60_000;

/** Counts all that is stored and not yet counted, whoever has stored it. */
export async function countAll(sql: Queryable, config: Config) {
  await countStored(sql, config, null);
}

async function countStored(sql: Queryable, config: Config, batches: number | null): Promise<number> {
  const [row] = await sql<{ batches: number }[]>`
    select count_stored(${batches}::integer, ${countedClassifications(sql, config)}) as batches`;
  return row!.batches;
}

export function startCounting(database: Database, config: Config, log: Log): Counting {
  const sql = database.client('counters', { deadlineMs: DEADLINE_MS });
  /** More was stored since the last round began, here or, for all that is known, by a process that is gone. */
  let uncounted = true;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  const looking = setInterval(stored, LOOK_MS);
  looking.unref();
  stored();

  function stored() {
    uncounted = true;
    timer ??= setTimeout(countSoon, WITHIN_MS);
  }

  function countSoon() {
    timer = undefined;
    if (running) stored();
    else if (uncounted) running = count();
  }

  async function settled() {
    // One that was under way may have begun before the newest batch. Not more than one after it: batches never cease to come.
    await running;
    if (uncounted && !running) running = count();
    await running;
  }

  async function count() {
    uncounted = false;
    try {
      while ((await countStored(sql, config, BATCHES)) === BATCHES);
    } catch (error) {
      timer ??= setTimeout(() => {
        timer = undefined;
        stored();
      }, RETRY_MS);
      if (!isConnectionFailure(error) || isTooSlow(error))
        log.limited('counters', 'error', 'stored records could not be counted; trying again', {
          reason: (error as Error).message,
        });
    } finally {
      running = undefined;
    }
  }

  return {
    stored,
    async settle() {
      if (uncounted || running) await Promise.race([settled(), Bun.sleep(READERS_WAIT_MS)]);
    },
    async stop() {
      clearInterval(looking);
      await settled();
      clearTimeout(timer);
    },
  };
}
