import { z } from 'zod';
import { nearest } from '../nearest.ts';

/**
 * A list with at least `least` items (one by default), where no two have the same `identity`; undefined equals nothing.
 */
export function uniqueList<Item extends z.ZodType>(
  item: Item,
  identity: (item: z.output<Item>) => string | undefined,
  expected: string,
  least = 1,
) {
  const list = z.array(item).min(least).superRefine(eachOnce(identity, expected), EVEN_IF_AN_ITEM_IS_WRONG);
  return z.preprocess(splitList, list);
}

/** By default zod looks for duplicates only once every item is valid, and would not report all mistakes at once. */
const EVEN_IF_AN_ITEM_IS_WRONG = { when: ({ value }: { value: unknown }) => Array.isArray(value) };

function eachOnce<T>(identity: (item: T) => string | undefined, expected: string) {
  return (list: T[], context: z.RefinementCtx<T[]>) => {
    const wrong = new Set(context.issues.map(issue => issue.path?.[0]));
    const seen = new Map<string, number>();
    for (const [index, item] of list.entries()) {
      const id = wrong.has(index) ? undefined : identity(item);
      if (id === undefined) continue;
      const first = seen.get(id);
      const message = `${expected} (item ${first} is the same)`;
      if (first === undefined) seen.set(id, index);
      else context.addIssue({ code: 'custom', path: [index], input: id, message });
    }
  };
}

/** Splits the text form of a list, as environment variables have it. */
export function splitList(raw: unknown): unknown {
  return typeof raw === 'string' ? raw.split(',').map(item => item.trim()) : raw;
}

const AND = new Intl.ListFormat('en-GB');

/** A TOML table with exactly these keys. */
export function table<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => unknownKey(key, keys)).join('; ')
        : `text or a table with the keys ${AND.format(keys)}`,
  });
}

function unknownKey(key: string, keys: string[]): string {
  const meant = nearest(key, keys);
  return `the keys ${AND.format(keys)} (${meant ? `"${key}" looks like "${meant}"` : `not "${key}"`})`;
}
