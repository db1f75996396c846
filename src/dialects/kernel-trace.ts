import { type Frame, MAX_FRAMES } from './frame.ts';
import { parseCall, parseFault } from './kernel-line.ts';

/** Calls that are looked at: many of them may be doubted. */
const MOST_CALLS = 4 * MAX_FRAMES;
/** How the kernel shows registers amid a trace; without the segment they are shown once more at the end of the report. */
const INTERRUPTED = /^[RE]?IP: (?:0010|0060|e030):/;

/** Adds a call, if the line is one; false once there are enough. */
export function addCall(trace: Frame[], line: string): boolean {
  const call = parseCall(line) ?? (INTERRUPTED.test(line) ? parseFault(line) : null);
  const last = trace.at(-1);
  // What was interrupted may be repeated behind its registers.
  if (call && !(last && isSame(call, last))) trace.push(call);
  return trace.length <= MOST_CALLS;
}

/**
 * The frames of a report: where it happened, and the calls that led there. What is doubted are addresses that lie on the stack from
 * earlier calls: others each time, so that equal crashes would have different stacks. Those at the top are needed where nothing else
 * says where it happened, and all where there is nothing else.
 */
export function framesBelow(fault: Frame | null, calls: Frame[]): Frame[] {
  const certain = calls.filter(call => !call.unreliable);
  if (certain.length === 0) return fault ? [fault, ...calls] : calls;
  if (!fault) return [...calls.slice(0, calls.indexOf(certain[0]!)), ...certain];
  return isSame(fault, certain[0]!) ? certain : [fault, ...certain];
}

/** Where the headline says that it happened, if the trace does not say it, since that has been cut off. */
export function placeInHeadline(headline: string | null, calls: Frame[]): Frame | null {
  const offset = headline?.indexOf('+0x') ?? -1;
  const place = offset < 0 ? null : parseCall(headline!.slice(headline!.lastIndexOf(' ', offset) + 1));
  return place && calls.length > 0 && !calls.some(call => isSame(place, call)) ? place : null;
}

function isSame(one: Frame, other: Frame): boolean {
  const isElsewhere = one.offset !== null && other.offset !== null && one.offset !== other.offset;
  return one.function === other.function && one.module === other.module && !isElsewhere && !one.unknown;
}
