import { readCrash } from '../dialects/read-crash.ts';
import { framesOf } from './reason.ts';
import { stackFrame, stackHash } from './stack.ts';

/** The hash of the stack that analysis will find in a payload: 32 hexadecimal digits. */
export function stackHashOf(payload: string): string {
  return stackHash(framesOf(readCrash(payload)).map(frame => stackFrame(frame, undefined)));
}
