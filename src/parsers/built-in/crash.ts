import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

/** The heading of a crash or of a kernel's report; the analysis of crashes reads the frames below it. */
export function parseCrashHeading(payload: string): Parsed {
  const found = labelled(payload, {
    program: /^Process: ([^\n]{1,4096})$/m,
    pid: /^PID: *([0-9]{1,10})\s*$/m,
    signal: /^Signal: *([0-9]{1,5})\s*$/m,
    error: /^Error: ([^\n]{1,1000})$/m,
    reason: /^Reason: ([^\n]{1,1000})$/m,
    kernel: /^Kernel Version *: ([^\n]{1,200})$/m,
    tainted: /^Tainted *: ([^\n]{1,200})$/m,
  });
  const { pid, signal, ...texts } = found;
  return known({ ...texts, pid: wholeNumber(pid), signal: wholeNumber(signal) });
}
