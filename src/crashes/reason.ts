import { type Crash, type Frame, KERNEL, NO_SYMBOL } from '../dialects/frame.ts';

/** A reason is a line of the kernel's log; what is longer is not looked at. */
const LOOKED_AT = 1_000;
/** `hub_port_reset+0x4a/0x5b0 [usbcore]`, which may have a build-id behind the module. */
const PLACE_IN_FUNCTION = /([A-Za-z_.][\w.$]*)\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?(?: \[([\w-]+)(?: [0-9a-f]+)?\])?/;
/** `KCSAN: data-race in rb_insert / rb_erase` */
const DATA_RACE = /\bKCSAN: .* in ([A-Za-z_.][\w.$]*)/;
/** `kernel BUG at fs/buffer.c:3021!`, `UBSAN: shift-out-of-bounds in drivers/demo.c:8:6`, `RTNL: assertion failed at net/core/dev.c (1234)` */
const PLACE_IN_FILE = /(?:\b(?:at|in)|^WARNING:) ([\w./+-]+\.[chSs]|[\w./+-]+\.rs)(?::(\d+)| \((\d+)\))/;
/** Numbers and addresses differ from crash to crash. */
const VARYING = /\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b|\d+/gi;

/** The frames to decide by: those of the backtrace, or one made from the reason where there are none. */
export function framesOf({ frames, reason }: Pick<Crash, 'frames' | 'reason'>): Frame[] {
  return frames.length > 0 || reason === null ? frames : [reasonFrame(reason)];
}

/**
 * The frame that stands for a report without a backtrace: the function that the kernel names in the reason; if it names none, the
 * source file; if it names neither, a function without a symbol. What the reason says else makes it another backtrace.
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
