/** Machines send their whole spool in a row, so this many seconds' worth may come at once. */
const BURST_SECONDS = 10;

export interface TokenBucket {
  /** Whether one more may pass at `now` (milliseconds of a monotonic clock); counts it if so. */
  take(now: number): boolean;
}

/** Passes `rate` a second on average, and ten seconds' worth at once after a quiet time. */
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
