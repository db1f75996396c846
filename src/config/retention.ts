import { z } from 'zod';
import { splitList } from './list.ts';
import { classificationPattern, integer } from './values.ts';

/** Days by what they apply to: `{ "org.clearlinux/mce/*": 0 }`. */
type RuleDays = Record<string, number>;

const MAX_DAYS = 36_500;

/** A number of days; 0 means for ever. */
export const days = integer(0, MAX_DAYS);

const DAYS_FORM = `a number of days from 0 (for ever) to ${MAX_DAYS}`;

const ruleDays = z.preprocess(
  raw => (typeof raw === 'string' && /^[0-9]+$/.test(raw) ? Number(raw) : raw),
  z.int({ error: DAYS_FORM }).min(0, DAYS_FORM).max(MAX_DAYS, DAYS_FORM),
);

export const severityRules = rules(z.string().regex(/^[1-4]$/), 'a severity from 1 to 4');
export const classificationRules = rules(
  classificationPattern,
  'three parts with "/" between them, each a text or "*"',
);
export const machineRules = rules(z.string().regex(/^[^\s\p{C}]{1,32}$/u), 'a machine id of 1 to 32 characters');

/** A TOML table, or the text `KEY=DAYS,KEY=DAYS`. */
function rules(key: z.ZodType<string>, expected: string): z.ZodType<RuleDays> {
  const table = z.record(z.string(), ruleDays).superRefine((given, context) => {
    for (const name of Object.keys(given)) {
      if (key.safeParse(name).success) continue;
      context.addIssue({ code: 'custom', path: [name], input: name, message: expected });
    }
  });
  return z.preprocess(fromText, table) as unknown as z.ZodType<RuleDays>;
}

function fromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const entries = (splitList(raw) as string[]).map(item => {
    const at = item.lastIndexOf('=');
    return at < 0 ? [item, ''] : [item.slice(0, at).trim(), item.slice(at + 1).trim()];
  });
  return Object.fromEntries(entries);
}
