import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const MB = 1024 * 1024;

/** PostgreSQL's memory settings for the smallest of the machine's memory, the cgroup's limit and the process's own (ulimit -m), in bytes. */
export function memorySettings(bytes = availableMemory()): Record<string, string> {
  const megabytes = bytes / MB;
  const share = (part: number, least: number, most: number) =>
    `${Math.round(Math.min(most, Math.max(least, megabytes * part)))}MB`;
  return {
    shared_buffers: share(0.2, 32, 8192),
    effective_cache_size: share(0.6, 128, 262144),
    maintenance_work_mem: share(0.04, 32, 1024),
    work_mem: share(0.004, 4, 64),
  };
}

function availableMemory(): number {
  return Math.min(totalmem(), ...cgroupLimits(), ...processLimit());
}

function cgroupLimits(): number[] {
  const files = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];
  const own = ownCgroup();
  if (own) files.push(`/sys/fs/cgroup${own}/memory.max`);
  return files.map(readLimit).filter(limit => limit > 0);
}

function ownCgroup(): string | undefined {
  try {
    return /^0::(\/.+)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** 0 where there is no limit: "max", an absent file. */
function readLimit(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
}

/** The kernel no longer enforces it, but tells it. */
function processLimit(): number[] {
  const limit = /^Max resident set +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit ? [Number(limit)] : [];
}
