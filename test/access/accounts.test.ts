import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startSession } from '../../src/access/sessions.ts';
import { addToken, listTokens } from '../../src/access/tokens.ts';
import { addUser } from '../../src/access/users.ts';
import { needsAccounts } from '../../src/config/access-mode.ts';
import type { Role } from '../../src/roles.ts';
import { appOn, submit, testConfig } from '../app.ts';
import { type AccountsApp, accountsApp, cookieOf, PASSWORD, SITE } from './accounts-app.ts';

let server: AccountsApp;
beforeAll(async () => {
  server = await accountsApp();
});
afterAll(() => server.close());

const signIn = (form: Record<string, string>, address = '192.0.2.1') =>
  server.ask('nobody', 'POST', '/telemetryui/login', { form, address });

const newest = async () => (await server.database.sql`select * from audit order by id desc limit 1`)[0]!;

describe('whether people must sign in', () => {
  const cases: [listen: string, env: Record<string, string>, expected: boolean | 'refused'][] = [
    ['127.0.0.1:8080', {}, false],
    ['[::1]:8080', {}, false],
    ['localhost:8080', {}, false],
    ['unix:/run/x.sock', {}, false],
    ['127.0.0.1:8080,:8081=collector', {}, false],
    [':8080', {}, true],
    ['0.0.0.0:8080', {}, true],
    ['192.0.2.1:8080', {}, true],
    ['127.example.org:8080', {}, true],
    ['127.0.0.1:8080,192.0.2.1:8080=pages', {}, true],
    ['127.0.0.1:8080', { MODE: 'accounts' }, true],
    ['127.0.0.1:8080', { MODE: 'open' }, false],
    [':8080', { MODE: 'open' }, 'refused'],
    [':8080', { MODE: 'open', ALLOW_OPEN: 'true' }, false],
    [':8080', { ALLOW_OPEN: 'true' }, false],
    [':8080', { MODE: 'accounts', ALLOW_OPEN: 'true' }, true],
  ];
  test.each(cases)('on %s with %j: %p', (listen, env, expected) => {
    const named = Object.entries(env).map(([key, value]) => [`TELEMETRICSD_ACCESS_${key}`, value]);
    const config = () => testConfig({ TELEMETRICSD_HTTP_LISTEN: listen, ...Object.fromEntries(named) });
    if (expected === 'refused') expect(config).toThrow('shows pages to whoever can reach it');
    else expect(needsAccounts(config())).toBe(expected);
  });
});

describe('signing in', () => {
  test('starts a new session, whatever cookie the browser sends', async () => {
    const fixed = 'telemetricsd=chosen-by-an-attacker';
    const form = { name: 'THE-viewer', password: PASSWORD };
    const answer = await server.ask('nobody', 'POST', '/telemetryui/login', { form, headers: { Cookie: fixed } });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/telemetryui']);
    expect(answer.headers.get('set-cookie')).toMatch(/^telemetricsd=[\w-]{43}; .*HttpOnly; SameSite=Lax$/);
    expect(cookieOf(answer)).not.toBe(fixed);
    const headers = { Cookie: cookieOf(answer)! };
    expect((await server.ask('nobody', 'GET', '/telemetryui', { headers })).status).toBe(200);
    expect((await server.ask('nobody', 'GET', '/telemetryui', { headers: { Cookie: fixed } })).status).toBe(303);
    expect(await newest()).toMatchObject({
      who: 'the-viewer',
      via: 'password',
      address: '192.0.2.1',
      action: 'signed in',
    });
  });

  test.each([
    ['/telemetryui/records?os=debian&from=2026-11-23', true],
    ['/telemetryui/crashes/43010', true],
    ['https://evil.example/', false],
    ['//evil.example/', false],
    ['/\\evil.example', false],
    ['/telemetryui\\@evil.example', false],
    ['/telemetryui/records\r\nSet-Cookie: a=b', false],
    ['/telemetryuix', false],
    ['/telemetryui/login?next=/telemetryui', false],
    ['', false],
  ])('leads back to %p only if it is our own page', async (next, allowed) => {
    const answer = await signIn({ name: 'the-viewer', password: PASSWORD, next });
    expect(answer.headers.get('location')).toBe(allowed ? next : '/telemetryui');
    expect(answer.headers.get('set-cookie')).not.toContain('a=b');
  });

  test('over TLS sets a cookie that no other host can set', async () => {
    const behind = await accountsApp({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://telemetry.example.org' });
    try {
      const form = { name: 'the-admin', password: PASSWORD };
      const headers = { Host: 'telemetry.example.org' };
      const answer = await behind.ask('nobody', 'POST', '/telemetryui/login', { form, headers });
      expect(answer.headers.get('set-cookie')).toMatch(
        /^__Host-telemetricsd=[\w-]{43}; .*Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const strange = { Host: 'evil.example' };
      expect((await behind.ask('nobody', 'GET', '/telemetryui/login', { headers: strange })).status).toBe(403);
    } finally {
      await behind.close();
    }
  });

  test('fails the same way for a wrong password and an unknown name, and the audit does not show the typed name', async () => {
    for (const name of ['the-analyst', 'no-such-account', 'my-password-by-mistake']) {
      const answer = await signIn({ name, password: 'wrong wrong wrong' }, '192.0.2.77');
      expect(answer.status).toBe(401);
      expect(await answer.text()).toContain('Name or password is wrong.');
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    const entries = await server.database.sql`select * from audit where action = 'failed to sign in' order by id`;
    expect(JSON.stringify(entries)).not.toContain('my-password-by-mistake');
    expect(entries.map(({ who, address }) => [who, address])).toEqual([
      ['the-analyst', '192.0.2.77'],
      ['nobody', '192.0.2.77'],
      ['nobody', '192.0.2.77'],
    ]);
  });

  test('is refused after five wrong passwords from an address, but not from other addresses, and not for ever', async () => {
    const form = { name: 'the-admin', password: 'wrong wrong wrong' };
    for (let n = 0; n < 5; n++) expect((await signIn(form, '2001:db8:1:2::1')).status).toBe(401);
    for (const password of ['wrong wrong wrong', PASSWORD]) {
      const answer = await signIn({ name: 'the-admin', password }, '2001:db8:1:2:ffff::2');
      expect(answer.status).toBe(429);
      expect(await answer.text()).toContain('oo many wrong passwords');
    }
    expect((await signIn({ name: 'the-admin', password: PASSWORD }, '2001:db8:1:3::1')).status).toBe(303);
    await server.database.sql`update sign_in_failures set at = at - interval '16 minutes'`;
    expect((await signIn({ name: 'the-admin', password: PASSWORD }, '2001:db8:1:2::1')).status).toBe(303);
  });

  test('guesses sent at once are limited like guesses sent one by one, and do not hold up the server', async () => {
    const form = { name: 'the-admin', password: 'wrong wrong wrong' };
    const answers = await Promise.all(Array.from({ length: 130 }, () => signIn(form, '203.0.113.130')));
    const tried = Map.groupBy(answers, ({ status }) => status);
    expect([...tried.keys()].sort()).toEqual([401, 429, 503]);
    expect(tried.get(401)!.length).toBeLessThan(8);
    await server.database.sql`delete from sign_in_failures`;
  });

  test('an attack on an account from everywhere does not lock out known addresses', async () => {
    expect((await signIn({ name: 'the-analyst', password: PASSWORD }, '198.51.100.7')).status).toBe(303);
    await server.database.sql`
      insert into sign_in_failures (account, address) select 'the-analyst', '203.0.113.' || n from generate_series(1, 60) n`;
    expect((await signIn({ name: 'the-analyst', password: PASSWORD }, '198.51.100.99')).status).toBe(429);
    expect((await signIn({ name: 'the-analyst', password: PASSWORD }, '198.51.100.7')).status).toBe(303);
    await server.database.sql`delete from sign_in_failures`;
  });

  test('must come from our own page', async () => {
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'none' }]) {
      const answer = await submit(
        server.app,
        '/telemetryui/login',
        { name: 'the-viewer', password: PASSWORD },
        headers,
      );
      expect(answer.status).toBe(403);
    }
  });
});

describe('a session', () => {
  const alive = async (cookie: string) =>
    (await server.ask('nobody', 'GET', '/telemetryui/records', { headers: { Cookie: cookie } })).status === 200;
  const begun = async () => cookieOf(await signIn({ name: 'the-viewer', password: PASSWORD }))!;

  test.each([
    ['seen_at', '11 hours', true],
    ['seen_at', '13 hours', false],
    ['created_at', '6 days', true],
    ['created_at', '8 days', false],
  ])('whose %s was %s ago is alive: %p', async (column, ago, expected) => {
    const cookie = await begun();
    const { sql } = server.database;
    await sql`update sessions set ${sql(column)} = now() - ${ago}::interval where id = (select max(id) from sessions)`;
    expect(await alive(cookie)).toBe(expected);
  });

  test('ends by signing out, and its cookie no longer works', async () => {
    const cookie = await begun();
    const answer = await server.ask('nobody', 'POST', '/telemetryui/logout', { headers: { Cookie: cookie }, form: {} });
    expect(answer.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await alive(cookie)).toBe(false);
  });

  test('can be ended only by its owner', async () => {
    const [mine, other] = [await begun(), await begun()];
    const { sql } = server.database;
    const [{ id }] = await sql<[{ id: number }]>`select max(id) as id from sessions`;
    await server.ask('analyst', 'POST', '/telemetryui/account/sessions', { form: { id: String(id) } });
    expect(await alive(other)).toBe(true);
    const page = await server.ask('nobody', 'GET', '/telemetryui/account', { headers: { Cookie: mine } });
    expect(await page.text()).toContain('this session');
    await server.ask('nobody', 'POST', '/telemetryui/account/sessions', {
      headers: { Cookie: mine },
      form: { id: String(id) },
    });
    expect([await alive(mine), await alive(other)]).toEqual([true, false]);
  });

  test('a new password needs the old one and ends all other sessions', async () => {
    const [mine, other] = [await begun(), await begun()];
    const change = (form: Record<string, string>) =>
      server.ask('nobody', 'POST', '/telemetryui/account/password', { headers: { Cookie: mine }, form });
    const password = 'another good one';
    expect((await change({ current: 'not that one', password, repeated: password })).status).toBe(400);
    expect(await (await change({ current: PASSWORD, password: 'short', repeated: 'short' })).text()).toContain(
      'at least 10',
    );
    expect(await (await change({ current: PASSWORD, password, repeated: 'else' })).text()).toContain(
      'the same password again',
    );
    const changed = await change({ current: PASSWORD, password, repeated: password });
    expect(changed.status).toBe(303);
    expect([await alive(mine), await alive(other), await alive(cookieOf(changed)!)]).toEqual([false, false, true]);
    expect((await signIn({ name: 'the-viewer', password: PASSWORD })).status).toBe(401);
    expect((await signIn({ name: 'the-viewer', password })).status).toBe(303);
  });
});

describe('an admin', () => {
  const add = (form: Record<string, string>) => server.ask('admin', 'POST', '/telemetryui/users', { form });

  test('adds a user with a link, which works once and signs in', async () => {
    const html = await (await add({ name: 'bob <b>', role: 'analyst' })).text();
    const [, path = ''] = /http:\/\/localhost:8080(\/telemetryui\/links\/[\w-]{43})/.exec(html) ?? [];
    expect(html).toContain('bob &lt;b&gt;');
    const page = await server.ask('nobody', 'GET', path);
    expect(await page.text()).toContain('Choose a password for bob &lt;b&gt;');
    const form = { password: PASSWORD, repeated: PASSWORD, name: 'someone-else' };
    const [first, second] = await Promise.all([1, 2].map(() => server.ask('nobody', 'POST', path, { form })));
    expect([first!.status, second!.status].sort()).toEqual([303, 404]);
    expect((await server.ask('nobody', 'GET', path)).status).toBe(404);
    expect((await signIn({ name: 'bob <b>', password: PASSWORD })).status).toBe(303);
    expect((await signIn({ name: 'someone-else', password: PASSWORD })).status).toBe(401);
  });

  test.each([
    [{ name: 'the-viewer', role: 'viewer' }, 'this name is taken'],
    [{ name: 'The-Viewer', role: 'viewer' }, 'this name is taken'],
    [{ name: ' spaced', role: 'viewer' }, 'no space at either end'],
    [{ name: '', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'nimda\u202eadmin', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'ad\u200bmin', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'admin\u2028', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'admin\u3164', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'admin\u00a0', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'ad\u{e0061}min', role: 'viewer' }, '1 to 64 printable'],
    [{ name: 'carl', role: 'root' }, 'expected viewer, analyst, admin'],
  ])('sees at the field what is wrong with %j', async (form, message) => {
    const answer = await add(form);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(message);
  });

  test.each(['Ann Ü. O’Neil', '李 雷', 'علی رضا', 'नमस्ते', 'ann+1@example.org'])('takes %s', async name => {
    expect((await add({ name, role: 'viewer' })).status).toBe(200);
  });

  test('changes roles with immediate effect, and removes accounts with their sessions', async () => {
    const id = String(server.userIds.analyst);
    const retry = () => server.ask('analyst', 'POST', '/telemetryui/crashes/retries', { form: {} });
    expect((await retry()).status).toBe(303);
    await server.ask('admin', 'POST', '/telemetryui/users/roles', { form: { id, role: 'viewer' } });
    expect((await retry()).status).toBe(403);
    expect(await newest()).toMatchObject({
      who: 'the-admin',
      action: 'set the role',
      subject: 'user the-analyst',
      before: { role: 'analyst' },
      after: { role: 'viewer' },
    });
    await server.ask('admin', 'POST', '/telemetryui/users/removals', { form: { id } });
    expect((await server.ask('analyst', 'GET', '/telemetryui')).status).toBe(303);
  });

  test.each(['account/sessions', 'users/roles', 'users/links', 'users/removals', 'tokens/removals'])(
    'is told that no id of %s is so large',
    async path => {
      const form = { id: String(2 ** 31), role: 'viewer' };
      const answer = await server.ask('admin', 'POST', `/telemetryui/${path}`, { form });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('from 0 to 2147483647')]);
    },
  );

  test('can remove every admin except the last', async () => {
    const id = String(server.userIds.admin);
    for (const [path, form] of [
      ['roles', { id, role: 'viewer' }],
      ['removals', { id }],
    ] as const) {
      const answer = await server.ask('admin', 'POST', `/telemetryui/users/${path}`, { form });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('he-admin is the last admin');
    }
  });
});

describe('a token', () => {
  test('is shown once, stored as a hash, works, and can be removed', async () => {
    const form = { name: 'nightly', scope: 'records:read', days: '30' };
    const html = await (await server.ask('admin', 'POST', '/telemetryui/tokens', { form })).text();
    const [token = ''] = /tmd_[\w-]{43}/.exec(html) ?? [];
    const use = (headers: Record<string, string>) => server.ask('nobody', 'GET', '/api/records', { headers });
    expect((await use({ Authorization: `Bearer ${token}` })).status).toBe(200);
    const [row] = await server.database.sql`select t::text as row from tokens t where name = 'nightly'`;
    expect(row!.row).not.toContain(token);
    const [used] = (await listTokens(server.database.sql)).filter(({ name }) => name === 'nightly');
    expect(used!.usedAt).not.toBeNull();
    expect(await (await server.ask('admin', 'GET', '/telemetryui/tokens')).text()).not.toContain(token);
    await server.ask('admin', 'POST', '/telemetryui/tokens/removals', { form: { id: String(used!.id) } });
    const refused = await use({ Authorization: `Bearer ${token}` });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="telemetricsd", error="invalid_token"',
    ]);
  });

  test('stops working when it expires', async () => {
    const { sql } = server.database;
    const token = await addToken(sql, { name: 'short', scopes: ['records:read'], days: 1, createdBy: 'test' });
    const headers = { Authorization: `Bearer ${token}` };
    expect((await server.ask('nobody', 'GET', '/api/records', { headers })).status).toBe(200);
    await sql`update tokens set expires_at = now() where name = 'short'`;
    expect((await server.ask('nobody', 'GET', '/api/records', { headers })).status).toBe(401);
  });

  test('that is wrong is refused even beside a valid session', async () => {
    const headers = { Authorization: 'Bearer tmd_wrong' };
    expect((await server.ask('admin', 'GET', '/api/records', { headers })).status).toBe(401);
  });

  test('may change what its scope allows, without an Origin, and the audit names it', async () => {
    const answer = await server.app.request(`${SITE}/api/never-guilty`, {
      method: 'POST',
      headers: {
        Host: 'localhost:8080',
        Authorization: `Bearer ${await addToken(server.database.sql, { name: 'ci', scopes: ['analysis:write'], days: 1, createdBy: 'test' })}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ function: 'my_abort()', module: '/usr/lib/my.so' }),
    });
    expect(answer.status).toBe(201);
    expect(await newest()).toMatchObject({
      who: 'token ci',
      action: 'changed the never-guilty list',
      after: { added: [{ function: 'my_abort()', module: '/usr/lib/my.so' }] },
    });
  });
});

describe('a proxy that authenticates', () => {
  let behind: AccountsApp;
  beforeAll(async () => {
    behind = await accountsApp({
      TELEMETRICSD_ACCESS_TRUSTED_HEADER: 'X-Remote-User',
      TELEMETRICSD_ACCESS_TRUSTED_PROXIES: '10.0.0.5,2001:db8::/64,unix',
    });
  });
  afterAll(() => behind.close());

  test.each([
    ['10.0.0.5', 200],
    ['::ffff:10.0.0.5', 200],
    ['2001:db8::77', 200],
    [null, 200],
    ['10.0.0.6', 303],
    ['2001:db9::77', 303],
  ])('is believed from %p: %d', async (address, status) => {
    const headers = { 'X-Remote-User': 'the-viewer' };
    expect((await behind.ask('nobody', 'GET', '/telemetryui/records', { headers, address })).status).toBe(status);
  });

  test('brings its users with their roles, new ones as viewers', async () => {
    const ask = (name: string, path: string) =>
      behind.ask('nobody', 'GET', path, { headers: { 'X-Remote-User': name }, address: '10.0.0.5' });
    expect((await ask('the-admin', '/telemetryui/users')).status).toBe(200);
    const first = await Promise.all([1, 2, 3].map(() => ask('newcomer', '/telemetryui/users')));
    expect(first.map(({ status }) => status)).toEqual([403, 403, 403]);
    const added = await behind.database.sql`select who, via, address, subject from audit where action = 'added a user'`;
    expect([...added]).toEqual([{ who: 'newcomer', via: 'proxy', address: '10.0.0.5', subject: 'user newcomer' }]);
    const html = await (await ask('the-admin', '/telemetryui/users')).text();
    expect(html).toContain('newcomer');
    expect(html).not.toContain('Sign out');
  });
});

test.each([
  ['198.51.100.7', '10.0.0.5', '198.51.100.7'],
  ['203.0.113.9, 198.51.100.7, 10.0.0.6', '10.0.0.5', '198.51.100.7'],
  ['203.0.113.9,[2001:db8::7]:4711', '10.0.0.5', '2001:db8::7'],
  ['198.51.100.7:4711', null, '198.51.100.7'],
  ['nonsense', '10.0.0.5', '10.0.0.5'],
  ['198.51.100.7, nonsense', '10.0.0.5', '10.0.0.5'],
  ['10.0.0.6', '10.0.0.5', '10.0.0.5'],
  ['198.51.100.7', '192.0.2.1', '192.0.2.1'],
])('behind proxies that say "%s", asked by %p, a request comes from %p', async (told, address, expected) => {
  const config = testConfig({
    TELEMETRICSD_ACCESS_MODE: 'accounts',
    TELEMETRICSD_ACCESS_FORWARDED_HEADER: 'X-Forwarded-For',
    TELEMETRICSD_ACCESS_TRUSTED_PROXIES: '10.0.0.0/24,unix',
  });
  const { app } = await appOn(server.database, config);
  const headers = { Host: 'localhost:8080', 'Sec-Fetch-Site': 'same-origin', 'X-Forwarded-For': told };
  const body = new URLSearchParams({ name: 'the-admin', password: PASSWORD });
  const answer = await app.request(`${SITE}/telemetryui/login`, { method: 'POST', headers, body }, { address });
  expect(answer.status).toBe(303);
  expect(await newest()).toMatchObject({ who: 'the-admin', action: 'signed in', address: expected });
});

test('a viewer sees no form that would be refused; the audit and its JSON show what was done', async () => {
  const { sql } = server.database;
  const pageFor = async (role: Role, path: string) => {
    // Earlier tests have ended sessions and removed users.
    const user = await addUser(sql, `${role} ${path}`, role);
    const session = await startSession(sql, user!.id, { address: '192.0.2.1', agent: '' });
    const answer = await server.ask('nobody', 'GET', path, { headers: { Cookie: `telemetricsd=${session}` } });
    return answer.text();
  };
  const html = await pageFor('viewer', '/telemetryui/crashes/guilty_edit/add');
  expect(html).toContain('<h1>');
  expect(html).not.toContain('<form method="post" action="/telemetryui/crashes');
  const [row] = await sql<{ id: number }[]>`
    insert into guilties (function, module, comment) values ('f()', 'm', 'known: <#123>') returning id`;
  const guilty = `/telemetryui/crashes/guilty_details/${row!.id}`;
  for (const role of ['viewer', 'analyst'] as const) {
    const page = await pageFor(role, guilty);
    expect(page).toContain('known: &lt;#123&gt;');
    expect(page.includes('method="post" action="/telemetryui/crashes')).toBe(role === 'analyst');
  }
  const audit = await server.ask('admin', 'GET', '/telemetryui/audit?who=the-admin');
  expect(await audit.text()).toContain('removed a user');
  const { entries } = (await (await server.ask('admin', 'GET', '/api/audit?action=signed%20in&limit=2')).json()) as {
    entries: { action: string }[];
  };
  expect(entries.map(({ action }) => action)).toEqual(['signed in', 'signed in']);
});
