import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import archivePath from '../../dist/postgres.tar.zst' with { type: 'file' };
import { POSTGRES_VERSION } from '../version.ts';

export const POSTGRES_MAJOR = POSTGRES_VERSION.split('.')[0]!;

/**
 * The directory of PostgreSQL's programs, unpacked from this executable once per version:
 * `state/pg/MAJOR`. A minor version replaces it; another major lies beside it.
 */
export async function unpackBinaries(stateDir: string): Promise<string> {
  const home = join(stateDir, 'pg', POSTGRES_MAJOR);
  const versionFile = join(home, 'VERSION');
  if (existsSync(versionFile) && readFileSync(versionFile, 'utf8') === POSTGRES_VERSION) return home;
  const fresh = `${home}.unpacking`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o755 });
  try {
    const packed = await Bun.file(archivePath).bytes();
    await new Bun.Archive(Bun.zstdDecompressSync(packed)).extract(fresh);
    writeFileSync(join(fresh, 'VERSION'), POSTGRES_VERSION);
    rmSync(home, { recursive: true, force: true });
    renameSync(fresh, home);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return home;
}
