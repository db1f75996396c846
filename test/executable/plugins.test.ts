import { beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startLoad } from './load.ts';
import { externalServer, PASSWORD } from './postgres.ts';
import { childrenOf, commandLineOf, eventually, isAlive, type Program, workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

const ROOT = resolve(import.meta.dir, '../..');
const place = workspace();
const config = place.path('config.toml');
const ENABLED = ['kernels', 'hello', 'bad', 'loop', 'throws', 'syntax', 'exports', 'package', 'missing'];

const BAD = `
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { Page, type PluginEnv } from 'telemetricsd';

export const title = 'Bad';
export const app = new Hono<PluginEnv>();
const kept: unknown[] = [];

app.get('/throw', () => { throw new Error('the reason'); });
app.get('/teapot', () => { throw new HTTPException(418, { message: 'a teapot' }); });
app.get('/exit', () => process.exit(3));
app.get('/memory', () => { for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); });
app.get('/buffer', () => { for (;;) kept.push(Buffer.alloc(5e8)); });
app.get('/big', c => c.text('x'.repeat(20e6)));
app.get('/told', c => c.json([c.req.header(), c.env.user ?? null, process.env]));
app.get('/headers', c => c.html(<Page frame={c.env.frame} title="<b>">{'<i>'}</Page>, 200, {
  'Set-Cookie': 'a=b', 'Content-Security-Policy': 'default-src *', 'Access-Control-Allow-Origin': '*',
}));
app.post('/form', async c => c.json(await c.req.parseBody()));
app.get('/sql', async c => {
  const sql = await c.env.sql.reserve();
  try {
    await sql.unsafe('set default_transaction_read_only = off');
    return c.json(await sql.unsafe(c.req.query('q')!));
  } catch (error) {
    return c.text(error.code);
  } finally {
    sql.release();
  }
});
`;

let program: Program;
let looping: Promise<Response>;

beforeAll(async () => {
  await place.run(['plugin', 'init', 'kernels', '--config', writeConfig([])]);
  await place.run(['plugin', 'init', 'hello', '--config', config]);
  writePlugin('hello', readmeExample());
  writePlugin('bad', BAD);
  writePlugin(
    'loop',
    `import { Hono } from 'hono';\nexport const title = 'Loop';\nexport const app = new Hono().get('/', () => { for (;;); }).get('/fine', c => c.text('fine'));`,
  );
  writePlugin('throws', `const a = 1;\nthrow new Error('not today');\nexport { a };`);
  writePlugin('syntax', 'export const title = ;');
  writePlugin('exports', `export const title = '';\nexport const app = { fetch() {} };`);
  writePlugin('package', `import pad from 'left-pad';\nexport const title = pad('x');`);
  program = await place.start({ args: ['--config', writeConfig(ENABLED)], prepared: true });
  await eventually('plugins are loaded', () => program.output().includes('plugins are loaded enabled=9 loaded=4'));
  expect((await exchange(program.port, headerRequest('hello\n'))).status).toBe(201);
  looping = fetch(urlOf('/loop'));
});

function readmeExample() {
  return /```tsx\n(.*?)```/s.exec(readFileSync(join(ROOT, 'src/help/plugins.md'), 'utf8'))![1]!;
}

function writeConfig(enabled: string[], url?: string) {
  const more = url ? `database_url = "${url}"\n` : '';
  writeFileSync(config, `[plugins]\nenabled = ${JSON.stringify(enabled)}\n${more}`);
  return config;
}

function writePlugin(name: string, source: string) {
  mkdirSync(place.path('plugins', name, 'static'), { recursive: true });
  writeFileSync(place.path('plugins', name, 'view.tsx'), source);
}

function urlOf(path: string, of = program) {
  return `http://127.0.0.1:${of.port}/telemetryui/plugins${path}`;
}

async function page(path: string, init: RequestInit = {}, of = program) {
  const response = await fetch(urlOf(path, of), { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test('the example has a tab and a page that counts, with the headers of every page; its types are right', async () => {
  const { status, text, headers } = await page('/kernels');
  expect(status).toBe(200);
  expect(text).toContain('<a href="/telemetryui/plugins/kernels" aria-current="page">Kernels</a>');
  expect(text).toContain('clear-linux-os · 6.18.44-1500.native');
  expect(text).toContain('href="/telemetryui/plugins/kernels/static/style.css"');
  const own = await fetch(`http://127.0.0.1:${program.port}/telemetryui/stats`);
  expect(await own.text()).toContain('<a href="/telemetryui/plugins/kernels">Kernels</a>');
  for (const name of ['content-security-policy', 'cache-control', 'referrer-policy', 'x-content-type-options'])
    expect(headers.get(name)).toBe(own.headers.get(name));
  expect((await page('/kernels/6.18.44-1500.native')).text).toContain('Records by build');
  expect((await page('/kernels/none')).status).toBe(404);
  expect((await page('/kernels?days=x')).text).toContain('expected an integer from 1 to 400');
  expect((await page('/kernels/')).headers.get('location')).toBe('/telemetryui/plugins/kernels');
  expect(typeErrors('kernels')).toBe('');
});

function typeErrors(name: string) {
  return String(spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', place.path('plugins', name)]).stdout);
}

test('the example in the manual works as it stands there, and its types are right', async () => {
  expect(typeErrors('hello')).toBe('');
  expect((await page('/hello')).text).toContain(
    '<h1>Hello</h1><p>1 records, whoever you are. <a href="/telemetryui/plugins/hello/more">',
  );
});

test.each([
  ['throws', 'error: not today'],
  ['throws', 'view.tsx:2:11'],
  ['syntax', 'view.tsx:1:22'],
  ['exports', 'it exports no &quot;title&quot;'],
  ['exports', 'it exports no &quot;app&quot;'],
  ['package', 'left-pad'],
  ['missing', 'there is neither'],
])('%s is left out, and log and pages say why: %s', async (name, reason) => {
  const { status, text } = await page(`/${name}`);
  expect(status).toBe(503);
  expect(text).toContain(reason);
  expect(text).toContain(`${name}<span class="badge">!<span class="unseen"> could not be loaded</span></span>`);
  expect(program.output()).toContain(`a plugin cannot be loaded and is left out plugin=${name} `);
});

test('one that throws shows a page of its own, and the log names it', async () => {
  const { status, text } = await page('/bad/throw');
  expect(status).toBe(500);
  expect(text).toContain('<h1>Bad</h1>');
  expect(text).not.toContain('the reason');
  expect(program.output()).toMatch(/a plugin failed plugin=bad .*Error: the reason at .*view\.tsx:10:/);
  expect(await page('/bad/teapot')).toMatchObject({ status: 418, text: 'a teapot' });
  expect((await page('/bad/nothing')).status).toBe(404);
  expect((await page('/nobody')).status).toBe(404);
});

test('one whose process ends, eats memory or answers without end fails alone and works again', async () => {
  for (const [path, reason] of [
    ['/bad/exit', 'its process ended'],
    ['/bad/memory', 'it took more than 512 MB and was stopped'],
    ['/bad/buffer', 'the server&#39;s log says why'],
    ['/bad/big', 'its answer is larger than 16 MB'],
  ] as const) {
    const { status, text } = await page(path);
    expect({ path, status }).toEqual({ path, status: 500 });
    expect(text).toContain(reason);
    expect((await page('/bad/headers')).status).toBe(200);
  }
  expect(program.output()).toContain('RangeError: Out of memory');
});

test('a plugin is told neither cookies nor passwords, and can not loosen what protects pages', async () => {
  const told = await page('/bad/told', { headers: { Cookie: 'session=secret', Authorization: 'Bearer secret' } });
  expect(told.text).not.toContain('secret');
  expect(JSON.parse(told.text).slice(1)).toEqual([null, {}]);
  const { headers, text } = await page('/bad/headers');
  expect(headers.get('content-security-policy')).toStartWith("default-src 'none'; script-src 'self'");
  expect([headers.get('set-cookie'), headers.get('access-control-allow-origin')]).toEqual([null, null]);
  expect(text).toContain('<h1>&lt;b&gt;</h1>&lt;i&gt;');
  const form = { method: 'POST', body: new URLSearchParams({ a: '1' }) };
  expect((await page('/bad/form', form)).status).toBe(403);
  expect((await page('/bad/form', { ...form, headers: { 'Sec-Fetch-Site': 'same-origin' } })).text).toBe('{"a":"1"}');
});

test.each([
  ['select count(*)::text as n from records', '[{"n":"1"}]'],
  ['select count(*)::text as n from kernel_counts', '[{"n":"1"}]'],
  ['delete from records', '42501'],
  ["insert into fleets (tid, name) values (gen_random_uuid(), 'x')", '42501'],
  ['update stacks set frames = frames', '42501'],
  ['truncate records', '42501'],
  ['create table x (a int)', '42501'],
  ['create temp table x (a int)', '42501'],
  ["select lo_from_bytea(0, 'x')", '42501'],
  ['select lo_create(0)', '42501'],
  ["select pg_logical_emit_message(false, 'x', 'y')", '42501'],
  ["select setval('record_ids', 1)", '42501'],
  ["select nextval('record_ids')", '42501'],
  ['select * from quarantine', '42501'],
  ['select * from users', '42501'],
  ['select * from schema_migrations', '42501'],
  ['set role telemetricsd', '42501'],
  ['set session authorization telemetricsd', '42501'],
  ['alter role telemetricsd_plugins superuser', '42501'],
  ["select pg_read_file('/etc/passwd')", '42501'],
  ["copy (select 1) to program 'id'", '42501'],
])('in the database it may: %s: %s', async (query, answer) => {
  expect((await page(`/bad/sql?${new URLSearchParams({ q: query })}`)).text).toBe(answer);
});

test('its static files have their types; nothing outside of them is served', async () => {
  const folder = place.path('plugins/bad/static');
  writeFileSync(join(folder, 'chart.js'), 'alert(1)');
  writeFileSync(join(folder, 'data.bin'), 'x');
  writeFileSync(join(folder, '.hidden'), 'x');
  symlinkSync('/etc/passwd', join(folder, 'passwd.txt'));
  symlinkSync('/etc', join(folder, 'etc'));
  symlinkSync(place.path('plugins/bad'), join(folder, 'up'));
  const { status, headers, text } = await page('/bad/static/chart.js');
  expect({ status, text, type: headers.get('content-type') }).toEqual({
    status: 200,
    text: 'alert(1)',
    type: 'text/javascript; charset=utf-8',
  });
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect((await page('/bad/static/chart.js', { headers: { 'If-None-Match': headers.get('etag')! } })).status).toBe(304);
  expect((await page('/bad/static/data.bin')).headers.get('content-type')).toBe('application/octet-stream');
  for (const path of [
    '.hidden',
    'passwd.txt',
    'etc/passwd',
    'up/view.tsx',
    '..%2fview.tsx',
    '%2e%2e%2fview.tsx',
    '',
    'none',
  ])
    expect({ path, status: (await page(`/bad/static/${path}`)).status }).toEqual({ path, status: 404 });
  expect((await page('/throws/../bad/static/%00')).status).toBe(404);
});

test('an external database: they read as a role that may not write, or not at all', async () => {
  const server = await externalServer(place);
  const reading = server.url.replace(`fleet:${PASSWORD}`, 'plugins:p4ss-r3ad');
  await server.admin`create role plugins login password 'p4ss-r3ad'`;
  mkdirSync(place.path('tmp'));
  const env = { TELEMETRICSD_DATABASE_URL: server.url, TMPDIR: place.path('tmp') };
  const other = await place.start({ args: ['--config', writeConfig(['kernels', 'bad'])], env });
  expect((await page('/kernels', {}, other)).text).toContain(
    'plugins need a role of their own in the database of database.url',
  );

  async function reloadWith(url: string) {
    writeConfig(['kernels', 'bad'], url);
    await reload(other);
    return page('/kernels', {}, other);
  }
  expect((await reloadWith(server.url)).text).toContain('the role fleet of plugins.database_url may write');
  expect((await reloadWith(reading.replace('r3ad', 'wrong'))).text).toContain('plugins can&#39;t read as the role');
  await server.admin`grant pg_read_all_data to plugins`;
  expect((await reloadWith(reading)).text).toContain('may read more than analysts see (the table ');
  await server.admin`revoke pg_read_all_data from plugins`;
  expect((await reloadWith(reading)).status).toBe(200);
  const written = await page(`/bad/sql?${new URLSearchParams({ q: 'delete from records' })}`, {}, other);
  expect(written.text).toBe('42501');
  expect(other.output()).not.toMatch(/p4ss/);
  expect((await other.stop()).code).toBe(0);
  expect(readdirSync(place.path('tmp'))).toEqual([]);
});

test('one that loops for ever keeps nobody else waiting and is stopped', async () => {
  const load = startLoad(program.port, { connections: 8 });
  await eventually('records are stored', () => load.acknowledged.size > 20);
  await load.stop();
  expect(load).toMatchObject({ statuses: { 201: load.acknowledged.size }, broken: 0 });
  expect(Object.keys(load.statuses)).toEqual(['201']);
  const response = await looping;
  expect(response.status).toBe(500);
  expect(await response.text()).toContain('it did not answer within 10 seconds and was stopped');
  expect((await page('/loop/fine')).text).toBe('fine');
});

test('SIGHUP loads them anew: under load nothing is lost, and nothing of the old ones stays', async () => {
  writeConfig(['kernels', 'one']);
  const answers: Record<string, number> = {};
  let done = false;
  async function read() {
    while (!done) {
      const { status } = await page('/kernels').catch(() => ({ status: 0 }));
      answers[status] = (answers[status] ?? 0) + 1;
    }
  }
  const load = startLoad(program.port, { connections: 2 });
  const readers = [read(), read()];
  for (let n = 1; n <= 5; n++) {
    writePlugin(
      'one',
      `import { Hono } from 'hono';\nexport const title = 'One ${n}';\nexport const app = new Hono().get('/', c => c.text('${n}'));`,
    );
    await reload(program);
    expect((await page('/one')).text).toBe(String(n));
  }
  done = true;
  await Promise.all([...readers, load.stop()]);
  expect(Object.keys(answers)).toEqual(['200']);
  expect(load).toMatchObject({ statuses: { 201: load.acknowledged.size }, broken: 0 });
  expect(Object.keys(load.statuses)).toEqual(['201']);
  expect((await page('/bad/headers')).status).toBe(404);
  expect((await page('/kernels')).text).toContain('One 5');
  await eventually('two processes are left', () => pluginProcesses().length === 2);
});

async function reload(of: Program) {
  const loads = () => of.output().match(/plugins are loaded/g)?.length ?? 0;
  const before = loads();
  process.kill(of.pid, 'SIGHUP');
  await eventually('plugins are loaded again', () => loads() > before);
}

function pluginProcesses() {
  return childrenOf(program.pid).filter(pid => commandLineOf(pid).includes('plugin-process'));
}

test('a configuration with a mistake leaves them as they are', async () => {
  writeFileSync(config, '[plugins]\nenabled = ["Kernels!"]\n');
  process.kill(program.pid, 'SIGHUP');
  await eventually('the mistake is logged', () => program.output().includes('plugins stay as they are'));
  expect((await page('/kernels')).status).toBe(200);
  writeConfig(['kernels']);
});

test('their processes end with the server, however it ends', async () => {
  const processes = pluginProcesses();
  await program.kill();
  await eventually('they are gone', () => !processes.some(isAlive));
  const sockets = `telemetricsd-plugins-${program.pid}-`;
  expect(readdirSync(tmpdir()).some(name => name.startsWith(sockets))).toBe(true);
  await place.run(['plugin', 'list', '--config', writeConfig(['kernels'])]);
  expect(readdirSync(tmpdir()).filter(name => name.startsWith(sockets))).toEqual([]);
});

test('plugin list tries them; init leaves what is there and renews the declarations', async () => {
  const view = place.path('plugins/kernels/view.tsx');
  writeFileSync(view, `${readFileSync(view, 'utf8')}\n// mine\n`);
  rmSync(place.path('plugins/kernels/telemetricsd.d.ts'));
  const again = await place.run(['plugin', 'init', 'kernels', '--config', config]);
  expect(again.stdout).toBe(
    `Written:\n  ${place.path('plugins/kernels/telemetricsd.d.ts')}\nIt is enabled: SIGHUP lets a running server load it again.\n`,
  );
  expect(readFileSync(view, 'utf8')).toEndWith('// mine\n');
  const listed = await place.run(['plugin', 'list', '--config', config]);
  expect(listed.code).toBe(0);
  expect(listed.stdout).toContain('kernels (enabled): "Kernels"\n');
  expect(listed.stdout).toContain("syntax (not enabled) can't be loaded:\n");
  const wrong = await place.run(['plugin', 'init', '../x', '--config', config]);
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('Names have 1 to 40 characters');
});
