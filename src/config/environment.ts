import { nearest } from '../nearest.ts';
import type { GivenValue } from './file.ts';
import type { Problem } from './problem.ts';
import { declaredSettings, VARIABLE_PREFIX } from './settings.ts';

export type Environment = Record<string, string | undefined>;

/** The settings in `TELEMETRICSD_*` variables; an empty variable counts as not set. */
export function readEnvironment(environment: Environment, problems: Problem[]): GivenValue[] {
  return Object.entries(environment).flatMap(([variable, raw]) => {
    if (!variable.startsWith(VARIABLE_PREFIX) || raw === undefined) return [];
    const declared = declaredSettings.find(candidate => candidate.variable === variable);
    if (!declared) problems.push(unknownVariable(variable));
    return declared && raw !== '' ? [{ declared, from: variable, raw }] : [];
  });
}

function unknownVariable(variable: string): Problem {
  // Compares without the common prefix, which would make any two names look alike.
  const meant = nearest(
    variable.slice(VARIABLE_PREFIX.length),
    declaredSettings.map(declared => declared.variable.slice(VARIABLE_PREFIX.length)),
  );
  const allowed = meant
    ? `${VARIABLE_PREFIX}${meant}, the nearest one`
    : `${VARIABLE_PREFIX}SECTION_KEY with the name of a setting`;
  return { key: variable, from: 'the environment', value: undefined, reason: 'there is no such setting', allowed };
}
