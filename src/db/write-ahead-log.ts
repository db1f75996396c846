import { statfsSync } from 'node:fs';

const MB = 1024 * 1024;
const SHARE = 0.05;

/**
 * How much PostgreSQL's write-ahead log may take on the file system of `dir`: it keeps the files that it once needed. On a
 * small disk they would take the room that purged records give back.
 */
export function writeAheadLogSettings(dir: string, bytes = sizeOf(dir)): Record<string, string> {
  const most = Math.min(2048, Math.max(32, Math.floor((bytes * SHARE) / MB)));
  return { max_wal_size: `${most}MB`, min_wal_size: `${Math.min(256, Math.floor(most / 4))}MB` };
}

function sizeOf(dir: string): number {
  const { blocks, bsize } = statfsSync(dir);
  return blocks * bsize;
}
