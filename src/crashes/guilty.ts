import type { Landmark } from './landmarks.ts';
import {
  comparedFunction,
  comparedModule,
  type FrameName,
  isNoName,
  NAME_LENGTH,
  stableFunction,
  stableModule,
} from './names.ts';
import type { LookUp, Traits } from './never-guilty-matcher.ts';

/** A frame as analysts see it: `function` is the demangled name. */
export interface ShownFrame extends FrameName {
  unknown: boolean;
  unreliable: boolean;
  /** From `Frame`. */
  reason?: string;
}

export type StepOutcome =
  | 'never-guilty'
  /** It has no symbol. */
  | 'unknown'
  | 'unreliable'
  /** It is a marker or the like, not a function. */
  | 'no name'
  /** It belongs to the handling of the crash: the crash is further out. */
  | 'handler'
  | 'chosen';

export interface Step {
  /** The index of the frame. */
  frame: number;
  outcome: StepOutcome;
  /** The entry that a never-guilty frame matches, if it is spelled differently from the frame. */
  entry?: FrameName;
}

export type Rule =
  /** The first frame that was not skipped. */
  | 'first known frame'
  /** All were skipped: the first one without a reliable symbol, preferably outside the runtime libraries. */
  | 'remembered unknown frame'
  /** All are on the never-guilty list: the last of them. */
  | 'last never-guilty frame'
  /** The report has no backtrace, but a reason. */
  | 'made from the reason'
  | 'no frames';

export interface Verdict {
  /** Named without the parts that change with each compilation. */
  guilty: FrameName | null;
  /** The index of the guilty frame. */
  frame: number | null;
  /** The examined frames in order, by index; the frames after the chosen one were not examined. */
  steps: Step[];
  rule: Rule;
  /** The frame after which the crash is, if the frames before it belong to a handler. */
  trap?: { frame: number; kind: Landmark };
}

/**
 * Walks the frames from the innermost outwards to the one to blame. Skips the frames of a handler, frames on the
 * never-guilty list, the first one that is unknown (`???`) or unreliable (`? name`), which it remembers, and every
 * further `???`. Accepts an unreliable frame after a remembered one, and the first frame after an exception.
 */
export function chooseGuilty(frames: readonly ShownFrame[], lookUp: LookUp): Verdict {
  if (frames.length === 0) return { guilty: null, frame: null, steps: [], rule: 'no frames' };
  const judged = frames.map(frame => judge(frame, lookUp(frame.function, frame.module)));
  const trap = trapOf(judged);
  const below = trap && walk(judged, trap.frame + 1, trap.kind === 'exception');
  const walked = below?.index === undefined ? walk(judged, 0, false) : below;
  const index = walked.index ?? lastNeverGuilty(judged);
  const { function: name, module, reason } = frames[index]!;
  return {
    guilty: { function: stableFunction(name), module: stableModule(module) },
    frame: index,
    steps: walked === below ? [...aboveTrap(judged, trap!.frame), ...walked.steps] : walked.steps,
    rule: reason === undefined ? walked.rule : 'made from the reason',
    ...(walked === below && { trap: trap! }),
  };
}

/**
 * Whether analysts may put this frame on the never-guilty list: not frames where every program starts, and not frames
 * without a module or a name.
 */
export function isCandidate({ function: name, module }: FrameName): boolean {
  if (module === '' || isNoName(name) || Math.max(name.length, module.length) > NAME_LENGTH) return false;
  const compared = comparedFunction(name);
  return compared !== '_start()' && (compared !== '__libc_start_main()' || comparedModule(module) !== 'libc.so.6');
}

interface Judged extends Omit<Step, 'frame'>, Pick<Traits, 'landmark' | 'runtime'> {}

/** The outcome for a single frame. */
function judge(frame: ShownFrame, { entry, kind, landmark, runtime }: Traits): Judged {
  if (entry) {
    const isSame = entry.function === frame.function && entry.module === frame.module && !entry.pattern;
    const { function: name, module } = entry;
    return { outcome: 'never-guilty', landmark, runtime, ...(!isSame && { entry: { function: name, module } }) };
  }
  const outcome =
    frame.unknown || kind === 'unknown'
      ? 'unknown'
      : kind === 'no name'
        ? 'no name'
        : frame.unreliable
          ? 'unreliable'
          : 'chosen';
  return { outcome, landmark, runtime };
}

/** The frame after which the crash is, if there is one. */
function trapOf(judged: readonly Judged[]): Verdict['trap'] {
  const signal = judged.findIndex(frame => frame.landmark === 'signal');
  const [frame, kind] = signal >= 0 ? ([signal, 'signal'] as const) : ([exceptionIn(judged), 'exception'] as const);
  return frame >= 0 && frame < judged.length - 1 ? { frame, kind } : undefined;
}

/**
 * The last frame through which the innermost exception entered the kernel. Only if all frames before it may be skipped:
 * a function called by an exception may crash itself.
 */
function exceptionIn(judged: readonly Judged[]): number {
  let last = judged.findIndex(({ landmark, outcome }) => landmark === 'exception' || outcome === 'chosen');
  if (last < 0 || judged[last]!.landmark !== 'exception') return -1;
  for (let index = last + 1; index < judged.length; index++) {
    const { landmark, outcome } = judged[index]!;
    if (landmark === 'exception') last = index;
    else if (outcome !== 'never-guilty' && outcome !== 'no name') break;
  }
  return last;
}

function aboveTrap(judged: readonly Judged[], trap: number): Step[] {
  return judged
    .slice(0, trap + 1)
    .map((frame, index) =>
      frame.outcome === 'never-guilty' ? step(frame, index) : { frame: index, outcome: 'handler' },
    );
}

interface Walk {
  /** Undefined if all frames are on the never-guilty list or are not functions. */
  index: number | undefined;
  rule: Rule;
  steps: Step[];
}

function walk(judged: readonly Judged[], start: number, trustFirst: boolean): Walk {
  const steps: Step[] = [];
  const remembered: number[] = [];
  for (let index = start; index < judged.length; index++) {
    const frame = judged[index]!;
    const { outcome } = frame;
    if (outcome === 'chosen' || (outcome === 'unreliable' && (trustFirst || remembered.length > 0))) {
      steps.push({ frame: index, outcome: 'chosen' });
      return { index, rule: 'first known frame', steps };
    }
    steps.push(step(frame, index));
    if (outcome === 'unknown' || outcome === 'unreliable') remembered.push(index);
  }
  const outside = remembered.find(index => judged[index]!.outcome === 'unreliable' || !judged[index]!.runtime);
  const index = outside ?? remembered[0];
  return { index, rule: index === undefined ? 'last never-guilty frame' : 'remembered unknown frame', steps };
}

function lastNeverGuilty(judged: readonly Judged[]): number {
  const last = judged.findLastIndex(({ outcome }) => outcome === 'never-guilty');
  return last >= 0 ? last : judged.length - 1;
}

function step({ outcome, entry }: Judged, index: number): Step {
  return { frame: index, outcome, ...(entry && { entry }) };
}
