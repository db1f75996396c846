import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupInto } from '../../src/backup/commands.ts';
import { POSTGRES_MAJOR } from '../../src/db/binaries.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { createLog } from '../../src/log.ts';
import { watchDisk } from '../../src/retention/disk-reserve.ts';
import { testConfig } from '../app.ts';
import { quietLog, testDatabase } from '../database.ts';
import { eventually } from '../executable/program.ts';

const MB = 1024 ** 2;
const isRoot = process.getuid?.() === 0;
const dir = mkdtempSync(join(tmpdir(), 'telemetricsd-disk-'));
const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', dir]).status === 0;
if (!mounted) {
  rmSync(dir, { recursive: true });
  console.warn('the test of a full disk is skipped: it needs to mount a tmpfs');
}

describe.skipIf(!mounted)('a file system that fills up', () => {
  afterAll(() => {
    spawnSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  });

  test('is noticed within seconds, and so is that there is room again; each is logged once', async () => {
    const lines: string[] = [];
    const disk = await watchDisk(
      dir,
      8 * MB,
      createLog('info', 'text', line => lines.push(line)),
    );
    const ballast = join(dir, 'ballast');
    try {
      disk.assertRoom();
      writeFileSync(ballast, Buffer.alloc(12 * MB));
      await eventually('it is noticed', () => disk.status?.low, 10_000);
      expect(disk.assertRoom).toThrow('nearly full');
      rmSync(ballast);
      await eventually('there is room again', () => disk.status?.low === false, 10_000);
      disk.assertRoom();
      expect(lines.map(line => line.split(' ')[1])).toEqual(['error', 'info']);
    } finally {
      disk.stop();
    }
  }, 60_000);

  test('keeps PostgreSQL from being unpacked, and the error says why', async () => {
    const state = join(dir, 'state');
    mkdirSync(state);
    await expect(startEmbedded(state, quietLog)).rejects.toMatchObject({
      message: `PostgreSQL can't be unpacked into ${state}/pg/${POSTGRES_MAJOR}: no space is left there`,
      remedy: expect.stringContaining('100 MB free'),
    });
    expect(readdirSync(join(state, 'pg'))).toEqual([]);
    rmSync(state, { recursive: true });
  }, 60_000);

  test('stops a backup, which says so and leaves nothing', async () => {
    const database = await testDatabase();
    const ballast = join(dir, 'ballast');
    try {
      writeFileSync(ballast, '');
      spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=64k']);
      const config = testConfig({ TELEMETRICSD_STATE_DIR: tmpdir() });
      const failing = backupInto(database.client('backup'), join(dir, 'full.backup'), { config });
      await expect(failing).rejects.toMatchObject({
        message: expect.stringMatching(/full\.backup can't be written: ENOSPC/),
        remedy: expect.stringContaining('Make room there'),
      });
      expect(readdirSync(dir)).toEqual(['ballast']);
    } finally {
      await database.close();
      rmSync(ballast);
    }
  }, 60_000);

  test('beside the database a backup leaves what is kept for records, and stops where it would not', async () => {
    const database = await testDatabase();
    const config = testConfig({ TELEMETRICSD_STATE_DIR: dir, TELEMETRICSD_DISK_RESERVE: `${6 * MB}` });
    mkdirSync(join(dir, 'backups'));
    const write = () => backupInto(database.client('backup'), join(dir, 'backups/beside.backup'), { config });
    const refused = {
      message: expect.stringMatching(
        /backups lies on the file system of the database, where \d+ MB are free; below 7 MB they are kept/,
      ),
      remedy: expect.stringContaining('another file system'),
    };
    try {
      // More than fits, since it can't be compressed.
      await database.sql`
        insert into quarantine (fingerprint, first_at, last_at, attempts, fleet_id, reason, bytes, headers, body)
        select gen_random_uuid(), now(), now(), 1, 1, 'x', 4000, '[]', string_agg(decode(md5(random()::text || n || m), 'hex'), '')
          from generate_series(1, 6000) n, generate_series(1, 250) m group by n`;
      await expect(write()).rejects.toMatchObject(refused);
      expect(readdirSync(join(dir, 'backups'))).toEqual([]);
      await database.sql`delete from quarantine where id > 100`;
      await write();
      expect(readdirSync(join(dir, 'backups'))).toEqual(['beside.backup']);
      writeFileSync(join(dir, 'ballast'), Buffer.alloc(10 * MB));
      await expect(write()).rejects.toMatchObject(refused);
    } finally {
      await database.close();
    }
  }, 60_000);
});
