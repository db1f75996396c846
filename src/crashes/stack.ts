import { storable } from '../db/storable.ts';
import type { DemangleNote } from './demangle.ts';
import { type Frame, shownFunction } from './frames.ts';
import type { ShownFrame, Verdict } from './guilty.ts';

/** A frame as it is stored with its stack. */
export interface StackFrame extends ShownFrame {
  number: number;
  /** As the payload has it, where that differs from `function`. */
  written?: string;
  source?: string;
  /** Why the name was left mangled. */
  note?: DemangleNote;
}

export type StackVerdict = Verdict;
/** The guilty is the stack's own column. */
export type StoredVerdict = Omit<Verdict, 'guilty'>;

export function stackFrame(
  frame: Frame,
  demangled: { demangled: string; note: DemangleNote | null } | undefined,
): StackFrame {
  const shown = storable(shownFunction(frame, demangled?.demangled));
  const written = storable(frame.function);
  return {
    number: frame.number,
    function: shown,
    module: storable(frame.module),
    unknown: frame.unknown,
    unreliable: frame.unreliable,
    ...(written !== shown && { written }),
    ...(frame.source !== null && { source: storable(frame.source) }),
    ...(demangled?.note && { note: demangled.note }),
  };
}

/**
 * What makes two backtraces the same one: functions as written, modules and source lines of all frames, as 128 bits of a
 * SHA-256. Offsets stay out: they change with every compilation.
 */
export function stackHash(frames: readonly StackFrame[]): string {
  const text = frames
    .map(
      ({ number, written, function: shown, module, source }) =>
        `${number}\0${written ?? shown}\0${module}\0${source ?? ''}\n`,
    )
    .join('');
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32);
}
