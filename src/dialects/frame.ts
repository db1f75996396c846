/** The frames kept of one backtrace. Clients send at most 64; what is beyond these counts as truncated. */
export const MAX_FRAMES = 256;

/** The function of a frame without a symbol. */
export const NO_SYMBOL = '???';
/** The module of what is built into the kernel. */
export const KERNEL = 'kernel';

/** A frame of a backtrace, whoever wrote that. */
export interface Frame {
  number: number;
  /**
   * As it was written: with `()` behind it in user space, mangled or not, `dev_watchdog` in the kernel, `? vsnprintf` where the
   * kernel doubts it, `???` where there is no symbol.
   */
  function: string;
  /** What to hand to the demangler: `function` without the `()` of user space; null for names that are shown as they are. */
  mangled: string | null;
  /** Empty where it is not known. */
  module: string;
  /** `0x1a2` */
  offset: string | null;
  /** `src/app.c:10` */
  source: string | null;
  /** The kernel is not sure that this function was called: its name begins with `? `. */
  unreliable: boolean;
  /** There is no symbol: the function is `???`. */
  unknown: boolean;
  /** Not from a backtrace: the report had none, and this is what its reason says, without what differs from crash to crash. */
  reason?: string;
}

const DELETED = ' (deleted)';

/** A path without what the kernel writes behind that of a file which was removed, or replaced, while it was mapped. */
export function withoutDeleted(path: string): string {
  return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
}

/** What the report of a crash, an oops or a panic says, in whatever dialect. Null: it doesn't. */
export interface Crash {
  program: string | null;
  /** 0 to 2^31 - 1, like `signal` and `thread`. */
  pid: number | null;
  signal: number | null;
  /** What the kernel began its report with. */
  reason: string | null;
  /** The machine left frames out, or there are more than `MAX_FRAMES`. */
  truncated: boolean;
  /** The id of the thread whose frames these are: the one that crashed. */
  thread: number | null;
  frames: Frame[];
}

export function emptyCrash(): Crash {
  return { program: null, pid: null, signal: null, reason: null, truncated: false, thread: null, frames: [] };
}

/**
 * The name that analysts see and that guilties and the never-guilty list are compared by; `demangled` is what became of
 * `frame.mangled`. A name that was not mangled keeps its `()`.
 */
export function shownFunction(frame: Frame, demangled: string | undefined): string {
  if (frame.mangled === null || demangled === undefined || demangled === frame.mangled) return frame.function;
  return demangled;
}
