import { readFileSync } from 'node:fs';

/**
 * The processor time of a thread so far in milliseconds, by thread id (a process id means its first thread); undefined
 * if the kernel does not say. Reads the first field of schedstat, in nanoseconds
 * (Documentation/scheduler/sched-stats.rst).
 */
export function cpuMilliseconds(pid: number): number | undefined {
  try {
    const nanoseconds = Number.parseInt(readFileSync(`/proc/${pid}/schedstat`, 'utf8'), 10);
    return nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
  } catch {
    return undefined;
  }
}

/** The memory a process uses in bytes; 0 if it is gone. */
export function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s*([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
