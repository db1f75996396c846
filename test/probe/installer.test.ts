import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCE = resolve(import.meta.dir, '../../src/probe');
const source = (name: string) => readFileSync(join(SOURCE, name), 'utf8');

/** The installer as a server hands it out. */
function installer(): string {
  const parts: Record<string, string> = {
    SERVER: 'https://telemetry.example.org',
    TID: '6907c830-eed9-4ce9-81ae-76daf8d88f0f',
    PROBE: source('telemetricsd-probe.sh').trimEnd(),
    SERVICE: source('telemetricsd-probe.service').trimEnd(),
    TIMER: source('telemetricsd-probe.timer').trimEnd(),
  };
  return source('install.sh').replaceAll(/@([A-Z]+)@/g, (_, name) => parts[name]!);
}

/** Calls one of its functions instead of `main`, which its last line does. */
async function call(name: string, before: string[] = [], shell = 'sh'): Promise<string> {
  const lines = installer().trimEnd().split('\n');
  expect(lines.at(-1)).toBe('main "$@"');
  const running = Bun.spawn([shell, '-s'], {
    stdin: Buffer.from([...lines.slice(0, -1), 'ca_file= proxy= conf=/nowhere', ...before, name].join('\n')),
    stderr: 'pipe',
  });
  expect(await running.stderr.text()).toBe('');
  return running.stdout.text();
}

test.each([
  ['write_probe', 'telemetricsd-probe.sh'],
  ['write_service', 'telemetricsd-probe.service'],
  ['write_timer', 'telemetricsd-probe.timer'],
])('the installer carries what %s writes as it is', async (name, file) => {
  expect(await call(name)).toBe(source(file));
});

test('the installer writes where the machine reports to', async () => {
  expect(await call('write_config')).toStartWith(
    'server = https://telemetry.example.org\ntid = 6907c830-eed9-4ce9-81ae-76daf8d88f0f\n',
  );
});

test('the probe reads a copy of the certificates, wherever they lie', async () => {
  expect(await call('write_config', ["ca_file='./my ca.pem'"])).toContain('\nca_file = /etc/telemetricsd-probe.pem\n');
});

test.each([
  ['ca_file', '/dev/null', 'no file with certificates'],
  ['proxy', 'http://a b', 'no URL'],
])('%s %p is refused at once', async (option, value, message) => {
  // As if by root, where every tool is there; it installs nothing.
  const lines = [...installer().trimEnd().split('\n').slice(0, -1), 'id() { echo 0; }', 'command() { :; }'];
  const settings = ['ca_file=', 'proxy=', `${option}='${value}'`, 'check'];
  const running = Bun.spawn(['sh', '-s'], { stdin: Buffer.from([...lines, ...settings].join('\n')), stderr: 'pipe' });
  expect(await running.stderr.text()).toContain(message);
  expect(await running.exited).toBe(1);
});

test('cut off at any line, the installer does nothing', async () => {
  const lines = installer().trimEnd().split('\n');
  for (const end of [20, 60, lines.length - 1]) {
    const running = Bun.spawn(['sh', '-s'], { stdin: Buffer.from(lines.slice(0, end).join('\n')), stderr: 'ignore' });
    expect(await running.stdout.text()).toBe('');
  }
});

test.skipIf(!Bun.which('shellcheck'))('shellcheck finds nothing', async () => {
  for (const text of [installer(), source('telemetricsd-probe.sh'), source('install.sh')]) {
    const running = Bun.spawn(['shellcheck', '-'], { stdin: Buffer.from(text) });
    expect(await running.stdout.text()).toBe('');
  }
});

test('the probe is small enough to be read', () => {
  expect(source('telemetricsd-probe.sh').split('\n').length - 1).toBeLessThanOrEqual(300);
});
