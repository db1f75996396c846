/** So many seconds' worth may come at once: machines send their whole spool in a row. */
const BURST_SECONDS = 10;

export interface TokenBucket {
  /** Whether one more may pass at that time, in milliseconds of a clock that never goes back; if so, it is counted. */
  take(now: number): boolean;
}

/** Lets `rate` a second pass on average, and after a quiet time those of ten seconds at once. */
export function tokenBucket(rate: number): TokenBucket {
  const most = rate * BURST_SECONDS;
  let tokens = most;
  let filledAt = Number.NEGATIVE_INFINITY;
  return {
    take(now) {
      tokens = Math.min(most, tokens + ((now - filledAt) / 1000) * rate);
      filledAt = now;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
