import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dir, '../..');
const NEEDED = ['package.json', 'bun.lock', 'bunfig.toml', 'src/build', 'src/version.ts', 'src/db'];
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'telemetricsd-npm-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs as from npm, with empty caches and a registry that can't be reached. */
async function setup(checkout: string) {
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true });
  const env = { PATH: process.env.PATH!, HOME: home, TMPDIR: tmpdir(), npm_config_registry: 'http://127.0.0.1:1/' };
  const child = Bun.spawn(['node', 'src/build/setup.js'], { cwd: checkout, env, stdout: 'pipe', stderr: 'pipe' });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, output: output + errors };
}

test('the scripts use what is installed, without asking the registry', async () => {
  expect(await setup(ROOT)).toEqual({ code: 0, output: '' });
  expect(existsSync(join(ROOT, 'node_modules/.bin/bun'))).toBe(true);
});

test('if nothing is installed or cached, it says what is missing, and leaves nothing half done', async () => {
  const checkout = join(directory, 'checkout');
  for (const path of NEEDED) cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  const { code, output } = await setup(checkout);
  expect(code).toBe(1);
  expect(output).toContain('Installing Bun 1.4.5 and the packages that package.json names …\n');
  expect(output).toContain('are neither installed nor cached here');
  expect(output).toContain('(ECONNREFUSED)');
  expect(readdirSync(join(checkout, 'dist'))).toEqual([]);
});
