import { existsSync, linkSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileReason, OperatorError } from '../errors.ts';

/**
 * Which telemetricsd owns a state directory: its pid and start time in `telemetricsd.pid`. The start
 * time tells it from another process that got the same pid after a crash or in a new container.
 */
export function claimState(stateDir: string): () => void {
  const file = ownerFile(stateDir);
  const mine = `${file}.${process.pid}`;
  try {
    writeFileSync(mine, `${process.pid} ${startTime(process.pid)}\n`);
  } catch (cause) {
    throw new OperatorError(
      `nothing can be written into the state directory ${stateDir}: ${fileReason(cause)}`,
      'It must be writable for the user that runs telemetricsd, on a file system that is not full or read-only.',
      { cause },
    );
  }
  try {
    while (!claimed(mine, file)) {
      const owner = liveOwner(stateDir);
      if (owner) {
        throw new OperatorError(
          `another telemetricsd (process ${owner}) uses the state directory ${stateDir}`,
          'Stop it first, or give this one its own state.dir.',
        );
      }
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine);
  }
  return () => rmSync(file, { force: true });
}

/** Of two that start at once, one creates the file, and whoever sees it sees what it says. */
function claimed(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The pid of the running telemetricsd that owns the directory, if any. */
export function liveOwner(stateDir: string): number | undefined {
  const file = ownerFile(stateDir);
  if (!existsSync(file)) return undefined;
  const [pid, started] = readFileSync(file, 'utf8').trim().split(' ');
  return pid && Number(pid) !== process.pid && startTime(Number(pid)) === started ? Number(pid) : undefined;
}

function ownerFile(stateDir: string) {
  return join(stateDir, 'telemetricsd.pid');
}

/** Clock ticks from boot to the start of a process (field 22 of proc_pid_stat(5)), or undefined where none runs: a killed one may still be listed. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** Whether `pid` runs the program `executable` in the working directory `cwd`; throws where that can't be told. */
export function isProcess(pid: number, executable: string, cwd: string): boolean {
  try {
    // A replaced executable reads "PATH (deleted)".
    return (
      readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '') === executable &&
      readlinkSync(`/proc/${pid}/cwd`) === cwd
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
      return false;
    throw error;
  }
}
