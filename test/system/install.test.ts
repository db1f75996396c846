import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { eventually } from '../executable/program.ts';
import { bootMachine, debianMissing, type Machine, startChroot } from './machine.ts';
import { putNextRelease, putRelease } from './release.ts';

const { version } = packageJson;
const ROOT = resolve(import.meta.dir, '../..');
const UNIT = 'systemd/telemetricsd.service';
const CONFIG = '/etc/telemetricsd/config.toml';
const DATA = '/var/lib/telemetricsd/data';

const LATER = { '9001_later.sql': 'create table later (id integer primary key);' };
const BREAKS_THE_START = { ...LATER, '9002_fleets_away.sql': 'alter table fleets rename to fleets_of_another_time;' };
const FAILS = { ...LATER, '9002_nonsense.sql': 'nonsense;' };

test.skipIf(absent('shellcheck'))('shellcheck finds nothing in install.sh', () => {
  expect(tool('shellcheck', 'install.sh')).toEqual({ code: 0, output: '' });
});

test.skipIf(absent('systemd-analyze'))('the unit is exposed at most 2.0 by systemd-analyze security', () => {
  const { code, output } = tool('systemd-analyze', 'security', '--offline=true', '--threshold=20', '--no-pager', UNIT);
  expect(output).toMatch(/Overall exposure level for telemetricsd.service: [012]\.\d /);
  expect(code).toBe(0);
});

const missing = debianMissing();
if (missing) console.warn(`the tests of install.sh are skipped: ${missing}`);

describe.skipIf(missing !== undefined)('install.sh on a fresh Debian', () => {
  let machine: Machine;
  beforeAll(() => {
    machine = startChroot();
    putRelease(machine.path('root/release'));
  });
  afterAll(() => machine?.stop());

  const install = (...args: string[]) => machine.run('/root/release/install.sh', ...args);
  const asService = (...command: string[]) => runAsService(machine, ...command);

  test('--dry-run says what it would do and does nothing', () => {
    const before = listing(machine);
    const { code, output } = install('--dry-run');
    expect(code).toBe(0);
    expect(output).toContain('would create the user telemetricsd\n');
    expect(output).toContain(`would create ${CONFIG} (records on :8080, pages on 127.0.0.1:8081)\n`);
    expect(listing(machine)).toBe(before);
  });

  test('a wrong address or argument is named, and nothing is half done', () => {
    expect(install('--listen', ':99999')).toMatchObject({
      code: 1,
      output: expect.stringContaining('a port from 1 to 65535'),
    });
    expect(install('--prefx', '/opt')).toMatchObject({
      code: 2,
      output: expect.stringContaining('unknown argument "--prefx"'),
    });
    expect(existsSync(machine.path(CONFIG))).toBe(false);
    expect(existsSync(machine.path('usr/local/bin/telemetricsd'))).toBe(false);
  });

  test('after a run by hand as root, the installer gives the leftover files to the service', () => {
    expect(machine.run('/root/release/telemetricsd', 'migrate').code).toBe(0);
    expect(statSync(machine.path(DATA)).uid).not.toBe(0);
    expect(install('--dry-run').output).toContain(`would give ${DATA} to the user telemetricsd`);
    // The next test builds on this installation.
  });

  test('without systemd it still installs, and says what it did not do', () => {
    // As on Fedora.
    const fedora = ['restorecon', 'firewall-cmd'].map(name => machine.path(`usr/local/sbin/${name}`));
    for (const file of fedora) writeFileSync(file, '#!/bin/sh\necho "$0 $*" >>/root/called\n', { mode: 0o755 });
    const { code, output } = install('--listen', ':9090');
    for (const file of fedora) rmSync(file);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain(`give ${DATA} to the user telemetricsd`);
    expect(output).toContain('Machines report to http://');
    expect(readFileSync(machine.path('root/called'), 'utf8')).toMatch(
      /restorecon \/usr\/local\/bin\/telemetricsd \/etc\/systemd\/system\/telemetricsd\.service .*\n.*firewall-cmd --state\n/,
    );
    expect(output).toContain('To let them in: firewall-cmd --permanent --add-port=9090/tcp && firewall-cmd --reload\n');
    expect(output).toContain('systemd does not run here. Not done: starting the service,');
    expect(output).toContain('http://127.0.0.1:8081/telemetryui');
    const listen = 'listen = [{ address = ":9090", serves = "collector" }, "127.0.0.1:8081"]';
    const given = readFileSync(machine.path(CONFIG), 'utf8')
      .split('\n')
      .filter(line => /^[^#[]/.test(line));
    expect(given).toEqual([listen]);
    expect(asService('telemetricsd', 'config').output).toContain(listen);
    expect(machine.run('systemctl', 'is-enabled', 'telemetricsd').output).toBe('enabled\n');
    expect(asService('telemetricsd', 'migrate').code).toBe(0);
  });

  test('run again, it changes nothing, above all not the configuration', () => {
    writeFileSync(machine.path(CONFIG), '[log]\nlevel = "warn"\n');
    const before = listing(machine);
    const { code, output } = install('--listen', ':7070');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain(`telemetricsd ${version} is installed already.`);
    expect(output).toContain(`${CONFIG} exists and stays as it is`);
    expect(listing(machine)).toBe(before);
  });

  test('a release whose migrations fail halfway: the old one stays, with the data of before', () => {
    putNextRelease(machine.path('root/failing'), '8.0.0', FAILS);
    const { code, output } = machine.run('/root/failing/install.sh');
    expect({ code, output }).toMatchObject({ code: 1 });
    expect(output).toContain('The database could not be migrated. Going back to telemetricsd');
    expect(output).toContain('The data are as they were before the upgrade.');
    expect(asService('telemetricsd', 'version').output).toStartWith(`telemetricsd ${version}\n`);
    expect(asService('telemetricsd', 'migrate', '--check').code).toBe(0);
  });

  test('data of another PostgreSQL: the upgrade is refused before anything is touched', () => {
    writeFileSync(machine.path(`${DATA}/PG_VERSION`), '17\n');
    const { code, output } = machine.run('/root/failing/install.sh');
    writeFileSync(machine.path(`${DATA}/PG_VERSION`), '18\n');
    expect(code).toBe(1);
    expect(output).toContain('is of PostgreSQL 17; this telemetricsd carries PostgreSQL 18');
    expect(output).toContain("telemetricsd 8.0.0 can't take over");
    expect(asService('telemetricsd', 'version').output).toStartWith(`telemetricsd ${version}\n`);
  });

  test('--uninstall keeps configuration and data, --purge removes them and the user', () => {
    expect(install('--uninstall')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Configuration and data stay'),
    });
    expect(existsSync(machine.path('usr/local/bin/telemetricsd'))).toBe(false);
    expect(existsSync(machine.path(`etc/${UNIT.replace('systemd/', 'systemd/system/')}`))).toBe(false);
    for (const kept of [CONFIG, DATA]) expect(existsSync(machine.path(kept))).toBe(true);
    writeFileSync(machine.path(CONFIG), `[http]\nlisten = ["unix:/run/x", ":9191", "https://[::1]:9292"]\n${TLS}`);
    const firewall = machine.path('usr/local/sbin/firewall-cmd');
    writeFileSync(firewall, '#!/bin/sh\n', { mode: 0o755 });
    const again = install('--listen', ':7070');
    rmSync(firewall);
    expect(again.code).toBe(0);
    expect(again.output).toContain('stays as it is');
    expect(again.output).toMatch(/^Machines report to http:\/\/[^ ]+:9191\.$/m);
    expect(again.output).toContain('firewall-cmd --permanent --add-port=9191/tcp && firewall-cmd --reload');
    const dropIn = machine.path('etc/systemd/system/telemetricsd.service.d');
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, 'override.conf'), '[Service]\nReadWritePaths=/srv\n');
    expect(install('--purge')).toMatchObject({ code: 1, output: expect.stringContaining('Add --yes.') });
    expect(existsSync(machine.path(DATA))).toBe(true);
    expect(install('--purge', '--yes').code).toBe(0);
    for (const gone of [
      '/etc/telemetricsd',
      '/var/lib/telemetricsd',
      '/var/backups/telemetricsd',
      '/usr/local/bin/telemetricsd',
      '/etc/systemd/system/telemetricsd.service.d',
      '/var/cache/telemetricsd',
    ]) {
      expect(existsSync(machine.path(gone))).toBe(false);
    }
    expect(machine.run('id', 'telemetricsd').code).toBe(1);
  });
});

const booted = missing ? missing : await bootMachine();
const machine = booted as Machine;
const noSystemd = typeof booted === 'string';
if (noSystemd && !missing) console.warn(`the tests of the service under systemd are skipped: ${booted}`);

describe.skipIf(noSystemd)('the service under systemd', () => {
  afterAll(() => machine.stop());

  test('is ready when the installer returns', () => {
    putRelease(machine.path('root/release'));
    const { code, output } = machine.run('/root/release/install.sh');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('http://127.0.0.1:8081/telemetryui');
    expect(show('StatusText')).toBe('Taking records');
    const curl = output.slice(output.indexOf('curl -s'), output.indexOf("'hello'") + "'hello'".length);
    expect(machine.run('sh', '-c', curl).output).toContain('"payload":"hello"');
    // Nobody has to sign in, so other hosts must see nothing.
    expect(machine.run('curl', '-s', 'http://localhost:8080/api/records').output).not.toContain('"records"');
  });

  test('runs hardened, PostgreSQL and the demangler included', async () => {
    const status = readFileSync(`/proc/${hostPid()}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(status).toMatch(/^CapEff:\t0000000000000400$/m);
    expect(machine.run('sh', '-c', POST_CRASH).output).toContain('"id":2');
    await eventually('the crash is analysed', () => /"guilty":\{/.test(api('/api/records/2')));
    expect(api('/api/records/2')).toContain('"function":"shop::Cart::add(int)"');
    expect(machine.run('journalctl', '-u', 'telemetricsd', '-p', 'warning').output).not.toMatch(/not permitted|EPERM/);
  });

  test('a release that migrates and then does not start: the old one and its data are back, and it says so', () => {
    putNextRelease(machine.path('root/broken'), '8.1.0', BREAKS_THE_START);
    const { code, output } = machine.run('/root/broken/install.sh');
    expect({ code, output }).toMatchObject({ code: 1 });
    expect(
      inOrder(output, [
        'Pending: later, fleets_away',
        'stopping telemetricsd',
        'backing up to /var/backups/telemetricsd/before-8.1.0-',
        'Applied 2 of them.',
        'relation "fleets" does not exist',
        'telemetricsd 8.1.0 did not become ready. Going back to telemetricsd',
        'Migrations were committed: restoring the backup. The migrated data are kept in /var/lib/telemetricsd/data.migrated-',
        'The data are as they were before the upgrade.',
        'telemetricsd runs again with telemetricsd',
      ]),
    ).toBe(true);
    expect(show('ActiveState')).toBe('active');
    expect(JSON.parse(api('/api/records')).records.map(({ id }: { id: number }) => id)).toEqual([2, 1]);
    expect(machine.run('telemetricsd', 'version').output).toStartWith(`telemetricsd ${version}\n`);
  });

  test('a release that works: migrated, with a backup from before', () => {
    putNextRelease(machine.path('root/next'), '8.2.0', LATER);
    const { code, output } = machine.run('/root/next/install.sh');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('The backup from before the migration: /var/backups/telemetricsd/before-8.2.0-');
    expect(show('ActiveState')).toBe('active');
    expect(JSON.parse(api('/api/records')).records).toHaveLength(2);
  });

  test('a reload reaches the server, which keeps running', () => {
    const running = show('MainPID');
    expect(machine.run('systemctl', 'reload', 'telemetricsd').code).toBe(0);
    expect(show('MainPID')).toBe(running);
    expect(show('ActiveState')).toBe('active');
    expect(show('ReloadResult')).toBe('success');
    expect(api('/readyz')).toBe('ready\n');
  });

  test('notices by program and webhook work under what the unit allows', () => {
    writeFileSync(machine.path('usr/local/bin/page-admin'), PAGE_ADMIN, { mode: 0o755 });
    writeFileSync(machine.path('root/hook.pl'), HOOK);
    const dropIn = machine.path('etc/systemd/system/telemetricsd.service.d');
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, 'notify.conf'), NOTIFY);
    expect(machine.run('systemd-run', '--unit=hook', 'perl', '/root/hook.pl').code).toBe(0);
    machine.run('systemctl', 'daemon-reload');
    const restarted = machine.run('systemctl', 'restart', 'telemetricsd');
    const log = machine.run('journalctl', '-u', 'telemetricsd', '-n', '20', '-o', 'cat').output;
    rmSync(dropIn, { recursive: true });
    expect({ ...restarted, log }).toMatchObject({ code: 0 });
    const written = machine.path('var/lib/telemetricsd/notice');
    const [notice, ...restrictions] = readFileSync(written, 'utf8').split('\n');
    rmSync(written);
    expect(JSON.parse(notice!)).toMatchObject({ subject: 'test', level: 'test' });
    expect(restrictions).toEqual(['NoNewPrivs:\t1', 'may not write to /usr', '']);
    expect(readFileSync(machine.path('root/hooked'), 'utf8')).toMatch(/^POST \/hook HTTP[\s\S]*"subject":"test"/);
  });

  test('a backup.dir that the unit does not make writable is reported at the start, with the remedy', async () => {
    const dir = '/srv/backups';
    machine.run('install', '-d', '-o', 'telemetricsd', dir);
    const dropIn = machine.path('etc/systemd/system/telemetricsd.service.d');
    const settings = [`Environment=TELEMETRICSD_BACKUP_DIR=${dir}`];
    async function restartWith(...lines: string[]) {
      mkdirSync(dropIn, { recursive: true });
      writeFileSync(join(dropIn, 'backup.conf'), `[Service]\n${[...settings, ...lines].join('\n')}\n`);
      machine.run('systemctl', 'daemon-reload');
      expect(machine.run('systemctl', 'restart', 'telemetricsd').code).toBe(0);
    }
    const doctor = () => machine.run('env', `TELEMETRICSD_BACKUP_DIR=${dir}`, 'telemetricsd', 'doctor').output;
    await restartWith();
    await eventually('it is known', () => /error +Backup +The last one failed/.test(doctor()));
    expect(doctor()).toContain('EROFS: read-only file system');
    expect(doctor()).toContain(`The unit shows ${dir} read-only to the service.`);
    expect(doctor()).toContain(`"ReadWritePaths=${dir}"`);
    await restartWith(`ReadWritePaths=${dir}`);
    await eventually('all is well', () => /ok +Backup +(None yet|The last was)/.test(doctor()));
    expect(doctor()).toContain(`ok       Backup directory  ${dir} can be written to`);
    rmSync(dropIn, { recursive: true });
    machine.run('systemctl', 'daemon-reload');
    machine.run('systemctl', 'restart', 'telemetricsd');
  });

  test('the watchdog starts a server that hangs again', async () => {
    const quicker = '[Service]\nWatchdogSec=5\nRestartSec=100ms\n';
    machine.run(
      'sh',
      '-c',
      `mkdir -p /run/systemd/system/telemetricsd.service.d && printf '${quicker}' > /run/systemd/system/telemetricsd.service.d/quick.conf`,
    );
    machine.run('systemctl', 'daemon-reload');
    machine.run('systemctl', 'restart', 'telemetricsd');
    const hanging = show('MainPID');
    machine.run('sh', '-c', `kill -STOP ${hanging}`);
    await eventually(
      'another process serves',
      () => ![hanging, '0'].includes(show('MainPID')) && api('/readyz') !== '',
      60_000,
    );
    expect(JSON.parse(api('/api/records')).records).toHaveLength(2);
  });

  test('--purge stops it and leaves nothing', () => {
    expect(machine.run('/root/next/install.sh', '--purge', '--yes').code).toBe(0);
    expect(machine.run('systemctl', 'is-active', 'telemetricsd').output).toBe('inactive\n');
    expect(machine.run('sh', '-c', 'cat /proc/[0-9]*/comm').output).not.toMatch(/telemetricsd|postgres/);
    expect(existsSync(machine.path('var/lib/telemetricsd'))).toBe(false);
  });

  test('if other hosts reach the pages, people sign in, and the installer prints the link for the first account', () => {
    const { code, output } = machine.run('/root/release/install.sh', '--pages', ':8081');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(api('/api/records')).toContain('sign in, or send a token');
    const host = machine.run('uname', '-n').output.trim();
    const [, path = ''] = new RegExp(`First account +http://${host}:8081(/telemetryui/links/\\S+)`).exec(output) ?? [];
    expect(api(path)).toContain('Create the first account');
    const token = runAsService(machine, 'telemetricsd', 'token', 'add', 'script').output.trim();
    expect(
      machine.run('curl', '-s', '-H', `Authorization: Bearer ${token}`, 'http://localhost:8081/api/records').output,
    ).toContain('"records"');
  });
});

/** Installing only checks the addresses. */
const TLS = '[tls]\ncert = "/etc/none.pem"\nkey = "/etc/none.pem"\n';

/** After the start, the restrictions of the service apply. */
const NOTIFY = `[Service]
Environment=TELEMETRICSD_NOTIFY_COMMAND=/usr/local/bin/page-admin TELEMETRICSD_NOTIFY_WEBHOOK=http://127.0.0.1:9009/hook
ExecStartPost=/usr/local/bin/telemetricsd doctor --notify-test
`;

const PAGE_ADMIN = `#!/bin/sh
{
  cat
  grep NoNewPrivs /proc/self/status
  touch /usr/touched 2>/dev/null || echo 'may not write to /usr'
} >/var/lib/telemetricsd/notice
`;

const HOOK = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1:9009', Listen => 1, ReuseAddr => 1) or die;
my $client = $server->accept();
open(my $file, '>', '/root/hooked');
my $length = 0;
while (my $line = <$client>) {
  print $file $line;
  $length = $1 if $line =~ /^content-length: (\\d+)/i;
  last if $line =~ /^\\r?$/;
}
read($client, my $body, $length);
print $file $body;
close($file);
print $client "HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n";
`;

const POST_CRASH = `curl -s http://localhost:8080/v2/collector -H 'X-Telemetry-TID: 6907c830-eed9-4ce9-81ae-76daf8d88f0f' \
  -H 'record_format_version: 4' -H 'classification: org.clearlinux/crash/clr' -H 'severity: 3' -H 'machine_id: m' \
  -H "creation_timestamp: $(date +%s)" -H 'arch: x86_64' -H 'host_type: v|p|v' -H 'build: 1' -H 'kernel_version: 6.18.4' \
  -H 'payload_format_version: 1' -H 'system_name: example' -H 'board_name: b|v' -H 'cpu_model: c' -H 'bios_version: 1' \
  -H 'event_id: 0123456789abcdef0123456789abcdef' --data-binary 'Process: shop
PID: 1
Signal: 11

#0 _ZN4shop4Cart3addEi() - [/usr/bin/shop]+0x10
#1 main() - [/usr/bin/shop]
'`;

function absent(name: string) {
  const found = Bun.which(name) !== null;
  if (!found) console.warn(`a test is skipped: it needs ${name}`);
  return !found;
}

function tool(name: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd: ROOT, encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

/** Every file that the installer could touch, with size, mode, owner and time. */
function listing({ path }: Machine) {
  const places = ['etc', 'usr', 'var'].map(name => path(name));
  return spawnSync('find', [...places, '-printf', '%p %s %m %u %T@\n'], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .stdout;
}

function runAsService({ run }: Machine, ...command: string[]) {
  return run('runuser', '-u', 'telemetricsd', '--', ...command);
}

function show(property: string) {
  return machine.run('systemctl', 'show', '-p', property, '--value', 'telemetricsd').output.trim();
}

function api(path: string) {
  return machine.run('curl', '-s', `http://localhost:8081${path}`).output;
}

/** The server's process as seen from outside its machine. */
function hostPid() {
  const { stdout } = spawnSync('pgrep', ['--full', '^/usr/local/bin/telemetricsd serve$'], { encoding: 'utf8' });
  return stdout.trim().split('\n').at(-1);
}

function inOrder(text: string, parts: string[]) {
  let from = 0;
  return parts.every(part => {
    from = text.indexOf(part, from) + 1;
    return from > 0;
  });
}
