import { dlopen, FFIType } from 'bun:ffi';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Makes the kernel kill this process when its parent ends, even by kill -9. */
export function endWithParent(): void {
  const { prctl } = dlopen('libc.so.6', {
    prctl: { args: [FFIType.i32, FFIType.u64], returns: FFIType.i32 },
  }).symbols;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}
