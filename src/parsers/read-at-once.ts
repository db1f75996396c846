import type { WorkKind } from '../db/work-queue.ts';
import type { Report } from '../records/record.ts';
import { type BuiltInSettings, builtInFinder, builtInParsers } from './built-in/parsers.ts';
import { storableData } from './data.ts';
import { workOf } from './kind.ts';
import { BUILT_IN_LANE, type Lane, type Parsed } from './parser.ts';

/** What a built-in parser found in a payload. */
interface ReadPayload {
  parser: string;
  data: NonNullable<Parsed>;
}

/** What happens with a record besides storing it: `parsed` is stored with it, `work` is queued. */
export interface Reading {
  work: WorkKind[];
  parsed: ReadPayload | undefined;
}

/**
 * Characters of a payload that can be read within a quarter of a millisecond at worst: a longer one would hold up other
 * records.
 */
const SHORT = 16_384;

export type PayloadReader = (report: Report) => Reading;

/**
 * Lets the built-in parsers read a short payload on arrival, which costs a tenth of queuing it. A long payload is
 * queued, and so is one on which its parser fails. `parserLane` finds the admin's parser of a classification.
 */
export function payloadReader(
  settings: BuiltInSettings,
  parserLane: (classification: string) => Lane | undefined = () => undefined,
): PayloadReader {
  const find = builtInFinder(builtInParsers(settings));
  const workFor = workOf(settings, parserLane);
  return ({ classification, payload }) => {
    const work = workFor(classification);
    if (payload.length > SHORT || !work.includes(BUILT_IN_LANE)) return { work, parsed: undefined };
    const parser = find(classification)!;
    try {
      const data = parser.parse(payload);
      const rest = work.filter(kind => kind !== BUILT_IN_LANE);
      return { work: rest, parsed: data && { parser: parser.name, data: storableData(data) } };
    } catch {
      return { work, parsed: undefined };
    }
  };
}
