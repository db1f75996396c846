import type { Report } from '../records/record.ts';
import { type BuiltInSettings, builtInFinder, builtInParsers } from './built-in/parsers.ts';
import { parsedData } from './data.ts';
import type { Parsed } from './parser.ts';

/** What a built-in parser found in a payload. */
export interface ReadPayload {
  parser: string;
  data: NonNullable<Parsed>;
}

/** Characters of a payload that are read within a tenth of a millisecond: longer ones would hold up other records. */
const SHORT = 16_384;

/**
 * Lets the built-in parsers read a short payload as it comes, which costs a tenth of what the queue for it would. Undefined: it is
 * to be queued, being long, or such that its parser fails on it. `found` is undefined where it tells nothing.
 */
export function payloadReader(
  settings: BuiltInSettings,
): (report: Report) => { found: ReadPayload | undefined } | undefined {
  const find = builtInFinder(builtInParsers(settings));
  return ({ classification, payload }) => {
    if (payload.length > SHORT) return undefined;
    const parser = find(classification);
    try {
      const data = parsedData(parser?.parse(payload));
      return { found: parser && data && { parser: parser.name, data } };
    } catch {
      return undefined;
    }
  };
}
