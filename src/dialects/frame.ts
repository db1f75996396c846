/** How many frames of a backtrace are kept. Clients send at most 64; more frames than this count as truncated. */
export const MAX_FRAMES = 256;

/** The function of a frame without a symbol. */
export const NO_SYMBOL = '???';
/** The module of functions built into the kernel. */
export const KERNEL = 'kernel';

/** A frame of a backtrace in any dialect. */
export interface Frame {
  number: number;
  /**
   * As written: with `()` at its end in user space, mangled or not; `dev_watchdog` in the kernel, `? vsnprintf` if the
   * kernel doubts it; `???` without a symbol.
   */
  function: string;
  /** The name to demangle: `function` without the `()` of user space; null for names that are shown unchanged. */
  mangled: string | null;
  /** Empty if it is not known. */
  module: string;
  /** `0x1a2` */
  offset: string | null;
  /** `src/app.c:10` */
  source: string | null;
  /** The kernel is not sure that this function was called: its name begins with `? `. */
  unreliable: boolean;
  /** There is no symbol: the function is `???`. */
  unknown: boolean;
  /**
   * Set if the report has no backtrace: the frame stands for the reason, without the parts that differ from crash to
   * crash.
   */
  reason?: string;
}

const DELETED = ' (deleted)';

/** A path without the mark that the kernel adds if the file was removed or replaced while it was mapped. */
export function withoutDeleted(path: string): string {
  return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
}

/** What the report of a crash, an oops or a panic says, in any dialect. Null: it does not say. */
export interface Crash {
  program: string | null;
  /** 0 to 2^31 - 1, like `signal` and `thread`. */
  pid: number | null;
  signal: number | null;
  /** The kernel's first line of the report. */
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
 * The name that analysts see, and by which guilties and the never-guilty list are compared. `demangled` is the
 * demangled form of `frame.mangled`. A name that was not mangled keeps its `()`.
 */
export function shownFunction(frame: Frame, demangled: string | undefined): string {
  if (frame.mangled === null || demangled === undefined || demangled === frame.mangled) return frame.function;
  return demangled;
}
