import type { Config } from '../config/settings.ts';
import type { WorkKind } from '../db/work-queue.ts';
import { classificationTest } from '../records/classification.ts';
import { type BuiltInSettings, builtInFinder, builtInParsers } from './built-in/parsers.ts';
import { BUILT_IN_LANE, type Lane } from './parser.ts';

/** What a record is beyond a record, by its classification: work waits for it, or counters of their own. */
export type RecordKind = WorkKind | 'machine check' | 'update';

/** Tells the work of a classification as it is configured; `parserLane` tells which parser of an admin is to read it. */
export function workOf(
  config: BuiltInSettings,
  parserLane: (classification: string) => Lane | undefined,
): (classification: string) => WorkKind[] {
  const isCrash = classificationTest(config.crashes.classifications);
  const builtIn = builtInFinder(builtInParsers(config));
  return classification => {
    const lane = parserLane(classification) ?? (builtIn(classification) && BUILT_IN_LANE);
    return [...(isCrash(classification) ? ['crash' as const] : []), ...(lane === undefined ? [] : [lane])];
  };
}

/** Tells all kinds of a classification, without parsers of admins. */
export function kindsOf(config: Config): (classification: string) => RecordKind[] {
  const work = workOf(config, () => undefined);
  const isMachineCheck = classificationTest(config.machine_checks.classifications);
  const isUpdate = classificationTest(config.updates.classifications);
  return classification => [
    ...work(classification),
    ...(isMachineCheck(classification) ? ['machine check' as const] : []),
    ...(isUpdate(classification) ? ['update' as const] : []),
  ];
}
