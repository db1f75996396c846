import { NAME_LENGTH } from './never-guilty-list.ts';

/** A frame as analysts see it: `function` is the demangled name. */
export interface ShownFrame {
  function: string;
  module: string;
  unknown: boolean;
  unreliable: boolean;
}

export type StepOutcome = 'never-guilty' | 'unknown' | 'unreliable' | 'chosen';

export type Rule =
  /** The first frame that was not skipped. */
  | 'first known frame'
  /** All were skipped; the first without a symbol, or the first unreliable one, whichever came first. */
  | 'remembered unknown frame'
  /** All are on the never-guilty list; the last of them. */
  | 'last never-guilty frame'
  | 'no frames';

export interface Verdict {
  guilty: { function: string; module: string } | null;
  /** The guilty's place in the frames. */
  frame: number | null;
  /** The frames looked at, in order, by their place; those behind the chosen one were not. */
  steps: { frame: number; outcome: StepOutcome }[];
  rule: Rule;
}

export type IsNeverGuilty = (fn: string, module: string) => boolean;

/**
 * Walks the frames from the innermost outwards to the one to blame: past those on the never-guilty list, past the first
 * that is unknown (`???`) or unreliable (`? name`), which is remembered, and past every further `???`. An unreliable
 * frame after a remembered one is taken like any other.
 */
export function chooseGuilty(frames: readonly ShownFrame[], isNeverGuilty: IsNeverGuilty): Verdict {
  const steps: Verdict['steps'] = [];
  let remembered: number | null = null;
  for (const [index, frame] of frames.entries()) {
    const outcome = judge(frame, remembered === null, isNeverGuilty);
    steps.push({ frame: index, outcome });
    if (outcome === 'chosen') return verdict(frames, index, steps, 'first known frame');
    if (outcome !== 'never-guilty') remembered ??= index;
  }
  if (remembered !== null) return verdict(frames, remembered, steps, 'remembered unknown frame');
  if (frames.length > 0) return verdict(frames, frames.length - 1, steps, 'last never-guilty frame');
  return { guilty: null, frame: null, steps, rule: 'no frames' };
}

/** Whether analysts may put this frame on the never-guilty list: not where every program starts, and not without a module. */
export function isCandidate(frame: Pick<ShownFrame, 'function' | 'module'>): boolean {
  if (frame.module === '' || Math.max(frame.function.length, frame.module.length) > NAME_LENGTH) return false;
  const name = withoutVersion(frame.function);
  if (name === '_start()') return false;
  return name !== '__libc_start_main()' || !isLibc(frame.module);
}

/** `__libc_start_main()` of `__libc_start_main@@GLIBC_2.34()`. */
function withoutVersion(name: string): string {
  const version = name.indexOf('@');
  return version >= 0 && name.endsWith('()') ? `${name.slice(0, version)}()` : name;
}

function judge(frame: ShownFrame, nothingRemembered: boolean, isNeverGuilty: IsNeverGuilty): StepOutcome {
  if (isNeverGuilty(frame.function, frame.module)) return 'never-guilty';
  if (frame.unknown) return 'unknown';
  return frame.unreliable && nothingRemembered ? 'unreliable' : 'chosen';
}

function verdict(frames: readonly ShownFrame[], index: number, steps: Verdict['steps'], rule: Rule): Verdict {
  const { function: name, module } = frames[index]!;
  return { guilty: { function: name, module }, frame: index, steps, rule };
}

/** `libc.so.6`, and `/lib/libc-2.31.so` as it was called before glibc 2.34. */
function isLibc(module: string): boolean {
  return /^libc(\.so|-2\.)/.test(module.slice(module.lastIndexOf('/') + 1));
}
