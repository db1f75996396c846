import { statfsSync } from 'node:fs';

const MB = 1024 * 1024;
const SHARE = 0.05;

/**
 * Limits PostgreSQL's write-ahead log by the size of the file system of `dir`. PostgreSQL keeps log files for reuse: on
 * a small disk they would take the space that purging frees.
 */
export function writeAheadLogSettings(dir: string, bytes = sizeOf(dir)): Record<string, string> {
  const most = Math.min(2048, Math.max(32, Math.floor((bytes * SHARE) / MB)));
  return { max_wal_size: `${most}MB`, min_wal_size: `${Math.min(256, Math.floor(most / 4))}MB` };
}

function sizeOf(dir: string): number {
  const { blocks, bsize } = statfsSync(dir);
  return blocks * bsize;
}
