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
  /** See `Frame`. */
  reason?: string;
}

export type StepOutcome =
  | 'never-guilty'
  /** There is no symbol. */
  | 'unknown'
  | 'unreliable'
  /** A marker or the like, and no function at all. */
  | 'no name'
  /** Part of how the crash was handled: the crash is below. */
  | 'handler'
  | 'chosen';

export interface Step {
  /** The frame's place. */
  frame: number;
  outcome: StepOutcome;
  /** The entry that a never-guilty frame is on the list by, where that is written otherwise than the frame. */
  entry?: FrameName;
}

export type Rule =
  /** The first frame that was not skipped. */
  | 'first known frame'
  /** All were skipped; the first without a reliable symbol, one outside the runtime libraries before one in them. */
  | 'remembered unknown frame'
  /** All are on the never-guilty list; the last of them. */
  | 'last never-guilty frame'
  /** The report has no backtrace, but a reason. */
  | 'made from the reason'
  | 'no frames';

export interface Verdict {
  /** Named without what changes with each compilation. */
  guilty: FrameName | null;
  /** The guilty's place in the frames. */
  frame: number | null;
  /** The frames looked at, in order, by their place; those behind the chosen one were not. */
  steps: Step[];
  rule: Rule;
  /** The place of the frame below which the crash is, where the frames above it are those of its handler. */
  trap?: { frame: number; kind: Landmark };
}

/**
 * Walks the frames from the innermost outwards to the one to blame: past those of a handler, past those on the never-guilty list,
 * past the first that is unknown (`???`) or unreliable (`? name`), which is remembered, and past every further `???`. An unreliable
 * frame after a remembered one is taken like any other, and so is the first below an exception.
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

/** Whether analysts may put this frame on the never-guilty list. Not so where every program starts, and without a module or a name. */
export function isCandidate({ function: name, module }: FrameName): boolean {
  if (module === '' || isNoName(name) || Math.max(name.length, module.length) > NAME_LENGTH) return false;
  const compared = comparedFunction(name);
  return compared !== '_start()' && (compared !== '__libc_start_main()' || comparedModule(module) !== 'libc.so.6');
}

interface Judged extends Omit<Step, 'frame'>, Pick<Traits, 'landmark' | 'runtime'> {}

/** What becomes of a frame by itself. */
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

/** The frame below which the crash is, if there is one. */
function trapOf(judged: readonly Judged[]): Verdict['trap'] {
  const signal = judged.findIndex(frame => frame.landmark === 'signal');
  const [frame, kind] = signal >= 0 ? ([signal, 'signal'] as const) : ([exceptionIn(judged), 'exception'] as const);
  return frame >= 0 && frame < judged.length - 1 ? { frame, kind } : undefined;
}

/**
 * The last of the frames by which the innermost exception entered the kernel. Only if all above may be passed over: a function that
 * an exception has called may crash itself.
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
  /** Undefined where all frames are on the never-guilty list or no functions. */
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
