import { storable } from '../db/storable.ts';
import { type Frame, NO_SYMBOL, shownFunction } from '../dialects/frame.ts';
import type { DemangleNote } from './demangle/demangled.ts';
import type { ShownFrame, Verdict } from './guilty.ts';
import { type FrameName, isUnknown, stableModule, withoutAttachment } from './names.ts';
import type { LookUp } from './never-guilty-matcher.ts';

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
    ...(frame.reason !== undefined && { reason: storable(frame.reason) }),
  };
}

/**
 * What makes two backtraces the same one: functions as written, modules and source lines of all frames, as 128 bits of a
 * SHA-256. Offsets stay out: they change with every compilation. So do addresses, the number of the vdso and the like, which change
 * with every process. What the reason says counts where a frame was made from it.
 */
export function stackHash(frames: readonly StackFrame[]): string {
  const text = frames
    .map(({ number, written, function: shown, module, source, reason }) => {
      const name = isUnknown(shown) ? NO_SYMBOL : withoutAttachment(written ?? shown);
      return `${number}\0${name}\0${stableModule(module)}\0${source ?? ''}${reason === undefined ? '' : `\0${reason}`}\n`;
    })
    .join('');
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32);
}

/** The keys that a stack is found by, see `frameKey`. */
export function frameKeys(frames: readonly FrameName[], lookUp: LookUp): number[] {
  return [...new Set(frames.map(({ function: name, module }) => lookUp(name, module).key))];
}
