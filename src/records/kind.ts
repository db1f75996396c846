import type { Config } from '../config/settings.ts';
import { builtInFinder, builtInParsers } from '../parsers/built-in/parsers.ts';
import { BUILT_IN_LANE, type Lane } from '../parsers/parser.ts';
import { type ClassificationTest, classificationTest } from './classification.ts';

/** What a record is beyond a record, by its classification: work waits for it, or counters of their own. */
export type RecordKind = 'crash' | 'machine check' | 'update' | Lane;

/** Tells the kinds of a classification as it is configured; `parserLane` tells which parser of an admin is to read it. */
export function kindsOf(
  config: Config,
  parserLane: (classification: string) => Lane | undefined,
): (classification: string) => RecordKind[] {
  const tests: [RecordKind, ClassificationTest][] = [
    ['crash', classificationTest(config.crashes.classifications)],
    ['machine check', classificationTest(config.machine_checks.classifications)],
    ['update', classificationTest(config.updates.classifications)],
  ];
  const builtIn = builtInFinder(builtInParsers(config));
  return classification => {
    const kinds = tests.filter(([, fits]) => fits(classification)).map(([kind]) => kind);
    const lane = parserLane(classification) ?? (builtIn(classification) && BUILT_IN_LANE);
    return lane === undefined ? kinds : [...kinds, lane];
  };
}
