import { dlopen, FFIType } from 'bun:ffi';
import { readSync, writeSync } from 'node:fs';

const READ_BYTES = 65_536;
const [STDOUT, STDERR] = [1, 2];
// <linux/fcntl.h>
const F_DUPFD_CLOEXEC = 1030;

/** The first line that a child writes, once it is ready. */
export const READY = 'ready';

/** The lines on stdin, each once the one before has been dealt with. Ends with its input. */
export function* inputLines(): Generator<string> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let begun: Buffer[] = [];
  for (let length = readSync(0, buffer); length > 0; length = readSync(0, buffer)) {
    let start = 0;
    for (let end = buffer.indexOf(10); end >= 0 && end < length; end = buffer.indexOf(10, start)) {
      yield Buffer.concat([...begun, buffer.subarray(start, end)]).toString();
      begun = [];
      start = end + 1;
    }
    if (start < length) begun.push(Buffer.from(buffer.subarray(start, length)));
  }
}

/** Writes a line to stdout. */
export function answerWith(line: string, to = STDOUT): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.length; ) written += writeSync(to, bytes, written);
}

/**
 * What it returns answers on what was stdout so far; whatever else is written to stdout from now on goes to stderr. So nothing
 * that foreign code prints can be taken for an answer, and no process that it starts keeps the way of answers open.
 */
export function keepStdoutForAnswers(): (line: string) => void {
  const { fcntl, dup2 } = dlopen('libc.so.6', {
    fcntl: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    dup2: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  }).symbols;
  const answers = fcntl(STDOUT, F_DUPFD_CLOEXEC, STDERR + 1);
  if (answers < 0 || dup2(STDERR, STDOUT) < 0) throw new Error('stdout can not be kept for answers');
  return line => answerWith(line, answers);
}
