import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canOverlay, type Machine, makeMachine } from './machine.ts';

setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, '../..');
const CONFIG = '/etc/telemetricsd/config.toml';
const possible = process.getuid?.() === 0 && canOverlay();
if (!possible) console.warn('test/system/install.test.ts is skipped: it needs root and overlay file systems');

const has = (command: string) => Bun.which(command) !== null;

test.skipIf(!has('shellcheck'))('install.sh is clean by shellcheck', () => {
  const { status, stdout } = spawnSync('shellcheck', [join(ROOT, 'install.sh')], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

test.skipIf(!has('systemd-analyze'))('the unit leaves little to attack: at most 2.0 of 10', () => {
  const unit = join(ROOT, 'systemd/telemetricsd.service');
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], {
    encoding: 'utf8',
  });
  const [, level] = /exposure level for telemetricsd.service: ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(level)).toBeLessThanOrEqual(2);
});

describe.skipIf(!possible)('install.sh', () => {
  let release: string;
  let broken: string;
  let machine: Machine;
  const installed = () => existsSync(machine.path('/usr/local/bin/telemetricsd'));
  const install = (options = '', from = release) => machine.run(`${from}/install.sh ${options}`);

  beforeAll(() => {
    release = mkdtempSync(join(tmpdir(), 'telemetricsd-release-'));
    cpSync(join(ROOT, 'install.sh'), join(release, 'install.sh'));
    cpSync(join(ROOT, 'systemd'), join(release, 'systemd'), { recursive: true });
    cpSync(join(ROOT, 'dist/telemetricsd'), join(release, 'telemetricsd'));
    broken = brokenRelease();
    machine = makeMachine();
  });
  afterAll(() => {
    machine?.run('systemctl stop telemetricsd; pkill -9 -u telemetricsd');
    machine?.remove();
    for (const folder of [release, broken]) rmSync(folder, { recursive: true, force: true });
  });

  /** One that migrates and then fails to start. */
  function brokenRelease(): string {
    const folder = mkdtempSync(join(tmpdir(), 'telemetricsd-broken-'));
    for (const name of [
      'src',
      'views',
      'static',
      'sql',
      'package.json',
      'tsconfig.json',
      'install.sh',
      'systemd',
      'dist/postgres.tar.zst',
      'node_modules',
    ])
      if (name === 'node_modules') spawnSync('ln', ['-s', join(ROOT, name), join(folder, name)]);
      else cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'sql/9999_later.sql'), 'alter table records add column later text;\n');
    const serve = join(folder, 'src/serve.ts');
    writeFileSync(
      serve,
      readFileSync(serve, 'utf8').replace(
        'await prepare(database, log);',
        "await prepare(database, log);\n    throw new Error('this release is broken');",
      ),
    );
    const built = spawnSync(process.execPath, ['src/build/executable.ts'], { cwd: folder, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    return folder;
  }

  test('a dry run says what it would do and does nothing', () => {
    const { code, output } = install('--dry-run');
    expect([code, output]).toEqual([0, expect.stringContaining('would: write /etc/telemetricsd/config.toml')]);
    expect([installed(), existsSync(machine.path(CONFIG))]).toEqual([false, false]);
  });

  test('what it does not know it refuses', () => {
    expect(install('--frobnicate')).toMatchObject({
      code: 1,
      output: expect.stringContaining('unknown option --frobnicate'),
    });
    expect(install('--prefix here')).toMatchObject({
      code: 1,
      output: expect.stringContaining('expected a path that begins with /'),
    });
  });

  test('without systemd it installs, and says what it left out', () => {
    const { code, output } = install('--listen :28080');
    expect([code, output]).toEqual([0, expect.stringContaining('Not started: systemd does not run here.')]);
    expect(output).toContain(':28080/v2/collector');
    expect(machine.run('telemetricsd config').output).toContain(':28080');
    expect(statSync(machine.path('/var/lib/telemetricsd')).mode & 0o777).toBe(0o700);
    expect(machine.run(`stat -c '%U %G %a' ${CONFIG}`).output).toBe('root telemetricsd 640\n');
  });

  test('run again it upgrades, keeps the configuration, and the service takes records', () => {
    machine.addServiceManager();
    machine.run(`sed -i s/127.0.0.1:8081/127.0.0.1:28081/ ${CONFIG}`);
    const { code, output } = install();
    expect([code, output]).toEqual([0, expect.stringContaining('Upgraded.')]);
    expect(readFileSync(machine.path(CONFIG), 'utf8')).toContain('127.0.0.1:28081');
    expect(post('kept')).toBe(201);
    expect(readFileSync(machine.path('/etc/systemd/system/telemetricsd.service'), 'utf8')).toContain(
      'ExecStart=/usr/local/bin/telemetricsd serve',
    );
  });

  test('a release that migrates and then fails to start: the old program and its data come back', () => {
    const { code, output } = install('', broken);
    expect(code).toBe(1);
    expect(output).toContain('Pending: later');
    expect(output).toContain('The new version was not kept: it did not become ready');
    expect(output).toMatch(/The backup \/var\/backups\/telemetricsd\/before-upgrade-[-\d]+\.backup was restored/);
    expect(output).toContain('the old version runs again');
    expect(machine.run('telemetricsd migrate --check').output).toContain('The database is up to date.');
    expect(machine.run('curl -s http://127.0.0.1:28081/api/records').output).toContain('"machine_id":"kept"');
    expect(post('after')).toBe(201);
  });

  test('uninstalled, the data stay; purged, nothing does', () => {
    expect(install('--uninstall')).toMatchObject({ code: 0, output: expect.stringContaining('stay') });
    expect([installed(), existsSync(machine.path('/var/lib/telemetricsd/data'))]).toEqual([false, true]);
    expect(install('--purge').code).toBe(0);
    for (const gone of [
      '/var/lib/telemetricsd',
      '/etc/telemetricsd',
      '/var/backups/telemetricsd',
      '/etc/systemd/system/telemetricsd.service',
    ])
      expect([gone, existsSync(machine.path(gone))]).toEqual([gone, false]);
    expect(machine.run('id telemetricsd').code).not.toBe(0);
  });

  function post(machineId: string): number {
    const record = {
      record_format_version: 4,
      classification: 'a/b/c',
      severity: 1,
      machine_id: machineId,
      creation_timestamp: 1_700_000_000,
      arch: 'x86_64',
      host_type: 'v|p|1',
      build: '1',
      kernel_version: '6.1',
      payload_format_version: 1,
      system_name: 'debian',
      board_name: 'b|v',
      cpu_model: 'c',
      bios_version: '1',
      event_id: '0'.repeat(32),
      payload: 'hello\n',
    };
    writeFileSync(machine.path('/run/record.json'), JSON.stringify(record));
    const headers = "-H 'Content-Type: application/json' -H 'X-Telemetry-TID: 6907c830-eed9-4ce9-81ae-76daf8d88f0f'";
    return Number(
      machine.run(
        `curl -s -o /dev/null -w '%{http_code}' ${headers} --data @/run/record.json http://127.0.0.1:28080/v3/collector`,
      ).output,
    );
  }
});
