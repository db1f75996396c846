// Times are Unix seconds by the clock of the database, which is the one that is judged.

/** Whether the clock is believed, as the database keeps it between looks. */
export interface Belief {
  /** The last look at which it was. */
  trustedAt: number;
  lookedAt: number;
  /** Null while it is. */
  doubt: Doubt | null;
}

export interface Doubt {
  since: number;
  /** For so many seconds servers have watched the clock since then. */
  watched: number;
  /** A server was running when the clock went wrong, or right; else the time may have passed without one. */
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
  /** Seconds since this server's last look by a clock that nobody sets; undefined at its first one. */
  elapsed: number | undefined;
  heard: Heard;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** How far the clock may be ahead of what was expected, which a night without a server is, and how far behind. */
const AHEAD = DAY;
const BEHIND = HOUR;
/** The clock is believed again when those who report agree with it for so long, or when nobody reports for so long. */
const CONFIRMED_AFTER = HOUR;
const SILENT_AFTER = 7 * DAY;

export const NOT_HEARD: Heard = { agreeing: 0, disagreeing: 0 };

/** What to believe after a look. */
export function judge({ trustedAt, lookedAt, doubt }: Belief, { now, elapsed, heard }: Observation): Belief {
  const since = now - lookedAt;
  // Other servers may have looked meanwhile.
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
