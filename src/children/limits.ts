import { dlopen, FFIType } from 'bun:ffi';
import { readFileSync } from 'node:fs';

// <asm-generic/resource.h>; the same on x86-64 and arm64.
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;

/**
 * Lets this process take so many more bytes of memory and leave no core file. Set from within because Bun reserves
 * 1 GB for its JIT compiler when it starts, which counts, though nothing of it is used: without it there is no FFI.
 */
export function limitMemory(moreBytes: number): void {
  const { setrlimit } = dlopen('libc.so.6', {
    setrlimit: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  }).symbols;
  limit(RLIMIT_DATA, dataBytes() + moreBytes);
  limit(RLIMIT_CORE, 0);

  function limit(resource: number, bytes: number) {
    const softAndHard = new BigUint64Array([BigInt(bytes), BigInt(bytes)]);
    if (setrlimit(resource, softAndHard) !== 0) throw new Error(`setrlimit(${resource}) failed`);
  }
}

/** What RLIMIT_DATA counts of this process so far. */
function dataBytes(): number {
  const [, kilobytes] = /^VmData:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) * 1024;
}

/** What it returns ends this process after so many seconds unless it is called again before; 0 calls it off. */
export function openAlarm(): (seconds: number) => void {
  const { alarm } = dlopen('libc.so.6', { alarm: { args: [FFIType.u32], returns: FFIType.u32 } }).symbols;
  return seconds => {
    alarm(seconds);
  };
}
