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

interface Scope {
  signal: AbortSignal;
  queries: Set<Query>;
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Returns what runs some work whose queries, by cancellable clients, end with the signal: the one under way is cancelled, those
 * that wait for a connection leave their queue, and no more are sent.
 */
export function queriesUntil(signal: AbortSignal): <Result>(work: () => Result) => Result {
  const scope: Scope = { signal, queries: new Set() };
  signal.addEventListener('abort', () => cancelAll(scope), { once: true });
  return work => scopes.run(scope, work);
}

/** That of the work under way, if it may be aborted. */
export function signalOfWork(): AbortSignal | undefined {
  return scopes.getStore()?.signal;
}

/** A query is about to be sent or to wait; false keeps it back. */
export function track(query: Query): boolean {
  const scope = scopes.getStore();
  if (!scope) return true;
  if (scope.signal.aborted) {
    // Or the connection would stay in its transaction.
    if (/^(rollback|commit)/.test(query.strings[0] ?? '')) return true;
    query.reject(new DatabaseUnavailable('it is no longer waited for'));
    return false;
  }
  scope.queries.add(query);
  const forget = () => scope.queries.delete(query);
  query.then(forget, forget);
  return true;
}

function cancelAll({ queries }: Scope) {
  for (const query of queries) void cancel(query, queries);
}

/** Again until it has ended: the server overlooks what reaches it before the query does. */
async function cancel(query: Query, queries: Set<Query>) {
  while (queries.has(query) && (query.active || query.state === null)) {
    await query.canceller(query);
    await Bun.sleep(AGAIN_MS);
  }
}
