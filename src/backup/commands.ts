import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { openDatabase, openExisting } from '../db/database.ts';
import { fileReason, OperatorError } from '../errors.ts';
import { hasJobOutcomes, noteSuccess } from '../jobs.ts';
import { createLog } from '../log.ts';
import { progressBar } from '../progress.ts';
import { assertRoomBeside } from '../retention/disk-reserve.ts';
import { writeBackup } from './format.ts';
import { checkBackup, restoreBackup } from './restore.ts';
import { estimateRows, readDatabase } from './snapshot.ts';

interface Options {
  config?: string | undefined;
}

/** Writes a backup. Beside a running server it reads from that server's PostgreSQL. */
export async function backup(file: string, { config: configFile }: Options): Promise<number> {
  const { config } = loadConfig({ file: configFile });
  const log = createLog(config.log.level, config.log.format);
  if (existsSync(file)) throw new OperatorError(`${file} exists already`, 'Name a file that does not exist yet.');
  const database = await openExisting(config, log);
  try {
    const client = database.client('backup');
    const bar = progressBar(await estimateRows(client), 'rows', 'Backed up');
    const rows = await backupInto(client, file, { show: bar.show, config });
    bar.done(rows);
    // The schema may still be an older version's.
    if (await hasJobOutcomes(client)) await noteSuccess(client, 'backup');
    process.stderr.write(`${file} has ${(statSync(file).size / 1e6).toFixed(1)} MB.\n`);
    return 0;
  } finally {
    await database.close();
  }
}

/** The ending of a backup's name while it is written; it stays if the program is killed. */
export const UNFINISHED = '.unfinished';

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** System calls that fail if nothing can be written. */
const NOT_THERE = ['open', 'stat', 'statfs'];
/** How often the free space is checked: a disk takes only a few megabytes meanwhile. */
const LOOK_MS = 50;

interface BackupOptions {
  /** The database may share the file system with the backup: what is kept free for records stays free. */
  config: Config;
  show?(rows: number): void;
}

/**
 * Writes a backup under a temporary name, and renames it to `file` once it is complete and on disk. Returns its number
 * of rows.
 */
export async function backupInto(sql: Sql, file: string, { config, show }: BackupOptions): Promise<number> {
  const unfinished = join(dirname(file), `.${process.pid}-${Date.now()}${UNFINISHED}`);
  let rows = 0;
  let lookedAt = performance.now();
  async function* counted() {
    for await (const part of readDatabase(sql)) {
      if (performance.now() - lookedAt > LOOK_MS) {
        await assertRoomBeside(config, dirname(file));
        lookedAt = performance.now();
      }
      if (part.kind === 'rows') {
        rows += part.rows.length;
        show?.(rows);
      }
      yield part;
    }
  }
  try {
    await assertRoomBeside(config, dirname(file));
    await writeBackup(unfinished, counted());
    renameSync(unfinished, file);
    return rows;
  } catch (error) {
    rmSync(unfinished, { force: true });
    const { syscall, code = '' } = error as NodeJS.ErrnoException;
    const isFull = FULL.includes(code);
    if (!NOT_THERE.includes(syscall ?? '') && !isFull) throw error;
    throw new OperatorError(
      `${file} can't be written: ${fileReason(error)}`,
      isFull
        ? 'Make room there, or name a file on another file system.'
        : 'Name a file in a directory that the user who runs this may write to.',
    );
  }
}

/** Fills the configured database, which must be empty, from a backup. */
export async function restore(file: string, { config: configFile }: Options): Promise<number> {
  const { config } = loadConfig({ file: configFile });
  const log = createLog(config.log.level, config.log.format);
  process.stderr.write(`Checking ${file} …\n`);
  const checked = await checkBackup(file);
  const database = await openDatabase(config, log);
  try {
    const bar = progressBar(checked.rows, 'rows', 'Restored');
    await restoreBackup(database.client('restore'), file, checked, log, bar);
    bar.done();
    return 0;
  } finally {
    await database.close();
  }
}
