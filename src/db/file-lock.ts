import { dlopen, FFIType, read } from 'bun:ffi';
import { closeSync } from 'node:fs';
import { OperatorError } from '../errors.ts';

// <asm-generic/fcntl.h>
const LOCK_EX_NB = 2 | 4;
/** Errors of flock(2) that mean there are no locks: <asm-generic/errno.h>. */
const NO_LOCKS = new Map([
  [22, 'EINVAL'],
  [37, 'ENOLCK'],
  [38, 'ENOSYS'],
  [95, 'EOPNOTSUPP'],
]);

function open() {
  return dlopen('libc.so.6', {
    flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    __errno_location: { args: [], returns: FFIType.ptr },
  }).symbols;
}

let libc: ReturnType<typeof open> | undefined;

/**
 * Locks an open file for this process and for those that inherit it; the kernel ends the lock when the last of them is
 * gone, even after a crash. Returns false and closes `fd` if others hold the lock, on this host or on another with the
 * same file system. Throws OperatorError if the file system has no locks.
 */
export function lockFile(fd: number): boolean {
  libc ??= open();
  if (libc.flock(fd, LOCK_EX_NB) === 0) return true;
  const reason = NO_LOCKS.get(read.i32(libc.__errno_location()!, 0));
  closeSync(fd);
  if (reason === undefined) return false;
  throw new OperatorError(
    `the file system of the state directory has no locks (${reason}), without which two servers could destroy the database`,
    'Put state.dir on another file system, best on a local disk; if it is NFS, mount it with locks.',
  );
}
