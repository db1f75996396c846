import type { Config } from '../../config/settings.ts';
import { classificationTest } from '../../records/classification.ts';
import type { BuiltInParser } from '../parser.ts';
import { parseCrashHeading } from './crash.ts';
import { parseGreeting } from './greeting.ts';
import { parseMachineCheck } from './machine-check.ts';
import { parseUpdate } from './update.ts';

/** The settings that say which parser reads which classification. */
export type BuiltInSettings = Pick<Config, 'crashes' | 'machine_checks' | 'thermal' | 'updates'>;

/** The parsers in the program. If two take a classification, the first gets it. */
export function builtInParsers(config: BuiltInSettings): BuiltInParser[] {
  return [
    { name: 'heartbeat', classifications: ['*/heartbeat/ping'], parse: parseGreeting },
    { name: 'hello', classifications: ['*/hello/world'], parse: parseGreeting },
    { name: 'update', classifications: config.updates.classifications, parse: parseUpdate },
    {
      name: 'mce',
      classifications: [...config.machine_checks.classifications, ...config.thermal.classifications],
      parse: parseMachineCheck,
    },
    { name: 'oops', classifications: ['*/kernel/*', '*/bert/debug'], parse: parseCrashHeading },
    {
      name: 'crash',
      classifications: [...config.crashes.classifications, '*/crash/error'],
      parse: parseCrashHeading,
    },
  ];
}

/** Finds the built-in parser of a classification. */
export function builtInFinder(parsers: BuiltInParser[]): (classification: string) => BuiltInParser | undefined {
  const tests = parsers.map(parser => ({ parser, fits: classificationTest(parser.classifications) }));
  return classification => tests.find(({ fits }) => fits(classification))?.parser;
}
