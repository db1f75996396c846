import { RE2JS } from 're2js';
import type { ScrubRule } from '../config/scrub.ts';

/** A payload and its rules, by their index in the configuration. */
export interface ScrubTask {
  payload: string;
  rules: readonly number[];
}

export type Scrubbed =
  /** `by`: the names of the rules that changed it. */
  | { kind: 'scrubbed'; payload: string; by: string[] }
  /** A rule did not finish, so the payload may still hold secrets. */
  | { kind: 'failed'; rule: string; reason: string };

/** Replacements may make a payload at most this many times as long, or this many characters longer. */
const MOST_GROWTH = 4;
const MOST_LENGTH = 65_536;

/** Slots in shared memory where the thread reports its task and its id. */
export const TASK = 0;
export const RULE = 1;
export const THREAD = 2;

/**
 * Returns a function that applies rules to a payload and announces each rule to `beforeRule`. The engine finds each
 * match in linear time and never gives up. JavaScript's engine silently gives up at a limit of steps, and a secret
 * would slip through. All matches together may still take quadratic time, so somebody must be able to stop it.
 */
export function compileRules(rules: readonly ScrubRule[]) {
  const compiled = rules.map(rule => ({ ...rule, regex: RE2JS.compile(rule.pattern) }));
  return ({ payload, rules: places }: ScrubTask, beforeRule: (place: number) => void): Scrubbed => {
    const by: string[] = [];
    let text = payload;
    for (const place of places) {
      beforeRule(place);
      const { name, regex, replacement } = compiled[place]!;
      if (!regex.test(text)) continue;
      const replaced = regex.matcher(text).replaceAll(replacement);
      if (replaced === text) continue;
      if (replaced.length > Math.max(payload.length * MOST_GROWTH, MOST_LENGTH))
        return { kind: 'failed', rule: name, reason: `makes this payload more than ${MOST_GROWTH} times as long` };
      text = replaced;
      by.push(name);
    }
    return { kind: 'scrubbed', payload: text, by };
  };
}
