import { DatabaseUnavailable } from '../errors.ts';

interface GroupCommitOptions<Item, Outcome> {
  /**
   * Writes a batch in one transaction and returns one outcome for each item, in order. Calls take effect in the order
   * they are made.
   */
  write(items: Item[]): Promise<Outcome[]>;
  /** The bytes that an item holds in memory. */
  size(item: Item): number;
  /** Further items are turned away while this many wait. */
  maxWaiting: number;
  /** A submission that takes longer is rejected, though its item may still be committed. */
  answerWithinMs: number;
}

export interface GroupCommit<Item, Outcome> {
  /**
   * Resolves once the item's batch is committed. Rejects with DatabaseUnavailable if it could not be committed, or if a
   * bound is passed.
   */
  submit(item: Item): Promise<Outcome>;
  /** Number of items that wait or are being written. */
  readonly waiting: number;
  /**
   * Age in milliseconds of the oldest item that waits, is being written, or could not be written since the last batch
   * that succeeded. 0 if there is none.
   */
  readonly waitingMs: number;
  /** Resolves when everything submitted so far is written. */
  drain(): Promise<void>;
}

const BATCH_ITEMS = 512;
/** Batches on the connection at once, and how many items make a second batch worth its own cost. */
const PIPELINED = 2;
const WORTH_SENDING = 24;
const BATCH_BYTES = 8 * 1024 * 1024;
const WAITING_BYTES = 64 * 1024 * 1024;

/** Senders come again within this time. If none did, nobody knows whether items can be written by now. */
const STILL_FAILING_MS = 180_000;

/** How often overdue items are looked for. */
const SWEEP_MS = 500;

interface Waiting<Item, Outcome> {
  item: Item;
  submittedAt: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Group commit: while one batch is being written, the next one gathers. So batches grow with the load, and a lone item
 * does not wait. Once enough items have gathered, they are sent on the same connection at once: the server starts the
 * second batch as soon as it has committed the first.
 */
export function groupCommit<Item, Outcome>(options: GroupCommitOptions<Item, Outcome>): GroupCommit<Item, Outcome> {
  let queue: Waiting<Item, Outcome>[] = [];
  let queuedBytes = 0;
  const inFlight = new Set<Waiting<Item, Outcome>[]>();
  let starting = false;
  let idle = Promise.withResolvers<void>();
  let sweeper: Timer | undefined;
  /** Since when items could not be written, and the last attempt. */
  let failing: { since: number; at: number } | undefined;

  function submit(item: Item): Promise<Outcome> {
    const bytes = options.size(item);
    if (queue.length >= options.maxWaiting || (queue.length > 0 && queuedBytes + bytes > WAITING_BYTES)) {
      return Promise.reject(new DatabaseUnavailable('too many records are waiting to be stored'));
    }
    return new Promise((resolve, reject) => {
      queue.push({ item, submittedAt: performance.now(), resolve, reject });
      queuedBytes += bytes;
      if (mayWrite() && !starting) {
        starting = true;
        // Requests that arrived in the same turn of the event loop join the batch.
        queueMicrotask(() => {
          starting = false;
          while (mayWrite()) void writeNext();
        });
      }
      sweeper ??= setInterval(sweep, SWEEP_MS);
    });
  }

  function mayWrite() {
    return queue.length > 0 && (inFlight.size === 0 || (inFlight.size < PIPELINED && queue.length >= WORTH_SENDING));
  }

  /** One timer for all items, since one per item would slow down each. */
  function sweep() {
    if (queue.length + inFlight.size === 0) {
      clearInterval(sweeper);
      sweeper = undefined;
    }
    const latest = performance.now() - options.answerWithinMs;
    for (const { submittedAt, reject } of [...inFlight, queue].flat()) {
      if (submittedAt < latest) reject(new DatabaseUnavailable('storing the record takes too long'));
    }
  }

  async function writeNext() {
    const batch = takeBatch();
    inFlight.add(batch);
    const answer = await written(batch);
    inFlight.delete(batch);
    // Sends the next batch before answering this one, so that the database does not wait.
    while (mayWrite()) void writeNext();
    answer();
    if (inFlight.size === 0) {
      idle.resolve();
      idle = Promise.withResolvers();
    }
  }

  /** Writes a batch; returns a function that answers it. */
  async function written(batch: Waiting<Item, Outcome>[]): Promise<() => void> {
    try {
      const outcomes = await options.write(batch.map(({ item }) => item));
      failing = undefined;
      return () => {
        batch.forEach(({ resolve }, index) => {
          resolve(outcomes[index]!);
        });
      };
    } catch (error) {
      failing = { since: failingSince() ?? batch[0]!.submittedAt, at: performance.now() };
      return () => {
        for (const { reject } of batch) reject(error);
      };
    }
  }

  function failingSince(): number | undefined {
    return failing && performance.now() - failing.at < STILL_FAILING_MS ? failing.since : undefined;
  }

  function takeBatch() {
    let bytes = 0;
    let count = 0;
    while (count < queue.length && count < BATCH_ITEMS) {
      const next = options.size(queue[count]!.item);
      if (count > 0 && bytes + next > BATCH_BYTES) break;
      bytes += next;
      count++;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    queuedBytes -= bytes;
    return batch;
  }

  return {
    submit,
    get waiting() {
      return [...inFlight].reduce((count, batch) => count + batch.length, queue.length);
    },
    get waitingMs() {
      const now = performance.now();
      const [oldest = []] = inFlight;
      return now - Math.min((oldest[0] ?? queue[0])?.submittedAt ?? now, failingSince() ?? now);
    },
    async drain() {
      while (queue.length + inFlight.size > 0) await idle.promise;
    },
  };
}
