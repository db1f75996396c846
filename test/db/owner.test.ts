import { expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { localLocksIn } from '../../src/db/lock-reach.ts';
import { claimState, isClaimed } from '../../src/db/owner.ts';

/** Claims and releases a directory again and again; says when it was not alone. */
const RIVAL = `
  const { claimState, StateInUse } = await import(${JSON.stringify(resolve('src/db/owner.ts'))});
  const { rmSync, writeFileSync } = await import('node:fs');
  for (let claims = 0; claims < 100; ) {
    let claim;
    try {
      claim = claimState(process.argv[1]);
    } catch (error) {
      if (!(error instanceof StateInUse)) throw error;
      continue;
    }
    writeFileSync(process.argv[1] + '/alone', '', { flag: 'wx' });
    rmSync(process.argv[1] + '/alone');
    claim.release();
    claims++;
  }`;

test('of many that claim a state directory and give it up all the time, never two have it at once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'telemetricsd-claims-'));
  const rivals = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, '-e', RIVAL, dir], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' }),
  );
  const errors = await Promise.all(rivals.map(rival => rival.stderr.text()));
  expect(errors.join('')).toBe('');
  expect(existsSync(join(dir, 'telemetricsd.pid'))).toBe(false);
  rmSync(dir, { recursive: true });
});

test('a claim names its owner; what a killed one left behind is no claim', () => {
  const dir = mkdtempSync(join(tmpdir(), 'telemetricsd-claims-'));
  const file = join(dir, 'telemetricsd.pid');
  expect(isClaimed(dir)).toBe(false);
  writeFileSync(file, `${process.pid} ${hostname()}\nand more of it\n`);
  expect(isClaimed(dir)).toBe(false);
  const claim = claimState(dir);
  expect(readFileSync(file, 'utf8')).toBe(`${process.pid} ${hostname()}\n`);
  expect(isClaimed(dir)).toBe(true);
  expect(() => claimState(dir)).toThrow(
    `another telemetricsd (process ${process.pid}) uses the state directory ${dir}`,
  );
  writeFileSync(file, '7 web1\n');
  expect(() => claimState(dir)).toThrow('another telemetricsd (process 7 on web1) uses');
  claim.release();
  expect(isClaimed(dir)).toBe(false);
  rmSync(dir, { recursive: true });
});

const mounts = (type: string, options: string) => `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
90 22 0:50 / /srv/state\\040dir rw,relatime shared:9 - tmpfs tmpfs rw
91 22 0:51 / /srv/state\\040dir rw,relatime shared:9 master:3 - ${type} server:/export ${options}
92 22 0:52 / /srv/state rw - tmpfs tmpfs rw
`;

test.each<[type: string, options: string, certain: boolean | undefined]>([
  ['ext4', 'rw', undefined],
  ['xfs', 'rw,nolock', undefined],
  ['overlay', 'rw', undefined],
  ['nfs4', 'rw,vers=4.2,local_lock=none', undefined],
  ['nfs', 'rw,vers=3,local_lock=posix', undefined],
  ['nfs', 'rw,vers=3,local_lock=flock', true],
  ['nfs', 'rw,vers=3,local_lock=all', true],
  ['nfs', 'rw,vers=3,nolock', true],
  ['cifs', 'rw,vers=3.1.1', undefined],
  ['cifs', 'rw,vers=3.1.1,nobrl', true],
  ['fuseblk', 'rw', undefined],
  ['fuse.sshfs', 'rw', false],
  ['virtiofs', 'rw', false],
  ['9p', 'rw', false],
])('whether locks on %s (%s) may hold on this machine alone', (type, options, certain) => {
  expect(localLocksIn(mounts(type, options), '/srv/state dir/data')?.certain).toBe(certain as boolean);
  expect(localLocksIn(mounts(type, options), '/srv/other')).toBeUndefined();
});
