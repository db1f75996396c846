import { readFileSync } from 'node:fs';

/**
 * The processor time of a thread so far, in milliseconds: of a process's first one, or by its own id; undefined where the kernel
 * doesn't tell.
 * The first field of schedstat, in nanoseconds (Documentation/scheduler/sched-stats.rst).
 */
export function cpuMilliseconds(pid: number): number | undefined {
  try {
    const nanoseconds = Number.parseInt(readFileSync(`/proc/${pid}/schedstat`, 'utf8'), 10);
    return nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

/** The memory that a process has in use, in bytes; 0 where it is gone. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s*([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
