import { type Crash, type Frame, KERNEL, NO_SYMBOL } from '../dialects/frame.ts';

/** A reason is a line of the kernel's log. Only this many characters of it are read. */
const LOOKED_AT = 1_000;
/** `hub_port_reset+0x4a/0x5b0 [usbcore]`; a build-id may follow the module. */
const PLACE_IN_FUNCTION = /([A-Za-z_.][\w.$]*)\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?(?: \[([\w-]+)(?: [0-9a-f]+)?\])?/;
/** `KCSAN: data-race in rb_insert / rb_erase` */
const DATA_RACE = /\bKCSAN: .* in ([A-Za-z_.][\w.$]*)/;
/** `kernel BUG at fs/buffer.c:3021!`, `UBSAN: shift-out-of-bounds in drivers/demo.c:8:6`, `RTNL: assertion failed at net/core/dev.c (1234)` */
const PLACE_IN_FILE = /(?:\b(?:at|in)|^WARNING:) ([\w./+-]+\.[chSs]|[\w./+-]+\.rs)(?::(\d+)| \((\d+)\))/;
/** Numbers and addresses differ from crash to crash. */
const VARYING = /\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b|\d+/gi;

/** The frames to decide by: the backtrace, or a frame made from the reason if there is no backtrace. */
export function framesOf({ frames, reason }: Pick<Crash, 'frames' | 'reason'>): Frame[] {
  return frames.length > 0 || reason === null ? frames : [reasonFrame(reason)];
}

/**
 * The frame that stands for a report without a backtrace: the function that the reason names, or else the source file,
 * or else a function without a symbol. The rest of the reason distinguishes backtraces.
 */
function reasonFrame(reason: string): Frame {
  const text = reason.slice(0, LOOKED_AT);
  const [, functionName, module] = PLACE_IN_FUNCTION.exec(text) ?? DATA_RACE.exec(text) ?? [];
  const [, file, line, lineInBrackets] = PLACE_IN_FILE.exec(text) ?? [];
  const name = functionName ?? file ?? NO_SYMBOL;
  return {
    number: 0,
    function: name,
    mangled: null,
    module: module ?? KERNEL,
    offset: null,
    source: file === undefined ? null : `${file}:${line ?? lineInBrackets}`,
    unreliable: false,
    unknown: name === NO_SYMBOL,
    reason: text.replaceAll(VARYING, '#'),
  };
}
