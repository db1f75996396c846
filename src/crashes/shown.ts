import type { Backtrace, BacktraceFrame, GuiltyRule } from '../../views/backtrace.tsx';
import type { DemangleNote } from './demangle.ts';
import type { StackFrame } from './stack.ts';
import type { DecidedStack } from './stack-queries.ts';

const RULES: Record<DecidedStack['verdict']['rule'], GuiltyRule> = {
  'first known frame': 'first-known',
  'remembered unknown frame': 'first-unknown',
  'last never-guilty frame': 'last-never-guilty',
  'no frames': 'no-frames',
};

const KEPT: Record<DemangleNote, BacktraceFrame['kept']> = {
  'too long': 'too-long',
  'took too long': 'too-slow',
  failed: 'too-slow',
  unavailable: null,
};

/** A stored stack as pages show it: the explanation is the one of its decision. */
export function backtraceOf({ frames, verdict, listVersion, decidedAt }: DecidedStack): Backtrace {
  const skipped = new Map(verdict.steps.map(({ frame, outcome }) => [frame, outcome]));
  return {
    frames: frames.map((frame, index) => shownFrame(frame, skipped.get(index), index === verdict.frame)),
    rule: RULES[verdict.rule],
    listVersion,
    decidedAt,
  };
}

function shownFrame(frame: StackFrame, outcome: string | undefined, guilty: boolean): BacktraceFrame {
  return {
    number: frame.number,
    function: frame.written ?? frame.function,
    demangled: frame.written === undefined ? null : frame.function,
    module: frame.module,
    source: frame.source ?? null,
    guilty,
    skipped:
      outcome === 'never-guilty' || outcome === 'unreliable' ? outcome : outcome === 'unknown' ? 'no-symbol' : null,
    kept: frame.note ? KEPT[frame.note] : null,
  };
}

/** A stored stack as the REST API writes it. */
export function stackToJson({ id, frames, verdict, listVersion, decidedAt }: DecidedStack) {
  const outcomes = new Map(verdict.steps.map(({ frame, outcome }) => [frame, outcome]));
  return {
    stack_id: id,
    frames: frames.map((frame, index) => ({
      number: frame.number,
      function: frame.function,
      mangled: frame.written ?? null,
      module: frame.module,
      source: frame.source ?? null,
      outcome: outcomes.get(index) ?? 'not reached',
    })),
    explanation: {
      rule: verdict.rule,
      guilty_frame: verdict.frame,
      list_version: listVersion,
      decided_at: decidedAt.toISOString(),
    },
  };
}
