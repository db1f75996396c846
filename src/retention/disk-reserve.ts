import { stat, statfs } from 'node:fs/promises';
import type { Config } from '../config/settings.ts';
import type { Size } from '../config/values.ts';
import { OperatorError, RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { bytesOf, fileSystemOf } from './disk-size.ts';

interface DiskReserve {
  /** As last looked; undefined before that. */
  readonly status: DiskStatus | undefined;
  /** Throws 503 while too little is free to take records in. */
  assertRoom(): void;
  stop(): void;
}

export interface DiskStatus {
  freeBytes: number;
  reserveBytes: number;
  low: boolean;
}

const LOOK_MS = 1_000;
const DEFAULT_SHARE: Size = { percent: 5 };
const DEFAULT_MOST_BYTES = 1024 ** 3;
/** It must be this much better than the reserve before records are taken again, so that it does not flutter. */
const MARGIN = 1.02;

/** How much is free on the file system of `dir` at this moment. */
export async function roomIn(dir: string, reserve: Size | undefined): Promise<DiskStatus> {
  const { freeBytes, totalBytes } = await fileSystemOf(dir);
  const reserveBytes =
    reserve === undefined
      ? Math.min(bytesOf(DEFAULT_SHARE, totalBytes), DEFAULT_MOST_BYTES)
      : bytesOf(reserve, totalBytes);
  return { freeBytes, reserveBytes, low: freeBytes < reserveBytes };
}

/** What else is written beside the database stops so far above the reserve. */
const BESIDE_MARGIN = 1.1;

/** Resolves where a file may grow in `dir`; rejects with OperatorError where it would take what is kept for records. */
export async function assertRoomBeside({ state, database, disk }: Config, dir: string) {
  if (database.url !== undefined || !(await shareRoom(dir, state.dir))) return;
  const { freeBytes, reserveBytes } = await roomIn(state.dir, disk.reserve);
  const least = reserveBytes * BESIDE_MARGIN;
  if (freeBytes > least) return;
  const megabytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2).toLocaleString('en')} MB`;
  throw new OperatorError(
    `${dir} lies on the file system of the database, where ${megabytes(freeBytes)} are free; below ${megabytes(least)} they are kept for records (disk.reserve)`,
    'Write it to another file system, best on another disk, or make room there.',
  );
}

/** Volumes of a pool have different devices and the same blocks. */
async function shareRoom(one: string, other: string): Promise<boolean> {
  const [devices, systems] = await Promise.all([
    Promise.all([one, other].map(dir => stat(dir))),
    Promise.all([one, other].map(dir => statfs(dir))),
  ]);
  const [a, b] = systems as [(typeof systems)[0], (typeof systems)[0]];
  return devices[0]!.dev === devices[1]!.dev || (a.type === b.type && a.blocks === b.blocks && a.bfree === b.bfree);
}

/**
 * Looks every second how much is free on the file system of the state directory; `reserve` undefined means 5 % of it, at
 * most 1 GB. PostgreSQL stops altogether once its log can't be written, so records are refused before.
 */
export async function watchDisk(dir: string, reserve: Size | undefined, log: Log): Promise<DiskReserve> {
  let status: DiskStatus | undefined;

  async function look() {
    const { freeBytes, reserveBytes, low: below } = await roomIn(dir, reserve);
    const was = status?.low ?? false;
    const low = was ? freeBytes < reserveBytes * MARGIN : below;
    status = { freeBytes, reserveBytes, low };
    if (low === was) return;
    const figures = { directory: dir, free: Math.round(freeBytes), reserve: Math.round(reserveBytes) };
    if (low) log.error('the disk is nearly full: records are answered 503 until there is room again', figures);
    else log.info('the disk has room again: records are taken', figures);
  }

  const lookSafely = () =>
    look().catch(error => log.limited('disk', 'warn', 'the free disk space is not known', { reason: error.message }));
  await lookSafely();
  const timer = setInterval(lookSafely, LOOK_MS);
  return {
    get status() {
      return status;
    },
    assertRoom() {
      if (status?.low)
        throw new RequestError(503, 'the disk of the server is nearly full; send the record again later');
    },
    stop: () => clearInterval(timer),
  };
}
