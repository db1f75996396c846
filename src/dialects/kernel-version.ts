import { linesOf } from './lines.ts';
import { withoutColours, withoutHead } from './log-head.ts';

/** `Tainted: G        W  OE      6.1.0-13-amd64 #1`; kernels of RHEL have `--------- -  -` among the letters. */
const VERSION = /(?:(Not t)|T)ainted:?([-A-Za-z ]{1,80})\(?(\d{1,3}\.\d[^\s#)]{0,100})/;
const WORD = 'ainted';
const LOOKED_AT = 300;
/** What may stand before it. A hung task has it on a line of its own. */
const OF_PROCESS = /\b(?:[Cc]omm|CPU): /;

/** Which kernel wrote a report, and with what it was tainted, as far as the text says. */
export function kernelOf(text: string): { kernel: string; tainted: string } | undefined {
  for (const raw of linesOf(text)) {
    if (!raw.includes(WORD)) continue;
    const line = withoutHead(withoutColours(raw)).text;
    // The last of a line: a process may call itself "Tainted: G 9.9".
    const start = Math.max(0, line.lastIndexOf(WORD) - 'Not t'.length);
    const found = VERSION.exec(line.slice(start, start + LOOKED_AT));
    const before = line.slice(0, start + (found?.index ?? 0));
    if (!found || !(before === '' || OF_PROCESS.test(before))) continue;
    const [, untainted, flags, kernel] = found;
    return { kernel: kernel!, tainted: untainted ? 'Not tainted' : (flags!.match(/[A-Za-z]+/g)?.join(' ') ?? '') };
  }
  return undefined;
}
