import { signalOfWork } from '../db/cancellation.ts';
import { DatabaseUnavailable, RequestError } from '../errors.ts';

interface TurnsOptions {
  atOnce: number;
  mostWaiting: number;
  /** How long one waits at most. */
  withinMs: number;
  /** What to say where that is not enough, or too many wait. */
  busy: string;
}

/** Waits for a turn; resolves to what ends it. */
type TakeTurn = () => Promise<() => void>;

/**
 * So many may be at it at once; others wait in the order in which they came, and are answered 503 where that takes too long. Work that
 * is aborted leaves the queue.
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
