import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { appOn, type TestApp, TID, testApp, testConfig } from '../app.ts';

const SOURCE = resolve(import.meta.dir, '../../src/probe');

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

const ask = (path: string, host = 'localhost:8080', app = server.app) =>
  Promise.resolve(app.request(`http://${host}${path}`, { headers: { Host: host } }));

test.each(['telemetricsd-probe.sh', 'telemetricsd-probe.service', 'telemetricsd-probe.timer'])(
  '%s is served as it is',
  async name => {
    const answer = await ask(`/probe/${TID}/${name}`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(readFileSync(join(SOURCE, name), 'utf8'));
  },
);

test('the installer says where machines report to, and ends with the call of main', async () => {
  const answer = await ask(`/probe/${TID.toUpperCase()}`, 'stats.example:8080');
  expect(answer.headers.get('content-type')).toBe('text/x-shellscript; charset=utf-8');
  const text = await answer.text();
  expect(text).toContain(`\nserver='http://stats.example:8080'\ntid='${TID}'\n`);
  expect(text).not.toMatch(/^@[A-Z]+@$/m);
  expect(text.trimEnd()).toEndWith('main "$@"');
});

test('the configuration is two lines', async () => {
  const text = await (await ask(`/probe/${TID}/telemetricsd-probe.conf`, '[2001:db8::1]:8080')).text();
  expect(text).toBe(`server = http://[2001:db8::1]:8080\ntid = ${TID}\n`);
});

test('http.public_url goes before the address by which it is asked for', async () => {
  const config = testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://stats.example' });
  const { app } = await appOn(server.database, config, 'collector');
  expect(await (await ask(`/probe/${TID}`, 'elsewhere', app)).text()).toContain("server='https://stats.example'\n");
});

test.each(['telemetrics_server:8080', 'a-b.example', '10.0.0.1:65535'])('%s is a plain name', async host => {
  const { status } = await server.app.request(`http://localhost/probe/${TID}`, { headers: { Host: host } });
  expect(status).toBe(200);
});

test.each([`/probe/${TID}/`, `//probe//${TID}/telemetricsd-probe.sh/`])('slashes do not matter: %s', async path => {
  expect((await ask(path)).status).toBe(200);
});

test.each([`/probe/${TID}`, `/probe/${TID}/telemetricsd-probe.sh`])('%s is for GET alone', async path => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await server.app.request(path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  }
  expect((await server.app.request(path, { method: 'HEAD', headers: { Host: 'localhost' } })).status).toBe(200);
  expect((await server.app.request(path, { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
});

test.each(["a'b", 'a b', 'a..b', '.a', 'a:0', 'a:65536', 'a:', '_:x', '$(id)', '-x', 'a..b-', ''])(
  'a Host that is no plain name is refused: %s',
  async Host => {
    const answer = await server.app.request(`http://localhost/probe/${TID}`, { headers: { Host } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain('#!/bin/sh');
  },
);

test.each([
  ['/probe/00000000-0000-4000-8000-000000000000', 'this TID is unknown here'],
  ['/probe/%3Cscript%3E', 'this TID is unknown here'],
  [`/probe/${TID}/README.md`, 'the probe has the files'],
  [`/probe/${TID}/..%2Finstall.sh`, 'the probe has the files'],
])('%s is 404 and not repeated', async (path, message) => {
  const answer = await ask(path);
  expect(answer.status).toBe(404);
  const text = await answer.text();
  expect(text).toContain(message);
  expect(text).not.toMatch(/script>|00000000-0000/);
});

test('addresses that serve pages alone have no probe', async () => {
  const { app } = await appOn(server.database, server.config, 'pages');
  expect((await ask(`/probe/${TID}`, 'localhost:8080', app)).status).toBe(404);
});
