import { parseFrame } from './frame-line.ts';

/** The frames kept of one backtrace. Clients send at most 64; what is beyond these counts as truncated. */
export const MAX_FRAMES = 256;

/** One line `#NUMBER FUNCTION - [MODULE]REST` of a backtrace. */
export interface Frame {
  number: number;
  /**
   * As it was written: `_ZN3foo3barEv()` in user space, `dev_watchdog` in the kernel, `? vsnprintf` where the kernel
   * doubts it, `???` where there is no symbol.
   */
  function: string;
  /** What to hand to the demangler: `function` without the `()` of user space; null for names that are shown as they are. */
  mangled: string | null;
  module: string;
  /** `0x1a2` of a rest that begins with `+0x1a2`. */
  offset: string | null;
  /** `src/app.c:10` of a rest that ends with ` - src/app.c:10`. */
  source: string | null;
  /** The kernel is not sure that this function was called: its name begins with `? `. */
  unreliable: boolean;
  /** There is no symbol: the function is `???`. */
  unknown: boolean;
}

/** What a crash, oops, pstore or panic payload says. Null: it doesn't. */
export interface ParsedCrash {
  program: string | null;
  /** 0 to 2^31 - 1, like `signal` and `thread`. */
  pid: number | null;
  signal: number | null;
  /** The `Reason:` line of an oops. */
  reason: string | null;
  /** The client left frames out, or there are more than `MAX_FRAMES`. */
  truncated: boolean;
  /** The id of the thread whose frames these are: the one that crashed. */
  thread: number | null;
  frames: Frame[];
}

const THREAD_HEADING = /^Backtrace \(TID ([0-9]{1,10})\):$/;
const TRUNCATED = 'Too many frames. Backtrace truncated.';

/**
 * Reads a payload, whatever it holds, in linear time. Frames are those of the first thread: lines before them are
 * skipped, they end at the first line that is none, and the first line of the payload never is one.
 */
export function parseCrash(payload: string): ParsedCrash {
  const crash = emptyCrash();
  for (let start = 0; start < payload.length; ) {
    const end = endOfLine(payload, start);
    const line = payload.slice(start, withoutCarriageReturn(payload, start, end));
    const frame = start > 0 ? parseFrame(line) : null;
    if (frame) {
      if (crash.frames.length === MAX_FRAMES) return { ...crash, truncated: true };
      crash.frames.push(frame);
    } else if (crash.frames.length > 0 || isLaterThread(crash, line)) break;
    else readHeading(crash, line);
    start = end + 1;
  }
  return crash;
}

/**
 * The name that analysts see and that guilties and the never-guilty list are compared by; `demangled` is what became of
 * `frame.mangled`. A name that was not mangled keeps its `()`.
 */
export function shownFunction(frame: Frame, demangled: string | undefined): string {
  if (frame.mangled === null || demangled === undefined || demangled === frame.mangled) return frame.function;
  return demangled;
}

function emptyCrash(): ParsedCrash {
  return { program: null, pid: null, signal: null, reason: null, truncated: false, thread: null, frames: [] };
}

function endOfLine(payload: string, start: number): number {
  const newline = payload.indexOf('\n', start);
  return newline < 0 ? payload.length : newline;
}

function withoutCarriageReturn(payload: string, start: number, end: number): number {
  return end > start && payload[end - 1] === '\r' ? end - 1 : end;
}

function isLaterThread(crash: ParsedCrash, line: string): boolean {
  return crash.thread !== null && line[0] === 'B' && THREAD_HEADING.test(line);
}

function readHeading(crash: ParsedCrash, line: string) {
  HEADINGS[line[0] ?? '']?.(crash, line);
}

/** By their first letter, so that a long payload of other lines costs next to nothing. The first of each kind counts. */
const HEADINGS: Record<string, (crash: ParsedCrash, line: string) => void> = {
  P(crash, line) {
    crash.program ??= after(line, 'Process: ');
    crash.pid ??= wholeNumber(after(line, 'PID: '));
  },
  S(crash, line) {
    crash.signal ??= wholeNumber(after(line, 'Signal: '));
  },
  R(crash, line) {
    crash.reason ??= after(line, 'Reason: ');
  },
  B(crash, line) {
    crash.thread ??= wholeNumber(THREAD_HEADING.exec(line)?.[1] ?? null);
  },
  T(crash, line) {
    if (line === TRUNCATED) crash.truncated = true;
  },
};

function after(line: string, label: string): string | null {
  if (!line.startsWith(label)) return null;
  return line.slice(label.length).trim() || null;
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^[0-9]{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : null;
}
