import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { size } from '../../views/parts/parts.tsx';
import { scheduledBackups } from '../backup/schedule.ts';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';
import { jobFinding, unitRemedy } from '../status/findings.ts';
import { ago } from '../time/ago.ts';
import { type ServerUser, unitLetsWrite } from './server-user.ts';

/** Checks the files in backup.dir, without asking the database. */
export function backupDirectory({ backup: { dir, schedule, keep } }: Config, user: ServerUser): Finding[] {
  if (dir === undefined) return [];
  if (!existsSync(dir))
    return [
      { level: 'error', text: `${dir} is not there.`, remedy: 'Create it for the user of the service (backup.dir).' },
    ];
  if (!user.mayWrite(dir)) {
    const remedy = 'Let the user of the service write there, and run doctor as root or as that user.';
    return [{ level: 'error', text: `${user.name} may not write into ${dir}.`, remedy }];
  }
  if (!unitLetsWrite(dir)) {
    const text = `The unit shows ${dir} read-only to the service.`;
    return [{ level: 'error', text, remedy: unitRemedy(dir) }];
  }
  const newest = scheduledBackups(dir).at(-1);
  if (newest === undefined) return [{ level: 'ok', text: `${dir} can be written to, and holds no backup yet.` }];
  const { mtime, size: bytes } = statSync(join(dir, newest));
  const now = new Date();
  const { level, remedy } = jobFinding({ succeededAt: mtime, failedAt: null, failure: null }, schedule, now);
  const text = `The newest in ${dir} is ${newest} (${size(bytes)}), ${ago(mtime, now)}; ${keep} are kept.`;
  return [{ level, text, remedy }];
}
