import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { CommandEntry } from '../../src/commands/command.ts';
import { commands } from '../../src/commands/commands.ts';

const ROOT = resolve(import.meta.dir, '../..');

let directory: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'telemetricsd-commands-'));
  file = join(directory, 'config.toml');
  writeFileSync(file, 'log.level = "warn"\n');
});

afterAll(() => rmSync(directory, { recursive: true }));

async function telemetricsd(args: string[], env: Record<string, string> = {}) {
  return await spawn(['src/main.ts', ...args], env);
}

async function spawn(args: string[], env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, ...args], { cwd: ROOT, env, stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

/** Runs one command line after the other in a process: each by itself takes a third of a second to start. */
async function telemetricsdEach(lines: string[][]) {
  const { stdout, stderr } = await spawn(['-e', EACH, JSON.stringify(lines)], {});
  const [outputs, errors] = [stdout, stderr].map(text => text.split('\0'));
  return lines.map((_, n) => {
    const [error, code] = errors![n]!.split('\x01');
    return { stdout: outputs![n]!, stderr: error!, code: Number(code) };
  });
}

const EACH = `
  import { run } from './src/commands/run.ts';
  for (const args of JSON.parse(process.argv.at(-1))) {
    const code = await run(args);
    await Bun.write(Bun.stdout, '\\0');
    process.stderr.write('\\x01' + code + '\\0');
  }`;

const entries = Object.entries(commands).flatMap(([name, entry]): [string, CommandEntry][] =>
  'load' in entry
    ? [[name, entry]]
    : Object.entries(entry.commands).map(([second, member]) => [`${name} ${second}`, member]),
);

describe('help', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])('%j lists every command', async args => {
    const { stdout, stderr, code } = await telemetricsd(args);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    for (const [name, { summary }] of Object.entries(commands)) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary}$`, 'm'));
    }
  });

  test.each([['serve'], ['user add'], ['help']])('of %s is the same in every way of asking for it', async name => {
    const words = name.split(' ');
    const [first, ...others] = await Promise.all([
      telemetricsd(['help', ...words]),
      telemetricsd([...words, '--help']),
      telemetricsd([...words, '-h']),
      telemetricsd([...words, '--bogus', '--help']),
    ]);
    for (const answer of others) expect(answer).toEqual(first!);
  });

  test('of each names its options and fits a terminal of 120 columns', async () => {
    const answers = await telemetricsdEach(entries.map(([name]) => ['help', ...name.split(' ')]));
    for (const [n, [name, entry]] of entries.entries()) await expectHelp(name, entry, answers[n]!);
  });

  async function expectHelp(name: string, entry: CommandEntry, answer: Awaited<ReturnType<typeof spawn>>) {
    const { stdout, stderr, code } = answer;
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toStartWith(`telemetricsd ${name}: ${entry.summary}\n\nUsage: telemetricsd ${name}`);
    const { options } = await entry.load();
    for (const [option, { description }] of Object.entries(options)) {
      expect(stdout).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
      expect(stdout).toContain(description);
    }
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(120);
  }
});

test.each([[['version']], [['--version']], [['-V']], [['-v']]])('%j prints the versions', async args => {
  const { stdout, code } = await telemetricsd(args);
  expect(stdout).toBe(`telemetricsd ${packageJson.version}\nBun ${Bun.version}\nPostgreSQL 18.4\n`);
  expect(code).toBe(0);
});

describe('wrong usage is exit code 2, with a message that names', () => {
  const cases: [args: string[], message: string][] = [
    [['srve'], 'unknown command "srve"; the nearest is serve'],
    [['mig'], 'unknown command "mig"; the nearest is migrate'],
    [
      ['zzzz'],
      'unknown command "zzzz"; there are serve, migrate, config, doctor, backup, restore, verify, user, token, rebuild-counters, purge, forget, import, demo, parser, plugin, welcome, version, help',
    ],
    [['constructor'], 'unknown command "constructor"; there are serve'],
    [['help', 'confg'], 'unknown command "confg"; the nearest is config'],
    [['help', 'serve', 'demo'], 'unexpected "demo" after help serve'],
    [['user'], 'user needs one of add, list, role, password, remove'],
    [['user', 'ad'], 'unknown command of user "ad"; the nearest is add'],
    [['user', 'add'], 'user add needs a NAME'],
    [['token', 'add', 'x', '--scope', 'all'], 'expected one or several of records:read'],
    [['--verison'], 'unknown option --verison; the nearest is --version'],
    [['--config', 'x', 'serve'], 'Options of a command come after it'],
    [['serve', '--confg', 'x'], 'unknown option --confg; the nearest is --config'],
    [['serve', '-w'], 'unknown option -w; there are --config, --welcome, --help'],
    [['serve', '--zzzzzz'], 'unknown option --zzzzzz; there are --config, --welcome, --help'],
    [['serve', 'now'], 'unexpected "now" after serve'],
    [['serve', '--welcome=yes'], '--welcome takes no value, got "yes"'],
    [['serve', '--config'], '--config needs a value: the path of a file'],
    [['serve', '--config', '--welcome'], '--config needs a value: the path of a file'],
    [['serve', '--config='], '--config: got "", expected the path of a file'],
    [['demo', '--records', 'abc'], '--records: got "abc", expected an integer from 1 to 100000000'],
    [['demo', '--records', '0'], '--records: got "0", expected an integer from 1 to 100000000'],
    [['demo', '--records=100000001'], '--records: got "100000001", expected'],
    [['demo', '--machines', '1e3'], '--machines: got "1e3", expected an integer from 1 to 10000000'],
    [['demo', '--days', '-5'], '--days: got "-5", expected an integer from 1 to 400'],
    [['demo', '--days', '401'], '--days: got "401", expected an integer from 1 to 400'],
    [['demo', '--seed', '1.5'], '--seed: got "1.5", expected an integer from 0 to 4294967295'],
  ];
  let answers: Awaited<ReturnType<typeof telemetricsdEach>>;
  beforeAll(async () => {
    answers = await telemetricsdEach(cases.map(([args]) => args));
  });
  test('a command of its own process', async () => {
    expect(await telemetricsd(cases[0]![0])).toEqual(answers[0]!);
  });
  test.each(cases.map(([args, message], n) => [args, message, n] as const))('%j', (_, message, n) => {
    const { stdout, stderr, code } = answers[n]!;
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^Try: telemetricsd .*--help$/m);
  });

  test('several mistakes at once', async () => {
    const { stderr } = await telemetricsd(['demo', '--records', 'abc', '--dayz', '3', '--force=1', '--seed']);
    expect(stderr.split('\n')).toEqual([
      'telemetricsd: unknown option --dayz; the nearest is --days',
      'telemetricsd: --force takes no value, got "1"',
      'telemetricsd: --seed needs a value: an integer from 0 to 4294967295',
      'telemetricsd: --records: got "abc", expected an integer from 1 to 100000000',
      'Try: telemetricsd demo --help',
      '',
    ]);
  });
});

describe('where there is no database, none is made by', () => {
  const cases = [
    ['user', 'list'],
    ['user', 'add', 'ann'],
    ['user', 'password', 'ann'],
    ['token', 'list'],
    ['token', 'add', 'nightly'],
    ['purge'],
    ['purge', '--dry-run'],
    ['forget', 'm', '--dry-run'],
    ['forget', 'm', '--yes'],
    ['rebuild-counters'],
    ['parser', 'run', 'mce'],
    ['backup', '/nowhere.backup'],
  ];
  test.each(cases.map(args => [args]))('%j', async args => {
    const state = join(directory, 'no-state');
    const answer = await telemetricsd(args, { TELEMETRICSD_STATE_DIR: state });
    expect(answer).toEqual({ stdout: '', stderr: expect.any(String), code: 1 });
    expect(answer.stderr).toStartWith(`telemetricsd: there is no database at ${state}\n`);
    expect(existsSync(state)).toBe(false);
  });
});

test('welcome names this host where others can reach it, and posts from here', async () => {
  const { stdout } = await telemetricsd(['welcome'], { TELEMETRICSD_HTTP_LISTEN: ':8080=collector,:8081=pages' });
  expect(stdout).toContain(`http://${hostname()}:8081/telemetryui\n`);
  expect(stdout).toContain('curl -s http://localhost:8080/v2/collector');
  const { stdout: local } = await telemetricsd(['welcome'], { TELEMETRICSD_HTTP_LISTEN: 'unix:/run/x.sock' });
  expect(local).toContain('curl -s --unix-socket /run/x.sock http://localhost/v2/collector');
});

describe('config', () => {
  test('prints a file that gives the same configuration', async () => {
    const first = await telemetricsd(['config', '--config', file], { TELEMETRICSD_COLLECTOR_QUEUE: '500' });
    expect(first).toMatchObject({ stderr: '', code: 0 });
    expect(first.stdout).toContain(`# from: ${file}\nlevel = "warn"`);
    const printed = join(directory, 'printed.toml');
    writeFileSync(printed, first.stdout);
    const second = await telemetricsd(['config', `--config=${printed}`]);
    expect(withoutComments(second.stdout)).toBe(withoutComments(first.stdout));
  });

  test('names every mistake and exits with 78', async () => {
    const wrong = { TELEMETRICSD_LOG_LEVEL: 'loud', TELEMETRICSD_HTTP_LISEN: ':80' };
    const { stdout, stderr, code } = await telemetricsd(['config', '--config', file], wrong);
    expect({ stdout, code }).toEqual({ stdout: '', code: 78 });
    expect(stderr).toStartWith('telemetricsd: 2 mistakes in the configuration:');
    expect(stderr).toContain('log.level: got "loud", expected "error", "warn", "info" or "debug"');
    expect(stderr).toContain('TELEMETRICSD_HTTP_LISTEN, the nearest one');
  });

  test('does not start without the file that is named', async () => {
    const { stderr, code } = await telemetricsd(['config', '--config', join(directory, 'missing.toml')]);
    expect(code).toBe(78);
    expect(stderr).toContain('missing.toml: there is no such file');
  });
});

function withoutComments(toml: string): string {
  return toml.replaceAll(/^#.*\n/gm, '');
}

describe('an unexpected error', () => {
  const failing = `
    import { reportFailure } from './src/commands/failure.ts';
    const error = new Error('it broke\\n  in two', { cause: new Error('deep down') });
    error.remedy = 'Mend it.';
    process.exit(reportFailure(error, ['serve', '--config', 'FILE']));`;

  test('is one line and its remedy, exit code 1', async () => {
    const answer = await spawn(['-e', failing.replace('FILE', file)], {});
    expect(answer).toEqual({ stdout: '', stderr: 'telemetricsd: it broke in two\nMend it.\n', code: 1 });
  });

  test('comes with its stack and causes at log level debug', async () => {
    const { stderr, code } = await spawn(['-e', failing.replace('FILE', file)], { TELEMETRICSD_LOG_LEVEL: 'debug' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^telemetricsd: it broke in two\nMend it\.\n(.*\n)+Caused by: Error: deep down\n {4}at /);
  });

  test('is told even where the configuration is wrong as well', async () => {
    const { stderr, code } = await spawn(['-e', failing.replace('FILE', '/missing')], {});
    expect({ stderr, code }).toEqual({ stderr: 'telemetricsd: it broke in two\nMend it.\n', code: 1 });
  });
});
