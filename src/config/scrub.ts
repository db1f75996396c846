import { RE2JS } from 're2js';
import { z } from 'zod';
import { table, uniqueList } from './list.ts';
import { classificationPattern } from './values.ts';

/** Removes something from payloads before they are stored. */
export interface ScrubRule {
  /** Shown with every record that the rule has changed. */
  name: string;
  /** Three parts; `*` stands for any one. */
  classification: string;
  /** RE2 syntax. */
  pattern: string;
  /** May contain `$1` or `$<name>` for what a group matched. */
  replacement: string;
}

const TEXT = 'a text';
const MOST_PATTERN = 4_000;
const MOST_REPLACEMENT = 100;

const name = z
  .string({ error: 'a name as text' })
  .regex(/^[A-Za-z0-9_-]{1,40}$/, '1 to 40 letters, digits, "-" and "_"');

/** A pattern that matches the empty text would put its replacement between all characters. */
const pattern = z
  .string({ error: TEXT })
  .min(1, 'a regular expression')
  .max(MOST_PATTERN, `at most ${MOST_PATTERN} characters`)
  .superRefine((source, context) => {
    const mistake = mistakeIn(source);
    if (mistake) context.addIssue({ code: 'custom', message: mistake, input: source });
  });

function mistakeIn(source: string): string | undefined {
  try {
    if (RE2JS.compile(source).test('')) return 'a regular expression that does not match the empty text';
    return undefined;
  } catch (error) {
    return `a regular expression in RE2 syntax (${(error as Error).message})`;
  }
}

const rule = table({
  name,
  classification: classificationPattern.default('*/*/*'),
  pattern,
  replacement: z
    .string({ error: TEXT })
    .max(MOST_REPLACEMENT, `at most ${MOST_REPLACEMENT} characters`)
    .default('[scrubbed]'),
});

/** A list of tables, or the same as JSON text: patterns may contain any other separator. */
export const scrubRules = z.preprocess(
  fromJson,
  uniqueList(rule, ({ name }) => name, 'every name once', 0),
);

function fromJson(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}
