import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileReason, OperatorError } from '../errors.ts';
import { lockFile } from './file-lock.ts';

/** A file that changes so often under our eyes is no race between a few processes. */
const MOST_ATTEMPTS = 1_000;
const { O_CREAT, O_RDONLY, O_RDWR } = constants;

/** Another telemetricsd uses the state directory. */
export class StateInUse extends OperatorError {}

/** What only one process has at a time of those that would run PostgreSQL in a state directory. */
export interface Ownership {
  /** A child that gets it holds the claim, too, until it ends. */
  fd: number;
  release(): void;
}

/**
 * Claims a state directory by locking its `telemetricsd.pid`. The kernel keeps the lock, so it holds between processes that can't
 * see each other, as those of two containers, and ends with its process. What the file says is for people. Throws StateInUse.
 */
export function claimState(stateDir: string): Ownership {
  const file = ownerFile(stateDir);
  try {
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
      const { fd, writable } = openOwnerFile(file);
      if (!lockFile(fd)) throw inUse(stateDir);
      if (isStill(fd, file)) {
        if (writable) return claimWith(fd, file);
        // One that another user left behind when killed.
        rmSync(file);
      }
      // Else its owner removed it after we had opened it.
      closeSync(fd);
    }
    throw inUse(stateDir);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(
      `nothing can be written into the state directory ${stateDir}: ${fileReason(cause)}`,
      'It must be writable for the user that runs telemetricsd, on a file system that is not full or read-only.',
      { cause },
    );
  }
}

function claimWith(fd: number, file: string): Ownership {
  ftruncateSync(fd);
  writeSync(fd, `${process.pid} ${hostname()}\n`, 0);
  return {
    fd,
    release() {
      rmSync(file, { force: true });
      closeSync(fd);
    },
  };
}

function openOwnerFile(file: string): { fd: number; writable: boolean } {
  try {
    // NFS locks only what may be written.
    return { fd: openSync(file, O_RDWR | O_CREAT, 0o644), writable: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || !existsSync(file)) throw error;
    return { fd: openSync(file, O_RDONLY), writable: false };
  }
}

function isStill(fd: number, file: string): boolean {
  const opened = fstatSync(fd);
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.ino === opened.ino && found.dev === opened.dev;
}

function inUse(stateDir: string) {
  return new StateInUse(
    `another telemetricsd${describeOwner(stateDir)} uses the state directory ${stateDir}`,
    'Stop it first, or give this one its own state.dir.',
  );
}

/** Whether some telemetricsd has a claim on the directory. */
export function isClaimed(stateDir: string): boolean {
  if (!existsSync(ownerFile(stateDir))) return false;
  const { fd } = openOwnerFile(ownerFile(stateDir));
  if (!lockFile(fd)) return true;
  closeSync(fd);
  return false;
}

/** Who claimed the directory last, as far as its file says: ` (process 12)`, ` (process 12 on web1)`. */
export function describeOwner(stateDir: string): string {
  let said: string;
  try {
    said = readFileSync(ownerFile(stateDir), 'utf8');
  } catch {
    // Gone by now, or not for us to read.
    return '';
  }
  const [pid, host] = said.trim().split(/\s/);
  if (!pid) return '';
  return ` (process ${pid}${host === hostname() ? '' : ` on ${host}`})`;
}

function ownerFile(stateDir: string) {
  return join(stateDir, 'telemetricsd.pid');
}
