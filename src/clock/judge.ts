// All times are Unix seconds of the database's clock, which is the clock being judged.

/** Whether the clock is believed; the database keeps this between checks. */
export interface Belief {
  /** The last check at which the clock was believed. */
  trustedAt: number;
  lookedAt: number;
  /** Null while the clock is believed. */
  doubt: Doubt | null;
}

export interface Doubt {
  since: number;
  /** Seconds that servers have watched the clock since the doubt began. */
  watched: number;
  /** Whether a server was running when the clock jumped. If none was, the time may really have passed. */
  stepped: boolean;
  heard: Heard;
}

/** The clocks of the machines that reported since the doubt began. */
export interface Heard {
  agreeing: number;
  disagreeing: number;
}

interface Observation {
  now: number;
  /** Seconds since this server's last check by a monotonic clock; undefined at its first check. */
  elapsed: number | undefined;
  heard: Heard;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** How far the clock may be ahead of what was expected (as after a night without a server), and how far behind. */
const AHEAD = DAY;
const BEHIND = HOUR;
/**
 * The clock is believed again after the machines that report agree with it for this long, or after nobody reports for
 * this long.
 */
const CONFIRMED_AFTER = HOUR;
const SILENT_AFTER = 7 * DAY;

export const NOT_HEARD: Heard = { agreeing: 0, disagreeing: 0 };

/** What to believe after a check. */
export function judge({ trustedAt, lookedAt, doubt }: Belief, { now, elapsed, heard }: Observation): Belief {
  const since = now - lookedAt;
  // Other servers may have checked meanwhile.
  const passed = Math.min(elapsed ?? 0, Math.max(since, 0));
  const watched = (doubt?.watched ?? 0) + passed;
  if (isPlausible(now - trustedAt - watched)) return believed(now);
  if (!doubt || !isPlausible(since - passed)) {
    const fresh = { since: now, watched: 0, stepped: elapsed !== undefined, heard: NOT_HEARD };
    return { trustedAt, lookedAt: now, doubt: fresh };
  }
  if (isConfirmed(heard, watched)) return believed(now);
  return { trustedAt, lookedAt: now, doubt: { ...doubt, watched, heard } };
}

function isPlausible(ahead: number) {
  return ahead <= AHEAD && ahead >= -BEHIND;
}

function isConfirmed({ agreeing, disagreeing }: Heard, watched: number) {
  if (agreeing + disagreeing === 0) return watched >= SILENT_AFTER;
  return agreeing >= disagreeing && watched >= CONFIRMED_AFTER;
}

function believed(now: number): Belief {
  return { trustedAt: now, lookedAt: now, doubt: null };
}
