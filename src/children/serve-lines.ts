import { readSync, writeSync } from 'node:fs';

const READ_BYTES = 65_536;

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

export function answerWith(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written);
}
