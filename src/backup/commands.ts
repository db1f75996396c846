import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { connect, type Sql } from '../db/connect.ts';
import { openDatabase } from '../db/database.ts';
import { startEmbedded } from '../db/embedded.ts';
import { OperatorError } from '../errors.ts';
import { createLog } from '../log.ts';
import { progressBar } from '../progress.ts';
import { hasJobOutcomes, noteSuccess } from '../status/jobs.ts';
import { writeBackup } from './format.ts';
import { checkBackup, restoreBackup } from './restore.ts';
import { estimateRows, readDatabase } from './snapshot.ts';

interface Options {
  config?: string | undefined;
}

/** Writes a backup; beside a running server it reads from that one's PostgreSQL. */
export async function backup(file: string, { config: configFile }: Options): Promise<number> {
  const { config } = loadConfig({ file: configFile });
  const log = createLog(config.log.level, config.log.format);
  if (existsSync(file)) throw new OperatorError(`${file} exists already`, 'Name a file that does not exist yet.');
  const database = await openDatabase(config, log, { join: true });
  try {
    const client = database.client('backup');
    const bar = progressBar(await estimateRows(client), 'rows', 'Backed up');
    const rows = await backupInto(client, file, bar.show);
    bar.done(rows);
    // The schema may still be that of an older version.
    if (await hasJobOutcomes(client)) await noteSuccess(client, 'backup');
    process.stderr.write(`${file} has ${(statSync(file).size / 1e6).toFixed(1)} MB.\n`);
    return 0;
  } finally {
    await database.close();
  }
}

/** Writes a backup under a temporary name that becomes `file` once it is whole and on disk. Returns how many rows it has. */
export async function backupInto(sql: Sql, file: string, show: (rows: number) => void = () => {}): Promise<number> {
  const unfinished = join(dirname(file), `.${process.pid}-${Date.now()}.unfinished`);
  let rows = 0;
  async function* counted() {
    for await (const part of readDatabase(sql)) {
      if (part.kind === 'rows') {
        rows += part.rows.length;
        show(rows);
      }
      yield part;
    }
  }
  try {
    await writeBackup(unfinished, counted());
    renameSync(unfinished, file);
    return rows;
  } catch (error) {
    rmSync(unfinished, { force: true });
    if ((error as NodeJS.ErrnoException).syscall !== 'open') throw error;
    throw new OperatorError(
      `${file} can't be written: ${(error as Error).message}`,
      'Name a file in a directory that the user who runs this may write to.',
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

/** Restores a backup into a PostgreSQL of its own in a temporary directory and compares every table with the file. */
export async function verify(file: string): Promise<number> {
  const log = createLog('warn', 'text');
  process.stderr.write(`Checking ${file} …\n`);
  const checked = await checkBackup(file);
  const scratch = mkdtempSync(join(tmpdir(), 'telemetricsd-verify-'));
  try {
    const postgres = await startEmbedded(scratch, log);
    const sql = connect({ target: postgres, connections: 1, name: 'verify' });
    try {
      const bar = progressBar(checked.rows, 'rows', 'Restored and compared');
      await restoreBackup(sql, file, checked, log, bar);
      let tables = 0;
      for await (const part of readDatabase(sql)) {
        if (part.kind !== 'table') continue;
        const { rows, sha256 } = checked.tables.get(part.table) ?? { rows: 0, sha256: '' };
        if (part.sum.rows !== rows || (rows > 0 && part.sum.sha256 !== sha256)) {
          throw new OperatorError(
            `table ${part.table} differs after restoring: ${part.sum.rows} rows against ${rows} in the backup`,
            'The backup can not be relied on: make another one.',
          );
        }
        tables++;
      }
      bar.done();
      process.stderr.write(`${tables} tables are the same, row by row; taken at ${checked.header.taken_at}.\n`);
      return 0;
    } finally {
      await sql.end({ timeout: 5 });
      await postgres.stop();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
