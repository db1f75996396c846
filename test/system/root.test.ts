import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { eventually, type Program, workspace } from '../executable/program.ts';
import { exchange, get, headerRequest } from '../executable/wire.ts';
import { makeCertificate } from '../tls/certificates.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const NAMELESS = 54_321;
/** Holds PostgreSQL's programs for state directories that its user can't reach. */
const CACHE = '/var/cache/telemetricsd';
if (!isRoot) console.warn('test/system is skipped: it needs root');

describe.skipIf(!isRoot)('started as root', () => {
  const { start, run, path, defer } = workspace();
  const cached = existsSync(CACHE);
  defer(() => cached || rmSync(CACHE, { recursive: true, force: true }));

  test('PostgreSQL runs as another user, who owns the data', async () => {
    const program = await start({ stateDir: path('as-root') });
    const uid = userOf(program.postmaster()!);
    expect(userOf(program.pid)).toBe(0);
    expect(uid).not.toBe(0);
    expect(statSync(`${program.stateDir}/data`)).toMatchObject({ uid, mode: 0o40700 });
    await worksAndStops(program);
    await worksAndStops(await start({ stateDir: program.stateDir }));
  });

  test('PostgreSQL runs as the owner of the state directory if that is not root', async () => {
    const stateDir = path('owned');
    mkdirSync(stateDir);
    chownSync(stateDir, NOBODY, NOBODY);
    const program = await start({ stateDir });
    expect(userOf(program.postmaster()!)).toBe(NOBODY);
    await worksAndStops(program);
  });

  test('if the owner has no user name, root runs PostgreSQL as another user, and the owner gets an error', async () => {
    const stateDir = path('nameless');
    mkdirSync(stateDir);
    chownSync(stateDir, NAMELESS, NAMELESS);
    const alone = await run(['serve'], { stateDir, uid: NAMELESS });
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain(
      `/etc/passwd has none with the number ${NAMELESS}\nRun telemetricsd as a user that exists`,
    );
    const program = await start({ stateDir });
    expect(userOf(program.postmaster()!)).not.toBeOneOf([0, NAMELESS]);
    await worksAndStops(program);
  });

  test('started as an ordinary user, all runs as that user', async () => {
    const stateDir = path('ordinary');
    mkdirSync(stateDir, { mode: 0o700 });
    chownSync(stateDir, NOBODY, NOBODY);
    const program = await start({ stateDir, uid: NOBODY });
    expect([userOf(program.pid), userOf(program.postmaster()!)]).toEqual([NOBODY, NOBODY]);
    await program.kill();
    await worksAndStops(await start({ stateDir, uid: NOBODY }));
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  });

  test('doctor run by root checks what the owner of the state directory may do', async () => {
    const stateDir = path('looked-at');
    mkdirSync(stateDir);
    chownSync(stateDir, NOBODY, NOBODY);
    const { cert, key } = makeCertificate(path('of-root'));
    chmodSync(key, 0o640);
    const config = path('of-root.toml');
    const pager = path('page-admin');
    writeFileSync(pager, '#!/bin/sh\n', { mode: 0o700 });
    writeFileSync(
      config,
      `notify.command = ["${pager}"]\n[backup]\ndir = "${path('backups')}"\n[tls]\ncert = "${cert}"\nkey = "${key}"\n`,
    );
    mkdirSync(path('backups'));
    const env = { TELEMETRICSD_HTTP_LISTEN: 'https://127.0.0.1:0' };
    const { code, stdout } = await run(['doctor', '--config', config], { stateDir, env });
    expect(code).toBe(1);
    expect(stdout).toContain(`Certificate       nobody may not read ${key}.`);
    expect(stdout).toContain(`Backup directory  nobody may not write into ${path('backups')}.`);
    expect(stdout).toContain(`Notices           nobody may not run ${pager}.`);
    chmodSync(config, 0o600);
    const closed = await run(['doctor', '--config', config], { stateDir, env });
    expect(closed.stdout).toContain(`nobody may not read ${config}, so the service does not start.`);
  });

  test.each(['state', 'link'])(
    'in a directory that root keeps for itself it works, and leaves that as it is: %s',
    async name => {
      const closed = path(`closed-${name}`);
      mkdirSync(closed, { mode: 0o700 });
      mkdirSync(path(`open-${name}`));
      symlinkSync(path(`open-${name}`), join(closed, 'link'));
      const stateDir = join(closed, name);
      const program = await start({ stateDir });
      expect(userOf(program.postmaster()!)).not.toBe(0);
      expect((await exchange(program.port, headerRequest('hello\n'))).status).toBe(201);
      expect((await run(['user', 'list'], { stateDir })).stdout).toBe('There are no accounts.\n');
      await program.kill();
      await worksAndStops(await start({ stateDir }));
      expect((await run(['doctor'], { stateDir })).stdout).toContain(
        'ok       PostgreSQL       The programs of PostgreSQL',
      );
      expect(statSync(closed).mode & 0o777).toBe(0o700);
    },
  );

  test('the state directory of a service keeps its mode when root runs a command on it, whatever the umask', async () => {
    const stateDir = path('of-service');
    mkdirSync(stateDir, { mode: 0o700 });
    chownSync(stateDir, NOBODY, NOBODY);
    const umask = process.umask(0o077);
    try {
      await worksAndStops(await start({ stateDir }));
    } finally {
      process.umask(umask);
    }
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    await worksAndStops(await start({ stateDir, uid: NOBODY }));
  });

  test('a state directory that an ordinary user may not write is named, with the remedy', async () => {
    const stateDir = path('not-writable');
    mkdirSync(stateDir);
    for (const place of [stateDir, `${stateDir}/below`]) {
      const { code, stderr } = await run(['serve'], { stateDir: place, uid: NOBODY });
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^telemetricsd: .*${place}.*\\n.*(writable|Create it) for the user`, 'm'));
      expect(stderr).not.toContain('    at ');
    }
  });

  test('data of another user and a missing permission give different errors', async () => {
    const stateDir = path('of-root');
    await worksAndStops(await start({ stateDir }));
    const { code, stderr } = await run(['serve'], { stateDir, uid: NOBODY + 1 });
    expect(code).toBe(1);
    expect(stderr).toContain(stateDir);
    expect(stderr).not.toContain('    at ');
  });

  test.each([
    ['root', undefined],
    ['an ordinary user', NOBODY],
  ])('a parser and a plugin of %s have no rights of root; the parser reaches no other machine', async (who, uid) => {
    const folder = path(`rights-of-${uid ?? 0}`);
    for (const dir of ['', '/state', '/parsers', '/plugins/rights']) {
      mkdirSync(`${folder}${dir}`, { recursive: true });
      if (uid !== undefined) chownSync(`${folder}${dir}`, uid, uid);
    }
    writeFileSync(`${folder}/config.toml`, 'parsers.enabled = ["rights"]\nplugins.enabled = ["rights"]\n');
    writeFileSync(
      `${folder}/parsers/rights.ts`,
      `${RIGHTS}export const classifications = ['a/b/rights'];\nexport default rights;\n`,
    );
    writeFileSync(
      `${folder}/plugins/rights/view.tsx`,
      `${RIGHTS}import { Hono } from 'hono';\nexport const title = 'Rights';\nexport const app = new Hono().get('/', c => c.text(JSON.stringify(rights())));\n`,
    );
    const options = { stateDir: `${folder}/state`, args: ['--config', `${folder}/config.toml`], ...(uid && { uid }) };
    const program = await start(options);
    const sent = headerRequest('hello\n', { headers: { classification: 'a/b/rights' } });
    const { id } = (await exchange(program.port, sent)).json;
    const parsed = await eventually('it is parsed', async () => {
      const { json } = await exchange(program.port, get(`/api/records/${id}`));
      return json.parsed?.data ?? json.parsed ?? false;
    });
    const text = await eventually('the plugin is loaded', async () => {
      const page = await exchange(program.port, get('/telemetryui/plugins/rights'));
      return page.status === 200 && page.text;
    });
    const offPlugin = JSON.parse(text.slice(text.indexOf('{"uid"'), text.indexOf('}', text.indexOf('{"uid"')) + 1));
    expect([parsed.uid, offPlugin.uid]).toEqual(who === 'root' ? [NOBODY, userOf(program.postmaster()!)] : [uid, uid]);
    expect([parsed.capabilities, offPlugin.capabilities]).toEqual(['0000000000000000', '0000000000000000']);
    expect(parsed.interfaces).toBe(0);
    expect((await program.stop()).code).toBe(0);
  });

  test('a file system mounted noexec is recognised', async () => {
    if (!mountNoexec(path('noexec'))) {
      console.warn('the test of a noexec file system is skipped: nothing can be mounted here');
      return;
    }
    try {
      const { code, stderr } = await run(['serve'], { stateDir: path('noexec') });
      expect(code).toBe(1);
      expect(stderr).toContain('permission denied, most often a file system mounted noexec');
      expect(stderr).toContain('Mount it with exec, or move state.dir to another file system.');
    } finally {
      spawnSync('umount', [path('noexec')]);
    }
  });
});

/** For the source of a parser or plugin. */
const RIGHTS = `
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
const rights = () => ({
  uid: process.getuid(),
  capabilities: /CapEff:\\t(\\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
  interfaces: Object.keys(networkInterfaces()).length,
});
`;

async function worksAndStops(program: Program) {
  expect((await exchange(program.port, headerRequest('hello\n'))).status).toBe(201);
  expect((await program.stop()).code).toBe(0);
}

function userOf(pid: number): number {
  return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

function mountNoexec(directory: string): boolean {
  mkdirSync(directory);
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec,size=400m', 'tmpfs', directory]).status === 0;
}
