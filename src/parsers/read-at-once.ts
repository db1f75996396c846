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

/** What is done with a record beside storing it: `parsed` is stored with it, `work` waits for it. */
export interface Reading {
  work: WorkKind[];
  parsed: ReadPayload | undefined;
}

/** Characters of a payload that are read within a quarter of a millisecond at worst: longer ones would hold up other records. */
const SHORT = 16_384;

export type PayloadReader = (report: Report) => Reading;

/**
 * Lets the built-in parsers read a short payload as it comes, which costs a tenth of what the queue for it would. One that is long,
 * or on which its parser fails, waits in the queue. `parserLane` tells which parser of an admin is to read a classification.
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
