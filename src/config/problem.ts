import { maskPasswords } from './mask.ts';

/** One mistake in the configuration. */
export interface Problem {
  /** `collector.max_payload`, `http.listen[1].serves`, or the name of a whole file or variable. */
  key: string;
  /** The file or variable it came from. */
  from: string;
  /** The given value, ready to be shown; undefined if it says nothing or might be a secret under a misspelt key. */
  value: string | undefined;
  /** What would have been right. */
  allowed: string;
  /** What is wrong, if not the value. */
  reason?: string;
}

const SHOWN_LENGTH = 200;

/** Every mistake of a configuration at once; the message is for people. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(describe(problems));
    this.problems = problems;
  }
}

function describe(problems: Problem[]): string {
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  const blocks = problems.map(problem => `\n  ${line(problem)}\n    from ${problem.from}\n`);
  return [
    `${count} in the configuration:\n`,
    ...blocks,
    '\n`telemetricsd config --help` says where settings are looked up and how to write them.',
  ].join('');
}

function line({ key, value, allowed, reason }: Problem): string {
  return `${key}: ${reason ?? `got ${value ?? '(hidden)'}`}, expected ${allowed}`;
}

/** A value as messages show it: short, on one line, and without the passwords of URLs. */
export function showValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  const masked = maskPasswords(text);
  return masked.length > SHOWN_LENGTH ? `${masked.slice(0, SHOWN_LENGTH)}…` : masked;
}
