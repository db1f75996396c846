import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import {
  childrenOf,
  commandLineOf,
  EXECUTABLE,
  eventually,
  type Program,
  signal,
  workspace,
} from '../executable/program.ts';
import { exchange, get, headerRequest } from '../executable/wire.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
/** Neither sees the processes or shared memory of the other: two containers with a common volume. */
const APART = ['unshare', '--pid', '--ipc', '--mount-proc', '--fork', '--kill-child'];
/** The same, but the program is not process 1, so its children outlive it. */
const APART_LONGER = [...APART, 'sh', '-c', '"$@" & wait; sleep 600', 'sh'];
if (!isRoot) console.warn('test/system/namespaces.test.ts is skipped: it needs root');

describe.skipIf(!isRoot)('programs that can not see each other, on one state directory', () => {
  const { start, run, path } = workspace();

  test('a command joins the server, which goes on; after a stop all records are there', async () => {
    const stateDir = path('joined');
    const program = await start({ stateDir, wrapper: APART });
    await store(program);
    const backedUp = await run(['backup', path('joined.backup')], { stateDir, wrapper: APART });
    expect(backedUp).toMatchObject({ code: 0, stderr: expect.stringContaining('Backed up') });
    await store(program);
    await stopApart(program);
    expect(existsSync(`${stateDir}/telemetricsd.pid`)).toBe(false);
    await holds(2, stateDir);
  });

  test('a second server, as in a rolling update, is refused in a sentence, and starts once the first has stopped', async () => {
    const stateDir = path('rolled');
    const first = await start({ stateDir, wrapper: APART });
    await store(first);
    for (const wrapper of [APART, undefined]) {
      const second = await run(['serve'], { stateDir, ...(wrapper && { wrapper }) });
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(
        /^telemetricsd: another telemetricsd \(process 1\) uses the state directory .*\nStop/m,
      );
    }
    await store(first);
    await stopApart(first);
    await holds(2, stateDir);
  });

  test('a command that can not reach the socket of the server is refused and harms nothing', async () => {
    const hidden = path('hidden');
    mkdirSync(hidden);
    chmodSync(hidden, 0o755);
    // Too long for a socket, which therefore lies in the temporary directory.
    const stateDir = path('a'.repeat(60));
    const env = { TMPDIR: hidden };
    const program = await start({ stateDir, wrapper: APART, env });
    await store(program);
    const elsewhere = [...APART, 'sh', '-c', 'mount -t tmpfs tmpfs "$0" && exec "$@"', hidden];
    const { code, stderr } = await run(['backup', path('hidden.backup')], { stateDir, wrapper: elsewhere });
    expect([code, stderr]).toEqual([1, expect.stringContaining('another telemetricsd (process 1) uses')]);
    await store(program);
    await stopApart(program);
    await holds(2, stateDir, env);
  });

  test('a PostgreSQL that outlives its server keeps others out, until it is gone', async () => {
    const stateDir = path('outlived');
    const program = await start({ stateDir, wrapper: APART_LONGER });
    await store(program);
    signal(serverWithin(program), 'SIGKILL');
    const refused = await run(['migrate'], { stateDir, wrapper: APART });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /a PostgreSQL that another telemetricsd left behind \(process \d+\) still uses .*\nIf it does not end/,
    );
    await program.kill();
    await holds(1, stateDir);
  });

  test('a server killed while initdb runs: the next one waits until that is gone', async () => {
    const stateDir = path('begun');
    const begun = run(['serve'], { stateDir });
    await eventually('initdb runs', () => existsSync(`${stateDir}/data.initialising/postgresql.conf`));
    const server = childrenOf(process.pid).find(pid => commandLineOf(pid).startsWith(`${EXECUTABLE}\0serve`));
    signal(server!, 'SIGKILL');
    expect((await begun).code).toBe('SIGKILL');
    expect((await run(['migrate'], { stateDir })).code).toBe(0);
    await holds(0, stateDir);
  });

  test.each(['tmpfs', 'overlay'])('a state directory on %s is locked as well', async type => {
    const stateDir = path(type);
    for (const dir of ['', '-lower', '-upper/new', '-upper/work']) mkdirSync(`${stateDir}${dir}`, { recursive: true });
    const options = `lowerdir=${stateDir}-lower,upperdir=${stateDir}-upper/new,workdir=${stateDir}-upper/work`;
    const mount = ['-t', type, '-o', type === 'tmpfs' ? 'size=400m' : options, type, stateDir];
    expect(spawnSync('mount', mount)).toMatchObject({ status: 0 });
    try {
      const program = await start({ stateDir, wrapper: APART });
      await store(program);
      const second = await run(['serve'], { stateDir, wrapper: APART });
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('another telemetricsd')]);
      expect((await run(['migrate'], { stateDir, wrapper: APART })).code).toBe(0);
      await stopApart(program);
    } finally {
      spawnSync('umount', ['-l', stateDir]);
    }
  });

  test('a number in a postmaster.pid left behind that is another process by now is no obstacle', async () => {
    const stateDir = path('reused');
    const program = await start({ stateDir, wrapper: APART });
    await store(program);
    await program.kill();
    expect(existsSync(`${stateDir}/data/postmaster.pid`)).toBe(true);
    const other = Bun.spawn([
      'setpriv',
      `--reuid=${statSync(`${stateDir}/data`).uid}`,
      '--clear-groups',
      'sleep',
      '600',
    ]);
    writeFileSync(`${stateDir}/data/postmaster.pid`, `${other.pid}\n${stateDir}/data\n`);
    try {
      await holds(1, stateDir);
    } finally {
      other.kill();
    }
  });

  test('a user from whom the server is hidden by hidepid joins it', async () => {
    const stateDir = path('unseen');
    mkdirSync(stateDir);
    chownSync(stateDir, NOBODY, NOBODY);
    mkdirSync(path('for-nobody'));
    chownSync(path('for-nobody'), NOBODY, NOBODY);
    const program = await start({ stateDir });
    await store(program);
    const hide =
      'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
    const wrapper = ['unshare', '--mount', 'sh', '-c', hide, 'sh'];
    const backedUp = await run(['backup', path('for-nobody', 'x.backup')], { stateDir, wrapper });
    expect(backedUp).toMatchObject({ code: 0, stderr: expect.stringContaining('Backed up') });
    const second = await run(['serve'], { stateDir, wrapper });
    expect(second.stderr).toContain(`another telemetricsd (process ${program.pid}) uses`);
    await store(program);
    expect((await program.stop()).code).toBe(0);
  });

  test('removing telemetricsd.pid while the server runs does not let a second PostgreSQL in', async () => {
    const stateDir = path('unlocked');
    const program = await start({ stateDir, wrapper: APART });
    await store(program);
    rmSync(`${stateDir}/telemetricsd.pid`);
    const { code, stderr } = await run(['migrate'], { stateDir, wrapper: APART });
    expect([code, stderr]).toEqual([1, expect.stringContaining('still uses')]);
    await store(program);
    await stopApart(program);
    await holds(2, stateDir);
  });

  async function store({ port }: Program) {
    const event = crypto.randomUUID().replaceAll('-', '');
    expect((await exchange(port, headerRequest('hello\n', { headers: { event_id: event } }))).status).toBe(201);
  }

  async function holds(records: number, stateDir: string, env: Record<string, string> = {}) {
    const program = await start({ stateDir, env });
    expect((await exchange(program.port, get('/api/records'))).json.records).toHaveLength(records);
    expect((await program.stop()).code).toBe(0);
  }
});

/** Its processes may have other numbers inside. */
function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap(child => [child, ...descendants(child)]);
}

function serverWithin({ pid }: Program): number {
  return descendants(pid).find(each => commandLineOf(each).startsWith(`${EXECUTABLE}\0serve`))!;
}

/** unshare itself ignores the signal. */
async function stopApart(program: Program) {
  signal(serverWithin(program), 'SIGTERM');
  expect(await program.exited).toBe(0);
}
