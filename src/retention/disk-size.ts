import { statfs } from 'node:fs/promises';
import type { Size } from '../config/values.ts';
import { nearestExisting } from '../db/preflight.ts';

/** The free and total bytes of the file system of a directory that exists or will be made. */
export async function fileSystemOf(dir: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, blocks, bsize } = await statfs(nearestExisting(dir));
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export function bytesOf(size: Size, totalBytes: number): number {
  return typeof size === 'number' ? size : (totalBytes * size.percent) / 100;
}

/** retention.max_bytes in bytes, if it is set. */
export async function largestDatabase(maxBytes: Size | undefined, stateDir: string): Promise<number | undefined> {
  if (maxBytes === undefined || typeof maxBytes === 'number') return maxBytes;
  return Math.round(bytesOf(maxBytes, (await fileSystemOf(stateDir)).totalBytes));
}
