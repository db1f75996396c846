import { signalOfWork } from '../db/cancellation.ts';
import { DatabaseUnavailable, RequestError } from '../errors.ts';

interface TurnsOptions {
  atOnce: number;
  mostWaiting: number;
  /** The longest time to wait. */
  withinMs: number;
  /** The message if that time is over or too many wait. */
  busy: string;
}

/** Waits for a turn; resolves to a function that ends it. */
type TakeTurn = () => Promise<() => void>;

/**
 * Lets `atOnce` proceed at once. Others wait in order of arrival, and are answered 503 if it takes too long. Aborted
 * work leaves the queue.
 */
export function turns({ atOnce, mostWaiting, withinMs, busy }: TurnsOptions): TakeTurn {
  const waiting = new Set<() => void>();
  let free = atOnce;

  function wait(): Promise<void> {
    if (waiting.size >= mostWaiting) throw new RequestError(503, busy);
    const signal = signalOfWork();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new RequestError(503, busy))), withinMs);
      const leave = () => settle(() => reject(new DatabaseUnavailable('it is no longer waited for')));
      const begin = () => settle(resolve);
      function settle(how: () => void) {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        waiting.delete(begin);
        how();
      }
      waiting.add(begin);
      signal?.addEventListener('abort', leave);
    });
  }

  return async () => {
    if (free > 0) free--;
    else await wait();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = waiting;
      if (next) next();
      else free++;
    };
  };
}
