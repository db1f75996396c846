import { dlopen, FFIType } from 'bun:ffi';
import { readFileSync } from 'node:fs';

// <asm-generic/resource.h>; the same on x86-64 and arm64.
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;

/**
 * Limits this process to this many more bytes of memory, and disables core files. A process must set it for itself: Bun
 * reserves 1 GB for its JIT compiler when it starts, which counts although it is unused, and without JIT there is no
 * FFI.
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

/** The bytes that RLIMIT_DATA counts for this process so far. */
function dataBytes(): number {
  const [, kilobytes] = /^VmData:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) * 1024;
}

/** Returns a function that ends this process after some seconds, unless it is called again before; 0 cancels. */
export function openAlarm(): (seconds: number) => void {
  const { alarm } = dlopen('libc.so.6', { alarm: { args: [FFIType.u32], returns: FFIType.u32 } }).symbols;
  return seconds => {
    alarm(seconds);
  };
}
