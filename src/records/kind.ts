import type { Config } from '../config/settings.ts';
import { type ClassificationTest, classificationTest } from './classification.ts';

/** What a record is beyond a record, by its classification: work waits for it, or counters of their own. */
export type RecordKind = 'crash' | 'machine check' | 'update';

/** Tells the kinds of a classification as it is configured; mostly none. */
export function kindsOf(config: Config): (classification: string) => RecordKind[] {
  const tests: [RecordKind, ClassificationTest][] = [
    ['crash', classificationTest(config.crashes.classifications)],
    ['machine check', classificationTest(config.machine_checks.classifications)],
    ['update', classificationTest(config.updates.classifications)],
  ];
  return classification => tests.filter(([, fits]) => fits(classification)).map(([kind]) => kind);
}
