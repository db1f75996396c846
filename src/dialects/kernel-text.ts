import { type Crash, emptyCrash, type Frame, MAX_FRAMES } from './frame.ts';
import { parseCall, parseFault, withoutLogPrefix } from './kernel-line.ts';
import { linesOf } from './lines.ts';

/** How the kernel begins a report. */
const HEADLINES = [
  /BUG: |[kK]ernel BUG at |WARNING: |UBSAN: /,
  /(?:rcu: )?INFO: (?!lockdep is turned off)|(?:NMI )?watchdog: |Watchdog detected /,
  /Oops(?:: | ?\[#)|Internal error: |(?:CPU \d{1,4} )?Unable to handle |Unhandled fault|Bad mode in |SError\b/,
  /Kernel panic - |(?:traps: )?PANIC: |Kernel stack overflow|Insufficient stack space/,
  /(?:general protection fault|control protection fault|divide error|invalid opcode|stack segment|double fault|int3|bounds)\b/,
  /(?:alignment check|coprocessor error|invalid TSS|segment not present|overflow|Missing ENDBR)\b/,
];
const HEADLINE = new RegExp(`^(?:${HEADLINES.map(({ source }) => source).join('|')})`);
const TRACE = /^(?:Call [Tt]race|Backtrace):/;
/** What comes behind a trace; a trace that follows is of another task, or of another time. */
const AFTER_TRACE =
  /^(?:---\[ end |Modules linked in:|Instruction dump:|Last Breaking-Event-Address|Kernel Offset:|Rebooting in |={10}|-{10}|(?:Last potentially related work|Uninit was|The buggy address|Memory state|(?:[Aa]llocated|[Ff]reed) by task|Showing all locks|other info|Sending NMI|NMI backtrace|Kernel panic - )\b)/;

/**
 * Reads what the kernel writes into its log when something goes wrong, of whichever processor: the first report and its first trace,
 * below the function where it happened. A text that is no report has neither a reason nor frames.
 */
export function readKernelText(payload: string): Crash {
  let reason: string | null = null;
  let fault: Frame | null = null;
  /** Calls without a heading, as KFENCE and KCSAN write them. */
  const untitled: Frame[] = [];
  let trace: Frame[] | undefined;
  let isUntitledOver = false;
  for (const raw of linesOf(payload)) {
    if (raw === '' && !trace && untitled.length === 0) continue;
    const line = withoutLogPrefix(raw);
    if (trace) {
      if (trace.length > MAX_FRAMES || endsTrace(line, trace)) break;
      addCall(trace, line);
    } else if (TRACE.test(line)) trace = [];
    else if (reason === null && HEADLINE.test(line)) reason = line;
    else if (!isUntitledOver) {
      const call = parseCall(line);
      if (call && !call.unknown) untitled.push(call);
      else if (untitled.length > 0) isUntitledOver = true;
      else fault ??= parseFault(line);
      if (untitled.length > MAX_FRAMES) break;
    }
  }
  const calls = trace && trace.length > 0 ? trace : untitled;
  const frames = fault && !(calls[0] && isSame(fault, calls[0])) ? [fault, ...calls] : calls;
  return {
    ...emptyCrash(),
    reason,
    truncated: frames.length > MAX_FRAMES,
    frames: frames.slice(0, MAX_FRAMES).map((frame, number) => ({ ...frame, number })),
  };
}

function endsTrace(line: string, trace: Frame[]): boolean {
  return trace.length > 0 && (line === '' || AFTER_TRACE.test(line) || TRACE.test(line) || HEADLINE.test(line));
}

/** Within a trace, registers say what an interrupt or an exception of the kernel has interrupted; a trace may then repeat it. */
function addCall(trace: Frame[], line: string) {
  const call = parseCall(line) ?? parseFault(line);
  const last = trace.at(-1);
  if (call && !(last && isSame(call, last))) trace.push(call);
}

function isSame(one: Frame, other: Frame): boolean {
  const isElsewhere = one.offset !== null && other.offset !== null && one.offset !== other.offset;
  return one.function === other.function && one.module === other.module && !isElsewhere && !one.unknown;
}
