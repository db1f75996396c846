import { limitMemory, openAlarm } from '../../children/limits.ts';
import { answerWith, inputLines, READY } from '../../children/serve-lines.ts';
import { type CxaDemangle, openCxaDemangle } from './cxa-demangle.ts';
import { TooLong } from './symbol-text.ts';

/** The first argument that makes the executable be the demangler instead of running a command. */
export const DEMANGLER_ARGUMENT = 'demangler-process';

/** What comes back for a name instead of its demangled form. */
export const NOT_MANGLED = 0;
export const TOO_LONG = 1;
export type DemanglerAnswer = string | typeof NOT_MANGLED | typeof TOO_LONG;

// Only for when nobody is left to kill it: the one who asks has far less patience.
const SECONDS_PER_REQUEST = 10;
const MORE_MEMORY_BYTES = 128 * 2 ** 20;

/**
 * The demangler: each line on stdin is a JSON array of mangled C++ names; its answer on stdout is a JSON array of
 * `DemanglerAnswer`s of the same length. Ends with its input.
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
