import { type Frame, KERNEL, NO_SYMBOL } from './frame.ts';

/**
 * What may stand before a line of the kernel: the head of syslog or of journalctl, the level as a word or a number, the time, and the
 * task or processor that wrote it.
 */
const LOG_PREFIX = new RegExp(
  [
    String.raw`^(?:(?:\S{2,12} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{5,32}) (?:\S{1,255} )?kernel: ?)?`,
    String.raw`(?:[a-z]{1,8} *:[a-z]{1,8} *: )?(?:<\d{1,3}>)?`,
    String.raw`(?:\[(?: *\d{1,12}\.\d{1,9}(?:@\d{1,4})?|\S{3} \S{3} [ \d]\d \d\d:\d\d:\d\d \d{4}| *[TC]\d{1,10})\] ?){0,3}`,
    String.raw`(?:\S{1,255} kernel: )?`,
  ].join(''),
);

const CALLER = /\[ *([TC]\d{1,10})\]/;

/** An address before the name, as kernels before 4.10 write it, and those of some processors still. */
const ADDRESSES = '\\(?(?:\\[?<?[0-9a-f]{8,16}>?\\]? {1,2}){0,2}';
const SYMBOL = '([A-Za-z_.$][\\w.$]{0,1023})';
const PLACE = new RegExp(
  `^${ADDRESSES}\\(?(\\? )?${SYMBOL}\\+(0x[0-9a-f]{1,16})/0x[0-9a-f]{1,16}(?: \\[([\\w-]{1,128})(?:\\([A-Z]{1,8}\\))?(?: [0-9a-f]{1,64})?\\])?(?=$|[ )])`,
);
/** `[<c010aff0>] (show_stack) from [<…>] (die+0x1c/0x20)`, `show_stack from die+0x1c/0x20`: of a 32-bit ARM. */
const CALLED_FROM = new RegExp(
  `^${ADDRESSES}\\(?${SYMBOL}(?: \\[([\\w-]{1,128})\\])?\\)? from (?:\\[<|${SYMBOL}\\+0x)`,
);
/** There is no symbol where it points. */
const ADDRESS = new RegExp(`^${ADDRESSES}(\\? )?0x[0-9a-f]{1,16}(?=$|[ )])`);
/** powerpc does not trust the first frame, which may be left from another call. */
const DOUBTED = ' (unreliable)';

/** Names the function in which it happened. Code segments other than these are of user space. */
const FAULT =
  /^(?:(?:RIP|EIP|IP): {0,2}(?:(?:0010|0060|e030):)?|(?:EIP|PC|pc) is at |(?:pc|epc) *: +|ERA: +|NIP +|Krnl PSW *: *[0-9a-f]{8,16} [0-9a-f]{8,16} \()/;
/** powerpc: an exception or interrupt of the kernel itself. */
const INTERRUPTED = /^--- (?:interrupt|Exception): [0-9a-f]{1,4} at /;

/** The task or processor that wrote a line, where the log names it: with it lines of several can be told apart. */
export function callerOf(line: string): string | undefined {
  return CALLER.exec(LOG_PREFIX.exec(line)![0])?.[1];
}

/** A line without what the log has put before it, nor the blanks around it. */
export function withoutLogPrefix(line: string): string {
  return line.slice(LOG_PREFIX.exec(line)![0].length).trim();
}

/** The function where it happened, if the line names it: registers RIP, pc, epc, NIP, PSW … */
export function parseFault(line: string): Frame | null {
  const head = FAULT.exec(line);
  return head && parseCall(line.slice(head[0].length));
}

/** A call in a trace; null where the line is something else. */
export function parseCall(line: string): Frame | null {
  const text = line[0] === '-' ? line.replace(INTERRUPTED, '') : line;
  const place = PLACE.exec(text);
  const doubted = text.endsWith(DOUBTED);
  if (place) return frameOf(place[2]!, place[4], place[3]!, doubted || place[1] !== undefined);
  const call = text.includes(' from ') ? CALLED_FROM.exec(text) : null;
  if (call) return frameOf(call[1]!, call[2], null, false);
  const address = ADDRESS.exec(text);
  return address && frameOf(NO_SYMBOL, undefined, null, doubted || address[1] !== undefined);
}

function frameOf(name: string, module: string | undefined, offset: string | null, unreliable: boolean): Frame {
  const unknown = name === NO_SYMBOL;
  return {
    number: 0,
    function: unreliable && !unknown ? `? ${name}` : name,
    mangled: null,
    module: module ?? KERNEL,
    offset,
    source: null,
    unreliable: unreliable && !unknown,
    unknown,
  };
}
