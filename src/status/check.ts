export type Level = 'ok' | 'warning' | 'error';

/** One thing that was looked at. */
export interface Check {
  name: string;
  level: Level;
  /** How it is, in words. */
  text: string;
  /** What to do about it. */
  remedy?: string | undefined;
  /** What went wrong in detail, with paths perhaps: for administrators. */
  reason?: string | undefined;
}

export type Finding = Omit<Check, 'name'>;

const GRAVITY: Record<Level, number> = { ok: 0, warning: 1, error: 2 };

/** The gravest level among checks. */
export function gravest(checks: Pick<Check, 'level'>[]): Level {
  return checks.reduce<Level>((worst, { level }) => (GRAVITY[level] > GRAVITY[worst] ? level : worst), 'ok');
}
