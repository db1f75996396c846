import { RE2JS } from 're2js';
import type { ScrubRule } from '../config/scrub.ts';

/** A payload and the rules for it, by their places in the configuration. */
export interface ScrubTask {
  payload: string;
  rules: readonly number[];
}

export type Scrubbed =
  /** `by`: the names of the rules that changed it. */
  | { kind: 'scrubbed'; payload: string; by: string[] }
  /** A rule could not be brought to an end on it: what it holds is not known. */
  | { kind: 'failed'; rule: string; reason: string };

/** How long replacements may make a payload: so many times what it was, or so many characters. */
const MOST_GROWTH = 4;
const MOST_LENGTH = 65_536;

/** Where the thread tells what it is at, and its id: places in memory that it shares with whoever watches it. */
export const TASK = 0;
export const RULE = 1;
export const THREAD = 2;

/**
 * A function that applies rules to a payload; `beforeRule` hears which is next. The engine finds each match in linear time
 * and never gives up on one, as JavaScript's own silently does past its limit of steps: a secret would slip through. All
 * matches together may still take quadratic time, so that it needs someone who stops it.
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
