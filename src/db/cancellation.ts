import { AsyncLocalStorage } from 'node:async_hooks';
import { DatabaseUnavailable } from '../errors.ts';

/** A query of postgres.js, of which the types leave this out. */
interface Query extends Promise<unknown> {
  active: boolean;
  /** The server's process that it was sent to. */
  state: unknown;
  strings: readonly string[];
  /** Cancels it, or takes it out of the queue for a connection. */
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
 * Returns what runs some work whose queries, by cancellable clients, end with the signal: the one under way is cancelled, those
 * that wait for a connection leave their queue, and no more are sent.
 */
export function queriesUntil(signal: AbortSignal): <Result>(queried: () => Result) => Result {
  const work: Work = { signal, queries: new Set() };
  signal.addEventListener('abort', () => cancelAll(work), { once: true });
  return queried => works.run(work, queried);
}

/** That of the work under way, if it may be aborted. */
export function signalOfWork(): AbortSignal | undefined {
  return works.getStore()?.signal;
}

/** A query is about to be sent or to wait; false keeps it back. */
export function track(query: Query): boolean {
  const work = works.getStore();
  if (!work) return true;
  if (work.signal.aborted) {
    // Or the connection would stay in its transaction.
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

/** Again until it has ended: the server overlooks what reaches it before the query does. */
async function cancel(query: Query, queries: Set<Query>) {
  while (queries.has(query) && (query.active || query.state === null)) {
    await query.canceller(query);
    await Bun.sleep(AGAIN_MS);
  }
}
