import { type Frame, KERNEL, NO_SYMBOL } from './frame.ts';

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
