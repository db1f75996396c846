import { type Crash, emptyCrash, MAX_FRAMES } from './frame.ts';
import { int32Of, linesOf } from './lines.ts';
import { parseFrame } from './telemetrics-frame.ts';

const THREAD_HEADING = /^Backtrace \(TID ([0-9]{1,10})\):$/;
const TRUNCATED = 'Too many frames. Backtrace truncated.';

/**
 * Reads what the probes of the telemetrics client write, whatever the payload holds, in linear time. Frames are those of the first
 * thread: lines before them are skipped, they end at the first line that is none, and the first line of the payload never is one.
 */
export function readTelemetrics(payload: string): Crash {
  const crash = emptyCrash();
  let isFirst = true;
  for (const line of linesOf(payload)) {
    const frame = isFirst ? null : parseFrame(line);
    isFirst = false;
    if (frame) {
      if (crash.frames.length === MAX_FRAMES) return { ...crash, truncated: true };
      crash.frames.push(frame);
    } else if (crash.frames.length > 0 || isLaterThread(crash, line)) break;
    else readHeading(crash, line);
  }
  return crash;
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
    crash.pid ??= int32Of(after(line, 'PID: '));
  },
  S(crash, line) {
    crash.signal ??= int32Of(after(line, 'Signal: '));
  },
  R(crash, line) {
    crash.reason ??= after(line, 'Reason: ');
  },
  B(crash, line) {
    crash.thread ??= int32Of(THREAD_HEADING.exec(line)?.[1] ?? null);
  },
  T(crash, line) {
    if (line === TRUNCATED) crash.truncated = true;
  },
};

function after(line: string, label: string): string | null {
  if (!line.startsWith(label)) return null;
  return line.slice(label.length).trim() || null;
}
