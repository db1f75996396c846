import { AsyncLocalStorage } from 'node:async_hooks';
import { DatabaseUnavailable } from '../errors.ts';

/** A query of postgres.js; its types leave these fields out. */
interface Query extends Promise<unknown> {
  active: boolean;
  /** The server process that runs the query. */
  state: unknown;
  strings: readonly string[];
  /** Cancels the query, or takes it out of the queue for a connection. */
  canceller(query: Query): Promise<void>;
  reject(error: unknown): void;
}

const AGAIN_MS = 200;

interface Work {
  signal: AbortSignal;
  queries: Set<Query>;
}

const works = new AsyncLocalStorage<Work>();

/**
 * Returns a function that runs work until the signal. Then it cancels the query under way of each cancellable client,
 * takes waiting queries out of their queue, and sends no more.
 */
export function queriesUntil(signal: AbortSignal): <Result>(queried: () => Result) => Result {
  const work: Work = { signal, queries: new Set() };
  signal.addEventListener('abort', () => cancelAll(work), { once: true });
  return queried => works.run(work, queried);
}

/** The signal that ends the work under way, if it may be aborted. */
export function signalOfWork(): AbortSignal | undefined {
  return works.getStore()?.signal;
}

/** Called before a query is sent or queued; false keeps it back. */
export function track(query: Query): boolean {
  const work = works.getStore();
  if (!work) return true;
  if (work.signal.aborted) {
    // Without these the connection would stay in its transaction.
    if (/^(rollback|commit)/.test(query.strings[0] ?? '')) return true;
    query.reject(new DatabaseUnavailable('it is no longer waited for'));
    return false;
  }
  work.queries.add(query);
  const forget = () => work.queries.delete(query);
  query.then(forget, forget);
  return true;
}

function cancelAll({ queries }: Work) {
  for (const query of queries) void cancel(query, queries);
}

/** Repeats until the query has ended: the server ignores a cancellation that arrives before its query. */
async function cancel(query: Query, queries: Set<Query>) {
  while (queries.has(query) && (query.active || query.state === null)) {
    await query.canceller(query);
    await Bun.sleep(AGAIN_MS);
  }
}
