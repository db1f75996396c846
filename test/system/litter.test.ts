import { afterAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '../executable/program.ts';
import { processesIn } from '../scratch.ts';

const ROOT = resolve(import.meta.dir, '../..');
const outside = mkdtempSync(join(tmpdir(), 'outside-'));
chmodSync(outside, 0o755);
afterAll(() => rmSync(outside, { recursive: true }));

test.each([
  ['SIGINT', 'npm test', ['test/run.ts']],
  ['SIGTERM', 'the tests of one file', ['test', 'test/crashes/thread.test.ts']],
] as const)('%s during %s leaves no process and no file', async (signal, _, args) => {
  const env = { ...process.env, TMPDIR: outside };
  const run = Bun.spawn([process.execPath, ...args], { cwd: ROOT, env, stdout: 'ignore', stderr: 'ignore' });
  try {
    await eventually('PostgreSQL runs', () => processesIn(outside).some(isPostgres), 60_000);
  } finally {
    run.kill(signal);
  }
  expect(await run.exited).not.toBe(0);
  expect(processesIn(outside)).toEqual([]);
  expect(readdirSync(outside)).toEqual([]);
});

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'postgres\n';
  } catch {
    return false;
  }
}
