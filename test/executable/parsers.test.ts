import { beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { startLoad } from './load.ts';
import { childrenOf, commandLineOf, eventually, isAlive, type Program, workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

const ROOT = resolve(import.meta.dir, '../..');
const MANUAL = readFileSync(join(ROOT, 'src/help/parsers.md'), 'utf8');
const place = workspace();
const config = place.path('config.toml');
const ENABLED = ['journal', 'throws', 'endless', 'eats', 'exits', 'odd', 'syntax', 'empty', 'missing'];

const JOURNAL = `
export const classifications: string[] = ['org.clearlinux/journal/*'];
export default async ({ payload, build }: { payload: string; build: string }) =>
  ({ lines: payload.split('\\n').length - 1, build, told: Object.keys(process.env), nul: 'a\\0b' });
`;

let program: Program;
let events = 0;

beforeAll(async () => {
  writeParser('journal.ts', JOURNAL);
  writeParser(
    'throws/main.ts',
    `export const classifications = ['a/throws/*'];\nexport const parse = record => {\n  if (record.payload !== 'fine') throw new Error('not today');\n  return { fine: true };\n};`,
  );
  writeParser('endless.js', `export const classifications = ['a/endless/*'];\nexport default () => { for (;;); };`);
  writeParser(
    'eats.ts',
    `export const classifications = ['a/eats/*'];\nconst kept = [];\nexport default () => { for (;;) kept.push(new Uint8Array(2 ** 26)); };`,
  );
  writeParser('exits.ts', `export const classifications = ['a/exits/*'];\nexport default () => process.exit(0);`);
  writeParser(
    'odd.ts',
    `export const classifications = ['a/odd/*'];\nexport default ({ payload }) => payload === 'big' ? { x: 'x'.repeat(70000) } : payload === 'none' ? null : payload;`,
  );
  writeParser('syntax.ts', 'export const classifications = ;');
  writeParser('empty.ts', 'export default () => ({});');
  program = await place.start({ args: ['--config', writeConfig(ENABLED)], prepared: true });
  for (let n = 0; n < 6; n++) for (const name of ['endless', 'eats', 'exits']) await send(`a/${name}/x`);
});

function writeParser(file: string, source: string) {
  const path = place.path('parsers', file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
}

function writeConfig(enabled: string[]) {
  writeFileSync(config, `[parsers]\nenabled = ${JSON.stringify(enabled)}\n`);
  return config;
}

async function send(classification: string, payload = 'one\ntwo\n'): Promise<number> {
  const headers = { classification, event_id: (++events).toString(16).padStart(32, '0') };
  const { status, json } = await exchange(program.port, headerRequest(payload, { headers }));
  expect(status).toBe(201);
  return Number(json.id);
}

const url = (path: string) => `http://127.0.0.1:${program.port}${path}`;
// biome-ignore lint/suspicious/noExplicitAny: JSON of the API
const record = async (id: number): Promise<any> => (await fetch(url(`/api/records/${id}`))).json();
const page = async (path: string) => (await fetch(url(path))).text();
const parsed = (id: number) => eventually(`record ${id} is parsed`, async () => (await record(id)).parsed ?? undefined);

async function reload() {
  const loads = () => program.output().match(/parsers are loaded/g)?.length ?? 0;
  const before = loads();
  process.kill(program.pid, 'SIGHUP');
  await eventually('parsers are loaded again', () => loads() > before);
}

const parserProcesses = () => childrenOf(program.pid).filter(pid => commandLineOf(pid).includes('parser-process'));

test('a good one reads what comes, with no environment; the program itself reads what it knows', async () => {
  const [journal, heartbeat] = [
    await send('org.clearlinux/journal/error'),
    await send('org.clearlinux/heartbeat/ping', 'hello\nuptime: 9\n'),
  ];
  expect(await parsed(journal)).toEqual({ lines: 2, build: '12', told: [], nul: 'a␀b' });
  expect(await parsed(heartbeat)).toEqual({ uptime: 9 });
  expect(await page(`/telemetryui/records/record_details/${journal}`)).toContain('Read from the payload');
  const found = await fetch(url('/api/records?parsed.lines=2'));
  expect(await found.json()).toMatchObject({ records: [{ id: journal }] });
});

test.each([
  ['syntax', 'syntax.ts:1:32'],
  ['empty', 'it exports no &quot;classifications&quot;'],
  ['missing', 'there is neither'],
])('one that can not be loaded is left out, and the overview says why: %s', async (name, reason) => {
  expect(await page('/telemetryui')).toMatch(new RegExp(`The parser ${name} is disabled:</b> [^<]*${reason}`));
  expect(program.output()).toContain(`a parser can not be loaded and is left out parser=${name}`);
});

test('what throws, returns too much or nothing is set aside or left without data; others go on', async () => {
  const [bad, fine, big, none] = [
    await send('a/throws/x'),
    await send('a/throws/x', 'fine'),
    await send('a/odd/x', 'big'),
    await send('a/odd/x', 'none'),
  ];
  expect(await parsed(fine)).toEqual({ fine: true });
  for (const [id, reason] of [
    [bad, 'Error: not today at '],
    [big, 'it returned 70008 bytes as JSON, more than 65536'],
  ] as const) {
    const failed = () => page(`/telemetryui/records/record_details/${id}`);
    expect(
      await eventually('it is set aside', async () => (await failed()).includes(' failed: ') && failed()),
    ).toContain(reason);
  }
  expect(await page(`/telemetryui/records/record_details/${none}`)).not.toContain('Read from the payload');
});

test('one that fails again and again is disabled and its records wait; the collector and other parsers go on', async () => {
  const load = startLoad(program.port, { connections: 4 });
  for (const [name, reason] of [
    ['exits', 'its process ended'],
    ['eats', 'it took more than 384 MB and was stopped'],
    ['endless', 'it took longer than 0.5 s and was stopped'],
  ]) {
    const line = `a parser is disabled until it is loaded again; its records wait parser=${name} `;
    await eventually(`${name} is disabled`, () => program.output().includes(line));
    expect(await page('/telemetryui')).toContain(
      `<b>The parser ${name} is disabled:</b> it failed on 5 records in a row`,
    );
    expect(program.output()).toMatch(new RegExp(`${line}reason=".*(${reason}|Out of memory)`));
  }
  await load.stop();
  expect(Object.keys(load.statuses)).toEqual(['201']);
  expect(load.broken).toBe(0);
  const waiting = await send('a/exits/x');
  expect(await page(`/telemetryui/records/record_details/${waiting}`)).toContain('waits for the parser exits');
  writeParser('exits.ts', `export const classifications = ['a/exits/*'];\nexport default () => ({ mended: true });`);
  await reload();
  expect(await parsed(waiting)).toEqual({ mended: true });
});

test('SIGHUP under load loses nothing, and nothing of the old ones stays', async () => {
  writeConfig(['journal']);
  const load = startLoad(program.port, { connections: 4 });
  for (let n = 1; n <= 4; n++) {
    writeParser(
      'journal.ts',
      `export const classifications = ['*/journal/*'];\nexport default () => ({ load: ${n} });`,
    );
    await reload();
    await Bun.sleep(100);
  }
  await load.stop();
  expect(Object.keys(load.statuses)).toEqual(['201']);
  const ids = [...load.acknowledged.values()];
  const sql = program.sql();
  const count = async () => {
    const [row] = await sql<{ n: number }[]>`select count(*) as n from parsed where id = any(${ids}::bigint[])`;
    return row!.n === ids.length;
  };
  await eventually('all are parsed', count);
  await sql.end();
  await eventually('one process is left', () => parserProcesses().length === 1);
});

test('init writes a parser that works as the manual says, and whose types are right; run reads again what is there', async () => {
  writeConfig(['journal']);
  const written = await place.run(['parser', 'init', 'units', '--config', config]);
  expect(written.stdout).toContain(`Written:\n  ${place.path('parsers/units.ts')}\n`);
  expect(written.stdout).toContain('enabled = ["journal", "units"]');
  const [, disk] = /```ts\n(.*?)```/s.exec(MANUAL)!;
  writeParser('disk/main.ts', disk!);
  mkdirSync(place.path('typed/disk'), { recursive: true });
  for (const file of ['units.ts', 'disk/main.ts', 'tsconfig.json', 'telemetricsd-parser.d.ts'])
    writeFileSync(place.path('typed', file), readFileSync(place.path('parsers', file)));
  expect(String(spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', place.path('typed')]).stdout)).toBe('');

  const [, payload] = /^echo '(.*)' > payload\.txt$/m.exec(MANUAL)!;
  writeFileSync(place.path('payload.txt'), `${payload}\n`);
  const tested = await place.run(['parser', 'test', 'units', '--config', config, 'payload.txt'], { cwd: place.path() });
  const [, promised] = /```\n(journal takes .*?)```/s.exec(MANUAL)!;
  expect(tested).toMatchObject({ code: 0, stdout: promised!.replace('journal takes', 'units takes') });
  const disks = await place.run(['parser', 'test', 'disk', '--config', config, place.path('payload.txt')]);
  expect(disks.stdout).toContain('"vendor": "vendor",\n  "sectors": []');
  const throwing = await place.run(['parser', 'test', 'throws', '--config', config, place.path('payload.txt')]);
  expect(throwing).toMatchObject({ code: 1, stdout: expect.stringContaining('failed: ') });

  const id = await send('org.clearlinux/journal/error', `${payload}\n`);
  expect(await parsed(id)).toEqual({ load: 4 });
  const { stateDir } = program;
  const run = await place.run(['parser', 'run', 'units', '--since', '1h', '--config', config], { stateDir });
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(/Read [\d,]+ records in /);
  expect(await parsed(id)).toMatchObject({ unit: 'backup.service', status: 3 });
  const heartbeats = await place.run(['parser', 'run', 'heartbeat', '--config', config], { stateDir });
  expect(heartbeats.stderr).toContain('Read 1 records in ');
  const unknown = await place.run(['parser', 'run', 'nobody', '--config', config], { stateDir });
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("the parser nobody can't be loaded") });
});

test('two that take the same stop the start, and a reload leaves them as they are', async () => {
  writeParser('again.ts', `export const classifications = ['org.clearlinux/*/error'];\nexport default () => ({});`);
  writeConfig(['journal', 'again']);
  const message = 'the parsers journal and again both take what fits */journal/* and org.clearlinux/*/error';
  process.kill(program.pid, 'SIGHUP');
  await eventually('it is refused', () => program.output().includes('parsers stay as they are'));
  expect(program.output()).toContain(message);
  expect(await parsed(await send('org.clearlinux/journal/error'))).toEqual({ load: 4 });
  const started = place.start({ args: ['--config', config], prepared: true });
  expect(await started.catch(error => error.message)).toContain(message);
});

test('their processes end with the server, however it ends', async () => {
  const processes = parserProcesses();
  expect(processes).toHaveLength(1);
  await program.kill();
  await eventually('they are gone', () => !processes.some(isAlive));
});
