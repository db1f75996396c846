export type Level = 'ok' | 'warning' | 'error';

/** The result of one check. */
export interface Check {
  name: string;
  level: Level;
  /** The state in words. */
  text: string;
  /** What to do about it. */
  remedy?: string | undefined;
  /** Details of the problem, perhaps with paths: for administrators. */
  reason?: string | undefined;
}

export type Finding = Omit<Check, 'name'>;

const GRAVITY: Record<Level, number> = { ok: 0, warning: 1, error: 2 };

/** The gravest level among checks. */
export function gravest(checks: Pick<Check, 'level'>[]): Level {
  return checks.reduce<Level>((worst, { level }) => (GRAVITY[level] > GRAVITY[worst] ? level : worst), 'ok');
}
