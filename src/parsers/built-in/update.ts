import type { Parsed } from '../parser.ts';
import { known, labelled, wholeNumber } from './lines.ts';

/**
 * Reads an update of two generations of updaters. They pad numbers with spaces and write them in the locale's form:
 * `time= 18,2`.
 */
export function parseUpdate(payload: string): Parsed {
  const { from, to, result, action, files, bytes, seconds } = labelled(payload, {
    from: /^(?:current_version=|from_version:) *([-\w.+~^:]{1,64})\s*$/m,
    to: /^(?:server_version=|to_version:) *([-\w.+~^:]{1,64})\s*$/m,
    result: /^result(?:=|:) *(\S{1,64})\s*$/m,
    action: /^(?:cmd=|action:) *([^\n]{1,64})$/m,
    files: /^files_updated= *([0-9]{1,15})\s*$/m,
    bytes: /^bytes= *([0-9]{1,15})\s*$/m,
    seconds: /^time= *([0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*$/m,
  });
  return known({
    from,
    to,
    action,
    result: wholeNumber(result) ?? result,
    files: wholeNumber(files),
    bytes: wholeNumber(bytes),
    seconds: seconds === undefined ? undefined : Number(seconds.replace(',', '.')),
  });
}
