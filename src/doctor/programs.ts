import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/settings.ts';
import { areUnpacked, binariesOf, unpackBinaries } from '../db/binaries.ts';
import { assertRunnable } from '../db/postmaster.ts';
import { runAs } from '../db/run-as.ts';
import type { Finding } from '../status/check.ts';
import { POSTGRES_VERSION } from '../version.ts';

/** Whether PostgreSQL's programs run here. If they are not unpacked yet, tries a temporary copy. */
export async function postgresPrograms({ state: { dir }, database }: Config): Promise<Finding> {
  if (database.url !== undefined) return { level: 'ok', text: 'The built-in one is not used: database.url is set.' };
  const user = existsSync(dir) ? runAs(dir) : undefined;
  const home = binariesOf(dir, user);
  if (areUnpacked(home)) {
    assertRunnable({ home, user });
    return { level: 'ok', text: `The programs of PostgreSQL ${POSTGRES_VERSION} run here.` };
  }
  const scratch = mkdtempSync(join(tmpdir(), 'telemetricsd-doctor-'));
  try {
    assertRunnable({ home: await unpackBinaries(scratch), user: undefined });
    return {
      level: 'ok',
      text: `The programs of PostgreSQL ${POSTGRES_VERSION} run here; the first start unpacks them.`,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
