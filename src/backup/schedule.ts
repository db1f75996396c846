import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { fileReason } from '../errors.ts';
import { forgetFailure, noteFailure } from '../jobs.ts';
import type { Log } from '../log.ts';
import { backupInto, UNFINISHED } from './commands.ts';

/** An unfinished backup not written to for this long is abandoned. */
const ABANDONED_MS = 3_600_000;
const NAME = /^telemetricsd-\d{8}-\d{6}\.backup$/;

/**
 * Writes a backup named after the current time into `dir`, which is made if it is missing. Once it is complete, removes
 * the oldest until `keep` are left, or none with 'all': then the names of backups can't be trusted.
 */
export async function scheduledBackup(
  sql: Sql,
  config: Config,
  dir: string,
  keep: number | 'all',
  log: Log,
  now = new Date(),
): Promise<number> {
  const moment = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const name = `telemetricsd-${moment}.backup`;
  const started = performance.now();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (keep !== 'all') removeAbandoned(dir, now);
  const rows = await backupInto(sql, join(dir, name), { config });
  const old = keep === 'all' ? [] : oldest(dir, name, keep);
  for (const file of old) rmSync(join(dir, file));
  log.info('backed up', {
    file: join(dir, name),
    rows,
    ms: Math.round(performance.now() - started),
    removed: old.length,
  });
  return rows;
}

/** Marks the failure of a trial, to distinguish it from a failed backup. */
const TRIAL = 'backup.dir: ';

/**
 * Checks at the start that backups can be written to their directory, which is made if it is missing: the first backup
 * may be a day away.
 */
export async function tryBackupDir(sql: Sql, dir: string, log: Log): Promise<void> {
  const trial = join(dir, `.${process.pid}-trial${UNFINISHED}`);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(trial, '');
    await rm(trial);
    await forgetFailure(sql, 'backup', TRIAL);
  } catch (error) {
    const reason = fileReason(error);
    log.warn('backups cannot be written into backup.dir; "telemetricsd doctor" says what to do', { dir, reason });
    await noteFailure(sql, 'backup', `${TRIAL}nothing can be written into ${dir}: ${reason}`);
  }
}

/** The backups to remove. Never the one just written, whatever its name says. */
function oldest(dir: string, written: string, keep: number): string[] {
  const others = scheduledBackups(dir).filter(file => file !== written);
  return others.slice(0, Math.max(0, others.length + 1 - keep));
}

/** The names of the existing backups, oldest first. */
export function scheduledBackups(dir: string): string[] {
  return readdirSync(dir)
    .filter(file => NAME.test(file))
    .sort();
}

/** Removes what a server left when it was killed while writing. */
function removeAbandoned(dir: string, now: Date) {
  for (const file of readdirSync(dir)) {
    if (!file.startsWith('.') || !file.endsWith(UNFINISHED)) continue;
    if (now.getTime() - statSync(join(dir, file)).mtimeMs > ABANDONED_MS) rmSync(join(dir, file), { force: true });
  }
}
