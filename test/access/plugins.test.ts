import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import { createLog } from '../../src/log.ts';
import { type Plugins, startPlugins } from '../../src/plugins/plugins.ts';
import type { Role } from '../../src/roles.ts';
import { type AccountsApp, accountsApp, SITE } from './accounts-app.ts';

const VIEW = `
import { Hono } from 'hono';
import { Page } from 'telemetricsd';
export const title = 'Who';
export const app = new Hono()
  .get('/', c => c.json([c.env.user, c.req.header(), c.env.frame]))
  .get('/page', c => c.html(<Page frame={c.env.frame} title="Who" />))
  .post('/', c => c.text('done'));
`;

/** A visitor sees nothing of the broken one. */
const log = createLog('error', 'text', () => {});

let accounts: AccountsApp;
let plugins: Plugins;
let app: App;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'telemetricsd-test-'));
  mkdirSync(join(directory, 'who/static'), { recursive: true });
  writeFileSync(join(directory, 'who/view.tsx'), VIEW);
  writeFileSync(join(directory, 'who/static/a.css'), '');
  mkdirSync(join(directory, 'broken'));
  writeFileSync(join(directory, 'broken/view.ts'), `throw new Error('not today');`);
  accounts = await accountsApp();
  const { config, database, collector } = accounts;
  plugins = startPlugins({ settings: () => ({ enabled: ['who', 'broken'] }), directory, database, log });
  app = createApp(
    { config, database, collector, log, plugins },
    { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves: 'all' },
  );
});

afterAll(async () => {
  await plugins.stop();
  await accounts.close();
  rmSync(directory, { recursive: true });
});

async function ask(as: Role | undefined, method: string, path = '', plugin = 'who') {
  const answer = await app.request(
    `${SITE}/telemetryui/plugins/${plugin}${path}`,
    {
      method,
      headers: {
        Host: 'localhost:8080',
        'Sec-Fetch-Site': 'same-origin',
        ...(as && { Cookie: `telemetricsd=${accounts.cookies[as]}` }),
      },
    },
    { address: '192.0.2.1' },
  );
  return { status: answer.status, text: await answer.text() };
}

test('someone without an account sees nothing of a plugin', async () => {
  for (const path of ['', '/page', '/static/a.css']) expect((await ask(undefined, 'GET', path)).status).not.toBe(200);
  expect((await ask(undefined, 'POST')).status).not.toBe(200);
});

test.each([
  ['viewer', 403],
  ['analyst', 200],
  ['admin', 200],
] as const)(
  'a plugin is told that a %s looks at it, and nothing of the session; changing something: %d',
  async (role, status) => {
    const { text } = await ask(role, 'GET');
    expect(JSON.parse(text)[0]).toEqual({ name: `the-${role}`, role });
    expect(text).not.toContain(accounts.cookies[role]);
    expect(text).not.toContain('sessionId');
    expect((await ask(role, 'GET', '/page')).text).toContain(`the-${role}`);
    expect((await ask(role, 'GET', '/static/a.css')).status).toBe(200);
    expect((await ask(role, 'POST')).status).toBe(status);
  },
);

test.each(['nobody', '%00', 'a%0d%0ax-fuzz:%201', '%E2%80%A8', '%ff', '..%2f..'])(
  'there is no plugin called %s',
  async name => {
    for (const path of ['', '/', '/page', '/static/a.css'])
      expect([path, (await ask('admin', 'GET', path, name)).status]).toEqual([path, 404]);
  },
);

test('only administrators see why a plugin could not be loaded', async () => {
  for (const [role, told] of [
    ['viewer', false],
    ['analyst', false],
    ['admin', true],
  ] as const) {
    const { status, text } = await ask(role, 'GET', '', 'broken');
    expect([role, status, text.includes('not today')]).toEqual([role, 503, told]);
    expect(text).toContain('This plugin could not be loaded');
  }
});
