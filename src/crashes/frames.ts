import { type Crash, MAX_FRAMES } from './frame.ts';
import { parseFrame } from './frame-line.ts';

const THREAD_HEADING = /^Backtrace \(TID ([0-9]{1,10})\):$/;
const TRUNCATED = 'Too many frames. Backtrace truncated.';

/**
 * Reads a payload of the telemetrics client, whatever it holds, in linear time. Frames are those of the first thread: lines before
 * them are skipped, they end at the first line that is none, and the first line of the payload never is one.
 */
export function parseCrash(payload: string): Crash {
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

function emptyCrash(): Crash {
  return { program: null, pid: null, signal: null, reason: null, truncated: false, thread: null, frames: [] };
}

function endOfLine(payload: string, start: number): number {
  const newline = payload.indexOf('\n', start);
  return newline < 0 ? payload.length : newline;
}

function withoutCarriageReturn(payload: string, start: number, end: number): number {
  return end > start && payload[end - 1] === '\r' ? end - 1 : end;
}

function isLaterThread(crash: Crash, line: string): boolean {
  return crash.thread !== null && line[0] === 'B' && THREAD_HEADING.test(line);
}

function readHeading(crash: Crash, line: string) {
  HEADINGS[line[0] ?? '']?.(crash, line);
}

/** By their first letter, so that a long payload of other lines costs next to nothing. The first of each kind counts. */
const HEADINGS: Record<string, (crash: Crash, line: string) => void> = {
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
