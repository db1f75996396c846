import { type Frame, MAX_FRAMES } from './frame.ts';
import { parseCall, parseFault } from './kernel-line.ts';

/** How many calls are read; many of them may be doubted. */
const MOST_CALLS = 4 * MAX_FRAMES;
/**
 * How the kernel prints registers within a trace. Without the segment, they are printed once more at the end of the
 * report.
 */
const INTERRUPTED = /^[RE]?IP: (?:0010|0060|e030):/;

/** Adds the call in a line, if there is one; false once there are enough. */
export function addCall(trace: Frame[], line: string): boolean {
  const call = parseCall(line) ?? (INTERRUPTED.test(line) ? parseFault(line) : null);
  const last = trace.at(-1);
  // The interrupted call may be repeated after its registers.
  if (call && !(last && isSame(call, last))) trace.push(call);
  return trace.length <= MOST_CALLS;
}

/**
 * The frames of a report: where it happened, and the calls that led there. Doubted calls are stack addresses left by
 * earlier calls. They differ each time, so equal crashes would get different stacks. They are kept only at the top if
 * nothing else says where it happened, and all of them if there is nothing else.
 */
export function framesBelow(fault: Frame | null, calls: Frame[]): Frame[] {
  const certain = calls.filter(call => !call.unreliable);
  if (certain.length === 0) return fault ? [fault, ...calls] : calls;
  if (!fault) return [...calls.slice(0, calls.indexOf(certain[0]!)), ...certain];
  return isSame(fault, certain[0]!) ? certain : [fault, ...certain];
}

/** The place that the headline names, if the trace was cut off before it. */
export function placeInHeadline(headline: string | null, calls: Frame[]): Frame | null {
  const offset = headline?.indexOf('+0x') ?? -1;
  const place = offset < 0 ? null : parseCall(headline!.slice(headline!.lastIndexOf(' ', offset) + 1));
  return place && calls.length > 0 && !calls.some(call => isSame(place, call)) ? place : null;
}

function isSame(one: Frame, other: Frame): boolean {
  const isElsewhere = one.offset !== null && other.offset !== null && one.offset !== other.offset;
  return one.function === other.function && one.module === other.module && !isElsewhere && !one.unknown;
}
