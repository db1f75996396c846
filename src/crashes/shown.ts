import type { Backtrace, BacktraceFrame, GuiltyRule } from '../../views/crashes/backtrace.tsx';
import type { Frame } from '../dialects/frame.ts';
import type { DemangleNote } from './demangle/demangled.ts';
import type { Step, StepOutcome } from './guilty.ts';
import type { StackFrame } from './stack.ts';
import type { DecidedStack } from './stack-queries.ts';

const RULES: Record<DecidedStack['verdict']['rule'], GuiltyRule> = {
  'first known frame': 'first-known',
  'remembered unknown frame': 'first-unknown',
  'last never-guilty frame': 'last-never-guilty',
  'made from the reason': 'from-reason',
  'no frames': 'no-frames',
};

const KEPT: Record<DemangleNote, BacktraceFrame['kept']> = {
  'too long': 'too-long',
  'took too long': 'too-slow',
  failed: 'too-slow',
  unavailable: null,
};

const SKIPPED: Record<StepOutcome, BacktraceFrame['skipped']> = {
  'never-guilty': 'never-guilty',
  unknown: 'no-symbol',
  unreliable: 'unreliable',
  'no name': 'no-name',
  handler: 'handler',
  chosen: null,
};

/**
 * A stored stack as pages show it, with the explanation from when it was decided. `read` are the frames of one record's
 * payload, which have the offsets.
 */
export function backtraceOf({ frames, verdict, listVersion, decidedAt }: DecidedStack, read: Frame[] = []): Backtrace {
  const steps = new Map(verdict.steps.map(step => [step.frame, step]));
  const { trap } = verdict;
  const offsets = read.length === frames.length ? read.map(frame => frame.offset) : [];
  return {
    frames: frames.map((frame, index) => ({
      ...shownFrame(frame, steps.get(index), index === verdict.frame),
      offset: offsets[index] ?? null,
    })),
    rule: RULES[verdict.rule],
    trap: trap ? { number: frames[trap.frame]!.number, kind: trap.kind } : null,
    listVersion,
    decidedAt,
  };
}

function shownFrame(frame: StackFrame, step: Step | undefined, guilty: boolean): Omit<BacktraceFrame, 'offset'> {
  return {
    number: frame.reason === undefined ? frame.number : null,
    function: frame.written ?? frame.function,
    demangled: frame.written === undefined ? null : frame.function,
    module: frame.module,
    source: frame.source ?? null,
    guilty,
    skipped: step ? SKIPPED[step.outcome] : null,
    entry: step?.entry ?? null,
    kept: frame.note ? KEPT[frame.note] : null,
  };
}

/** A stored stack as the REST API writes it. */
export function stackToJson({ id, frames, verdict, listVersion, decidedAt }: DecidedStack) {
  const steps = new Map(verdict.steps.map(step => [step.frame, step]));
  return {
    stack_id: id,
    frames: frames.map((frame, index) => {
      const { outcome = 'not reached', entry } = steps.get(index) ?? {};
      return {
        number: frame.number,
        function: frame.function,
        mangled: frame.written ?? null,
        module: frame.module,
        source: frame.source ?? null,
        outcome,
        ...(entry && { entry }),
        ...(frame.reason !== undefined && { reason: frame.reason }),
      };
    }),
    explanation: {
      rule: verdict.rule,
      guilty_frame: verdict.frame,
      ...(verdict.trap && { trap: verdict.trap }),
      list_version: listVersion,
      decided_at: decidedAt.toISOString(),
    },
  };
}

export function guiltyName(guilty: { id: number; function: string; module: string } | null) {
  return guilty && { id: guilty.id, function: guilty.function, module: guilty.module };
}
