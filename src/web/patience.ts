import type { MiddlewareHandler } from 'hono';
import { queriesUntil } from '../db/cancellation.ts';
import { DatabaseUnavailable, RequestError } from '../errors.ts';
import { isRead } from './methods.ts';

export interface Patience {
  /** Every request is answered within this time. */
  answerWithinMs: number;
  /** Requests under way at once, including those that wait for a database connection. */
  mostUnderWay: number;
}

/** Shorter than a listener waits for an answer. */
export const PATIENCE: Patience = { answerWithinMs: 15_000, mostUnderWay: 256 };

const LATE = 'it could not be answered in time; try again, or narrow down what you ask for';

/**
 * Answers 503 if a request takes too long, or if too many are under way. Cancels the queries of a request that took too
 * long or whose client has left.
 */
export function patiently({ answerWithinMs, mostUnderWay }: Patience): MiddlewareHandler {
  let underWay = 0;
  return async (c, next) => {
    if (underWay >= mostUnderWay)
      throw new RequestError(503, 'too many pages are being asked for at the moment; try again');
    const ending = new AbortController();
    const end = () => ending.abort();
    // A request that changes something runs to its end.
    const left = isRead(c.req.method) ? c.req.raw.signal : undefined;
    left?.addEventListener('abort', end);
    underWay++;
    try {
      await within(answerWithinMs, queriesUntil(ending.signal)(next), new RequestError(503, LATE));
    } catch (error) {
      end();
      throw error;
    } finally {
      underWay--;
      left?.removeEventListener('abort', end);
    }
  };
}

/** Rejects if the work takes longer, by default as if the database were away. */
export async function within<Result>(
  ms: number,
  work: Promise<Result>,
  error: Error = new DatabaseUnavailable(`no answer within ${ms / 1000} s`),
): Promise<Result> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
