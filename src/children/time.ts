import { readFileSync } from 'node:fs';

/**
 * The processor time of a process's first thread so far, in milliseconds; undefined where the kernel doesn't tell.
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
