import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Sql } from '../db/connect.ts';
import { startEmbedded } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { OperatorError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import { progressBar } from '../progress.ts';
import { roomIn } from '../retention/disk-reserve.ts';
import { type CheckedBackup, checkBackup, fillFromBackup, type Progress } from './restore.ts';
import { readDatabase } from './snapshot.ts';

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
      const show = async (rows: number) => {
        bar.show(rows);
        await assertRoom(scratch);
      };
      const tables = await verifyIn(sql, file, checked, log, { show });
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

/** A server may have its database on the same file system. */
async function assertRoom(scratch: string) {
  if (!(await roomIn(scratch, undefined)).low) return;
  throw new OperatorError(
    `the temporary directory ${scratch} has too little room for what the backup holds`,
    'Name one on another file system: TMPDIR=/path telemetricsd verify …',
  );
}

/**
 * Does that in an empty database, which tests bring along; returns how many tables were compared. They are compared in the schema of the backup, since later
 * migrations may change rows, and these are applied then.
 */
export async function verifyIn(
  sql: Sql,
  file: string,
  checked: CheckedBackup,
  log: Log,
  progress: Progress,
): Promise<number> {
  await fillFromBackup(sql, file, checked, log, progress);
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
  await migrate(sql, log);
  return tables;
}
