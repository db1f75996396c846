import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import archivePath from '../../dist/postgres.tar.zst' with { type: 'file' };
import { POSTGRES_VERSION } from '../version.ts';
import { closedTo, type RunAs } from './run-as.ts';

export const POSTGRES_MAJOR = POSTGRES_VERSION.split('.')[0]!;

/** Holds PostgreSQL's programs when its user may not enter a folder above the state directory. */
const SHARED = `/var/cache/telemetricsd/${POSTGRES_VERSION}`;

/**
 * The directory of this version's programs, unpacked or not: `STATE/pg/MAJOR`, unless `user` could not run them there.
 * A minor version replaces another; another major version lies beside it.
 */
export function binariesOf(stateDir: string, user: RunAs | undefined): string {
  if (!existsSync(stateDir)) return join(stateDir, 'pg', POSTGRES_MAJOR);
  const real = realpathSync(stateDir);
  return join(closedTo(dirname(real), user) === undefined ? real : SHARED, 'pg', POSTGRES_MAJOR);
}

export function areUnpacked(home: string): boolean {
  const versionFile = join(home, 'VERSION');
  return existsSync(versionFile) && readFileSync(versionFile, 'utf8') === POSTGRES_VERSION;
}

/** Unpacks PostgreSQL's programs from this executable into `home`, once per version; returns `home`. */
export async function unpackBinaries(home: string): Promise<string> {
  if (areUnpacked(home)) return home;
  const fresh = `${home}.unpacking.${process.pid}`;
  // When we are root, another user runs them.
  const umask = process.umask(0o022);
  try {
    mkdirSync(fresh, { recursive: true });
    const packed = await Bun.file(archivePath).bytes();
    await extract(Bun.zstdDecompressSync(packed), fresh);
    writeFileSync(join(fresh, 'VERSION'), POSTGRES_VERSION);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } catch (error) {
    // Another process may have unpacked them first.
    if (!areUnpacked(home)) throw error;
  } finally {
    process.umask(umask);
    rmSync(fresh, { recursive: true, force: true });
  }
  return home;
}

/** Bun reports a full file system as "ReadError". */
async function extract(archive: Buffer, directory: string) {
  try {
    await new Bun.Archive(archive).extract(directory);
  } catch (cause) {
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize > archive.byteLength) throw cause;
    throw new Error('no space is left there', { cause });
  }
}
