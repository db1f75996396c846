import { limitMemory, openAlarm } from '../../children/limits.ts';
import { answerWith, inputLines, READY } from '../../children/serve-lines.ts';
import { type CxaDemangle, openCxaDemangle } from './cxa-demangle.ts';
import { TooLong } from './symbol-text.ts';

/** The first argument that makes the executable run the demangler instead of a command. */
export const DEMANGLER_ARGUMENT = 'demangler-process';

/** The answer for a name that is not mangled. */
export const NOT_MANGLED = 0;
export const TOO_LONG = 1;
export type DemanglerAnswer = string | typeof NOT_MANGLED | typeof TOO_LONG;

// A last resort if nobody is left to kill it: its parent waits far shorter.
const SECONDS_PER_REQUEST = 10;
const MORE_MEMORY_BYTES = 128 * 2 ** 20;

/**
 * Runs the demangler: each line of stdin is a JSON array of mangled C++ names, and each line of stdout a JSON array of
 * as many `DemanglerAnswer`s. Ends with its input.
 */
export function serveDemangler(): void {
  const demangle = openCxaDemangle();
  const alarm = openAlarm();
  limitMemory(MORE_MEMORY_BYTES);
  answerWith(READY);
  for (const line of inputLines()) {
    alarm(SECONDS_PER_REQUEST);
    answerWith(JSON.stringify((JSON.parse(line) as string[]).map(name => answerTo(name, demangle))));
    alarm(0);
  }
}

function answerTo(name: string, demangle: CxaDemangle): DemanglerAnswer {
  try {
    return demangle(name) ?? NOT_MANGLED;
  } catch (error) {
    if (error instanceof TooLong) return TOO_LONG;
    throw error;
  }
}

if (import.meta.main) serveDemangler();
