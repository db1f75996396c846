import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { PROBE_VERSION } from '../../src/probe/files.ts';
import { eventually, type Program, workspace } from '../executable/program.ts';
import { type BootedMachine, bootMachine, debianMissing } from './machine.ts';

const PROBE = 'telemetricsd-probe';
/** A running machine always writes to these. */
const WRITTEN_BY_THE_SYSTEM = /^\/(run|tmp|var\/(log|cache|tmp|lib\/systemd\/(coredump|timers|catalog|random-seed)))\b/;

const missing = debianMissing();
const booted = missing ?? (await bootMachine());
const machine = booted as BootedMachine;
const linked = typeof booted === 'string' ? booted : machine.link();
if (typeof linked === 'string') console.warn(`the tests of the probe under systemd are skipped: ${linked}`);
if (typeof booted !== 'string') afterAll(() => machine.stop());

describe.skipIf(typeof linked === 'string')('the probe on a Debian that is booted', () => {
  const { start } = workspace();
  const { host } = linked as { host: string };
  let server: Program;
  let pages: string;
  let before: string[];

  const page = async (path: string) => (await fetch(`${pages}${path}`)).text();
  const json = async (path: string) => (await fetch(`${pages}${path}`)).json() as Promise<Reply>;

  test('is installed by the commands of the page, and reports at once', async () => {
    // Otherwise sudo complains.
    writeFileSync(machine.path('etc/hosts'), `127.0.0.1 localhost ${hostname()}\n`);
    before = files();
    const port = freePort(host);
    server = await start({ env: { TELEMETRICSD_HTTP_LISTEN: `127.0.0.1:0,${host}:${port}=collector` } });
    pages = `http://127.0.0.1:${server.port}`;
    const commands = commandsOf(await page('/telemetryui/connect'));
    expect(commands.map(line => line.split(' ')[0])).toEqual(['curl', 'echo', 'sudo']);
    expect(commands[0]).toContain(`http://${host}:${port}/probe/`);
    const [download, install] = commands as [string, string];
    expect(inHome(download)).toMatchObject({ code: 0 });
    const { code, output } = inHome(install);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('install-probe.sh: OK\n');
    expect(output).toContain(`${PROBE} ${PROBE_VERSION} reports to http://${host}:${port}\n`);
    const { records } = await json('/api/records');
    expect(records.map(({ classification }) => classification).sort()).toEqual([
      'telemetricsd/heartbeat/ping',
      'telemetricsd/hello/world',
    ]);
  });

  test('status says where it reports to and when it last did; the timer runs', () => {
    const { code, output } = machine.run('sudo', PROBE, 'status');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/ {2}Machine {4}[0-9a-f]{32}\n(.+\n)* {2}Last sent {2}\S/);
    expect(machine.run('systemctl', 'is-active', `${PROBE}.timer`).output).toBe('active\n');
  });

  test('the server says which versions of the probe report', async () => {
    await page('/telemetryui');
    const { checks } = await json('/api/status');
    expect(checks.find(({ name }) => name === 'Probes')).toMatchObject({
      level: 'ok',
      text: expect.stringContaining(`1 machine with version ${PROBE_VERSION}. `),
    });
  });

  test('a core that systemd-coredump takes becomes a record with its guilty on the pages', async () => {
    dumpCore();
    const { code, output } = machine.run('sudo', PROBE, 'run');
    expect({ code, output }).toMatchObject({ code: 0 });
    const { records } = await json('/api/records?classification=telemetricsd/coredump/crash');
    expect(records).toEqual([expect.objectContaining({ severity: 3, way_in: 'probe', system_name: 'debian' })]);
    const { id } = records[0]!;
    const guilty = await eventually(
      'the crash is analysed',
      async () => (await json(`/api/records/${id}`)).guilty ?? undefined,
    );
    expect(guilty.function).toMatch(/^Perl_/);
    for (const path of ['/telemetryui/crashes', `/telemetryui/records/record_details/${id}`])
      expect(await page(path)).toContain(guilty.function);
  });

  test('uninstall leaves no trace', () => {
    const { code, output } = machine.run('sudo', PROBE, 'uninstall');
    expect({ code, output }).toEqual({ code: 0, output: 'The probe is removed.\n' });
    expect(machine.run('rm', '/root/install-probe.sh').code).toBe(0);
    expect(files()).toEqual(before);
    expect(machine.run('systemctl', 'list-units', '--all', '--plain', '--no-legend', `${PROBE}*`).output).toBe('');
    for (const kind of ['passwd', 'group', 'shadow', 'gshadow'])
      expect(readFileSync(machine.path(`etc/${kind}`), 'utf8')).not.toContain(PROBE);
  });
});

interface Reply {
  records: { id: number; classification: string }[];
  checks: { name: string; level: string; text: string }[];
  guilty: { function: string } | null;
}

/** Runs commands as root, all in one directory. */
function inHome(command: string) {
  return machine.run('sh', '-c', `cd /root && ${command}`);
}

/** Every file of the system except those written while it runs. */
function files(): string[] {
  const { stdout } = spawnSync('find', [machine.path(''), '-xdev', '-printf', '/%P\n'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return stdout
    .split('\n')
    .filter(path => path.includes(PROBE) || !WRITTEN_BY_THE_SYSTEM.test(path))
    .sort();
}

/** The command as the page lets people copy it. */
function commandsOf(html: string): string[] {
  const entities: Record<string, string> = { '&amp;': '&', '&#39;': "'", '&quot;': '"', '&lt;': '<', '&gt;': '>' };
  return [...html.matchAll(/<code id="[^"]*">([^<]*)<\/code>/g)].map(([, text]) =>
    text!.replaceAll(/&[^;]+;/g, entity => entities[entity] ?? entity),
  );
}

/** No other machine has this address. */
function freePort(hostname: string): number {
  const listening = Bun.serve({ hostname, port: 0, fetch: () => new Response() });
  const port = listening.port!;
  listening.stop(true);
  return port;
}

/**
 * Perl dies of SIGSEGV. Its core goes to systemd-coredump as the kernel would pass it on, since the kernel's pattern
 * for cores belongs to the host and stays unchanged. The process named as crashed must exist, so it is another Perl.
 */
function dumpCore() {
  const { code, output } = machine.run('sh', '-c', CRASH);
  expect({ code, output }).toMatchObject({ code: 0 });
}

const CRASH = `set -e
  mkdir /tmp/crash && cd /tmp/crash
  systemd-run -q --unit=victim perl -e 'sleep 600'
  pid=$(systemctl show -p MainPID --value victim)
  (ulimit -c unlimited && exec perl -e 'kill SEGV => $$') || [ $? -eq 139 ]
  pattern=$(sed -n 's/^kernel.core_pattern=|//p' /usr/lib/sysctl.d/50-coredump.conf)
  cat core* | $(echo "$pattern" | sed "s/%P/$pid/; s/%[ugd]/0/g; s/%s/11/; s/%t/$(date +%s)/; s/%c/18446744073709551615/; s/%h/here/")
  for n in $(seq 100); do
    journalctl -q MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1 | grep -q . && exit
    sleep 0.1
  done
  echo 'no entry came into the journal'
  exit 1`;
