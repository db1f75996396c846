import { type Crash, emptyCrash, type Frame, MAX_FRAMES } from './frame.ts';
import { parseCall, parseFault } from './kernel-line.ts';
import { addCall, framesBelow, placeInHeadline } from './kernel-trace.ts';
import { linesOf } from './lines.ts';
import { withoutColours, withoutForeignHeads, withoutHead } from './log-head.ts';

/** How the kernel begins a report. */
const HEADLINES = [
  /BUG: |BUG [\w.:-]{1,64} \(|[kK]ernel BUG at |WARNING: |UBSAN: /,
  /(?:rcu: )?INFO: (?!lockdep is turned off)|(?:NMI )?watchdog: |Watchdog detected /,
  /Oops(?:: | - | ?\[#)|Internal error: |(?:CPU \d{1,4} )?Unable to handle |Unhandled fault|Bad mode in |SError\b/,
  /Kernel panic - |(?:traps: )?PANIC: |Kernel stack overflow|Insufficient stack space/,
  /(?:general protection fault|control protection fault|divide error|invalid opcode|stack segment|double fault|int3|bounds)\b/,
  /(?:alignment check|coprocessor error|invalid TSS|segment not present|overflow|Missing ENDBR)\b/,
];
const HEADLINE = new RegExp(`^(?:\\[ )?(?:${HEADLINES.map(({ source }) => source).join('|')})`);
/** Kernels before 4.10 wrote some headlines so. */
const IN_BRACKETS = /^\[ ([^\]]*) \]$/;
const TRACE_HEADING = /(?:Call [Tt]race|Backtrace):/;
const TRACE = new RegExp(`^${TRACE_HEADING.source}`);
/** What comes behind a trace; a trace that follows is of another task, or of another time. */
const AFTER_TRACE = [
  /---\[ end |={10}|-{10}|Modules linked in:|Instruction dump:|Last Breaking-Event-Address|Kernel Offset:|Rebooting in /,
  /(?:[Aa]llocated|[Ff]reed) by task|Last potentially related work|Uninit was|The buggy address|Memory state/,
  /Showing all locks|other info|Sending NMI|NMI backtrace/,
];
const END = new RegExp(`^(?:${AFTER_TRACE.map(({ source }) => source).join('|')})`);
/** The trace that follows is that of a thread which only waits for the processor that is stuck. */
const BYSTANDER = /kthread (?:starved for|stack dump:)/;
const NEXT_PROCESSOR = /^(?:Sending NMI|NMI backtrace|Task dump)\b/;

/**
 * Reads what the kernel writes into its log when something goes wrong, of whichever processor: the first report and its first trace,
 * below the function where it happened. A text that is no report has neither a reason nor frames.
 */
export function readKernelText(payload: string): Crash {
  const { reason, fault, trace, bystander, untitled } = readLog(withoutColours(payload));
  const calls = trace ?? bystander ?? untitled;
  const frames = framesBelow(fault ?? placeInHeadline(reason, calls), calls);
  return {
    ...emptyCrash(),
    reason,
    truncated: frames.length > MAX_FRAMES,
    frames: frames.slice(0, MAX_FRAMES).map((frame, number) => ({ ...frame, number })),
  };
}

/** The same of a text that has a headline and a trace, which no other dialect has, whatever its lines look like else. */
export function readSureKernelText(payload: string): Crash | undefined {
  if (!TRACE_HEADING.test(payload)) return undefined;
  const crash = readKernelText(payload);
  return crash.reason !== null && crash.frames.length > 0 ? crash : undefined;
}

interface Report {
  reason: string | null;
  /** Where it happened, as registers say it. */
  fault: Frame | null;
  /** The first below a heading. */
  trace?: Frame[];
  bystander?: Frame[];
  /** Calls without a heading, as KFENCE and KCSAN write them. */
  untitled: Frame[];
}

function readLog(log: string): Report {
  const report = readReport(log);
  if (report.trace || report.bystander) return report;
  const plain = withoutForeignHeads(log);
  const another = plain === undefined ? undefined : readReport(plain);
  return another?.trace ? another : report;
}

function readReport(log: string): Report {
  const report: Report = { reason: null, fault: null, untitled: [] };
  let open: Frame[] | undefined;
  let isBystander = false;
  let isUntitledOver = false;
  for (const line of linesOfOneWriter(log)) {
    if (open && open.length > 0 && endsTrace(line)) {
      if (report.trace) break;
      open = undefined;
    }
    if (open) {
      if (!addCall(open, line)) break;
    } else if (TRACE.test(line)) {
      open = [];
      report[isBystander ? 'bystander' : 'trace'] = open;
    } else if (report.reason === null && HEADLINE.test(line)) report.reason = line.replace(IN_BRACKETS, '$1');
    else if (!report.bystander && !isUntitledOver) isUntitledOver = !readUntitled(report, line);
    if (BYSTANDER.test(line)) isBystander = true;
    else if (NEXT_PROCESSOR.test(line)) isBystander = false;
  }
  return report;
}

/** From the headline on without what other tasks and processors write between its lines, unless they were asked for their traces. */
function* linesOfOneWriter(log: string): Generator<string> {
  let caller: string | undefined;
  let hasBegun = false;
  for (const raw of linesOf(log)) {
    const { text, caller: writer } = withoutHead(raw);
    if (!hasBegun) {
      hasBegun = HEADLINE.test(text) || TRACE.test(text);
      caller = writer;
    } else if (caller !== undefined && writer !== undefined && writer !== caller) {
      if (!NEXT_PROCESSOR.test(text)) continue;
      caller = writer;
    }
    yield text;
  }
}

/** A line before any heading; false where it ends the calls. */
function readUntitled(report: Report, line: string): boolean {
  const call = line === '' ? null : parseCall(line);
  if (call && !call.unknown) return addCall(report.untitled, line);
  if (report.untitled.length === 0) report.fault ??= parseFault(line);
  return report.untitled.length === 0;
}

function endsTrace(line: string): boolean {
  return line === '' || END.test(line) || TRACE.test(line) || HEADLINE.test(line);
}
