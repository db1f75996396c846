import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Server } from 'node:http';
import { Provider } from 'oidc-provider';
import type { Browser } from 'playwright-core';
import { launchChromium, visit, withoutChromium } from '../chromium.ts';
import { type AccountsApp, accountsApp } from './accounts-app.ts';

const GROUPS: Record<string, string[]> = {
  alice: ['staff', 'telemetry-admins'],
  bert: ['staff'],
  carol: ['staff'],
  mallory: ['visitors'],
  'the-admin': ['staff'],
  'nimda-eht\u202e\u200b': ['staff'],
};

let server: AccountsApp;
let listening: ReturnType<typeof Bun.serve>;
let provider: Server;
let base: string;
let issuer: string;

/** What an attacker in between puts into the provider's answer to a code. */
let forge: ((answer: unknown) => { id_token: string }) | undefined;

/** A real provider that takes any account name and any password. */
function startProvider(port: number, redirectUri: string): Promise<Server> {
  const oidc = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: 'telemetricsd', client_secret: 'a-secret', redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, groups: GROUPS[id] ?? [] }),
    }),
  });
  oidc.use(async (context, next) => {
    await next();
    if (forge && context.path === '/token') context.body = { ...(context.body as object), ...forge(context.body) };
  });
  return new Promise(resolve => {
    const started = oidc.listen(port, '127.0.0.1', () => resolve(started));
  });
}

beforeAll(async () => {
  const [ours, theirs] = [
    Bun.serve({ port: 0, fetch: () => new Response() }),
    Bun.serve({ port: 0, fetch: () => new Response() }),
  ];
  base = `http://127.0.0.1:${ours.port}`;
  issuer = `http://127.0.0.1:${theirs.port}`;
  await Promise.all([ours.stop(), theirs.stop()]);
  server = await accountsApp({
    TELEMETRICSD_HTTP_PUBLIC_URL: base,
    TELEMETRICSD_OIDC_ISSUER: issuer,
    TELEMETRICSD_OIDC_CLIENT_ID: 'telemetricsd',
    TELEMETRICSD_OIDC_CLIENT_SECRET: 'a-secret',
    TELEMETRICSD_OIDC_ROLES: 'telemetry-admins=admin,staff=viewer',
  });
  provider = await startProvider(Number(new URL(issuer).port), `${base}/telemetryui/oidc/callback`);
  listening = Bun.serve({
    hostname: '127.0.0.1',
    port: Number(new URL(base).port),
    fetch: request => server.app.fetch(request, { address: '127.0.0.1' }),
  });
});
afterAll(async () => {
  await listening.stop(true);
  provider.closeAllConnections();
  provider.close();
  await server.close();
});

const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map(cookie => cookie.split(';')[0]!);

/** A browser's cookies for one site. */
function jar() {
  const cookies = new Map<string, string>();
  return async (url: string, init: RequestInit = {}) => {
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), Cookie: [...cookies.values()].join('; ') },
    });
    for (const cookie of cookiesOf(answer)) cookies.set(cookie.split('=')[0]!, cookie);
    return answer;
  };
}

/** Signs in with the provider; resolves to the address to which it sends the browser back. */
async function authorize(href: string, login: string): Promise<string> {
  const ask = jar();
  let answer = await ask(href);
  for (let steps = 0; steps < 12; steps++) {
    const location = answer.headers.get('location');
    if (location?.startsWith(base)) return location;
    if (location) {
      answer = await ask(new URL(location, issuer).href);
      continue;
    }
    const html = await answer.text();
    const [, action = ''] = /<form[^>]*action="([^"]+)"/.exec(html) ?? [];
    const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1] ?? '';
    const body = new URLSearchParams({ prompt, login, password: 'any' });
    answer = await ask(new URL(action, issuer).href, { method: 'POST', body });
  }
  throw new Error('the provider did not send the browser back');
}

/** Begins to sign in; resolves to the provider's address and our browser. */
async function begin(next = '') {
  const ask = jar();
  const answer = await ask(`${base}/telemetryui/oidc?${new URLSearchParams({ next })}`);
  return { ask, href: answer.headers.get('location') ?? '' };
}

test('redirects to the provider with a new state, nonce and PKCE challenge each time', async () => {
  const asked = [await begin(), await begin()].map(({ href }) => new URL(href));
  for (const { origin, searchParams } of asked) {
    expect(origin).toBe(issuer);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: 'telemetricsd',
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${base}/telemetryui/oidc/callback`,
    });
  }
  for (const name of ['state', 'nonce', 'code_challenge']) {
    const values = asked.map(({ searchParams }) => searchParams.get(name)!);
    expect(values[0]!.length).toBeGreaterThan(30);
    expect(values[0]).not.toBe(values[1]);
  }
});

test.each([
  ['alice', 200],
  ['bert', 403],
])('%s gets the role of the groups: users page %d', async (login, status) => {
  const { ask, href } = await begin('/telemetryui/builds');
  const answer = await ask(await authorize(href, login));
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/telemetryui/builds']);
  expect((await ask(`${base}/telemetryui/users`)).status).toBe(status);
  const [row] = await server.database.sql`select who, via, action from audit order by id desc limit 1`;
  expect(row).toEqual({ who: login, via: 'provider', action: 'signed in' });
});

test('the role follows the groups at the next sign-in', async () => {
  GROUPS.alice = ['staff'];
  const { ask, href } = await begin();
  await ask(await authorize(href, 'alice'));
  expect((await ask(`${base}/telemetryui`)).status).toBe(200);
  expect((await ask(`${base}/telemetryui/users`)).status).toBe(403);
  const [row] = await server.database.sql`select who, via, before, after from audit where action = 'set the role'`;
  expect(row).toEqual({ who: 'alice', via: 'provider', before: { role: 'admin' }, after: { role: 'viewer' } });
});

test('someone who first signs in twice at once gets one account, which the audit shows', async () => {
  const both = await Promise.all([begin(), begin()]);
  const backs = await Promise.all(both.map(({ href }) => authorize(href, 'carol')));
  const answers = await Promise.all(both.map(({ ask }, n) => ask(backs[n]!)));
  expect(answers.map(({ status }) => status)).toEqual([303, 303]);
  const { sql } = server.database;
  expect([...(await sql`select name from users where oidc_subject like '% carol'`)]).toEqual([{ name: 'carol' }]);
  expect([...(await sql`select subject, after from audit where who = 'carol' and action = 'added a user'`)]).toEqual([
    { subject: 'user carol', after: { role: 'viewer' } },
  ]);
});

test('someone in none of the groups cannot sign in', async () => {
  const { ask, href } = await begin();
  const answer = await ask(await authorize(href, 'mallory'));
  expect(answer.status).toBe(403);
  expect(await answer.text()).toContain('one of your groups may enter');
  expect((await ask(`${base}/telemetryui`)).status).toBe(303);
});

test('a provider user with the name of an existing account does not get that account', async () => {
  const { ask, href } = await begin();
  await ask(await authorize(href, 'the-admin'));
  expect((await ask(`${base}/telemetryui/users`)).status).toBe(403);
  expect(await (await ask(`${base}/telemetryui/account`)).text()).toContain('the-admin (2)');
});

test('a name loses its invisible characters', async () => {
  const { ask, href } = await begin();
  await ask(await authorize(href, 'nimda-eht\u202e\u200b'));
  const html = await (await ask(`${base}/telemetryui/account`)).text();
  expect(html).toContain('<h1>nimda-eht</h1>');
});

describe('is refused', () => {
  const refused = async (answer: Response) => {
    expect(answer.status).toBe(403);
    expect(cookiesOf(answer).filter(cookie => /^(__Host-)?telemetricsd=./.test(cookie))).toEqual([]);
  };

  test('in another browser than the one that began', async () => {
    const { href } = await begin();
    await refused(await jar()(await authorize(href, 'bert')));
  });

  test('with the state of another sign-in of this browser', async () => {
    const first = await begin();
    const second = await begin();
    const back = new URL(await authorize(first.href, 'bert'));
    back.searchParams.set('state', new URL(second.href).searchParams.get('state')!);
    await refused(await first.ask(back.href));
  });

  test('a second time', async () => {
    const { ask, href } = await begin();
    const back = await authorize(href, 'bert');
    expect((await ask(back)).status).toBe(303);
    await refused(
      await jar()(back, { headers: { Cookie: `telemetricsd-sign-in=${new URL(href).searchParams.get('state')}` } }),
    );
  });

  test('when it began too long ago', async () => {
    const { ask, href } = await begin();
    const back = await authorize(href, 'bert');
    await server.database.sql`update oidc_sign_ins set expires_at = now()`;
    await refused(await ask(back));
  });

  test.each([
    ['nonce', 'another-nonce'],
    ['verifier', 'another-verifier-another-verifier-another-verifier'],
  ])('with another %s than it began with', async (column, value) => {
    const { ask, href } = await begin();
    const back = await authorize(href, 'bert');
    const { sql } = server.database;
    await sql`update oidc_sign_ins set ${sql(column)} = ${value}`;
    await refused(await ask(back));
  });

  test('with an ID token that the provider did not sign', async () => {
    const { ask, href } = await begin();
    const back = await authorize(href, 'bert');
    forge = answer => {
      const [header, payload, signature] = (answer as { id_token: string }).id_token.split('.');
      const claims = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), groups: ['telemetry-admins'] };
      return { id_token: [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.') };
    };
    try {
      await refused(await ask(back));
    } finally {
      forge = undefined;
    }
  });

  test('with a code that the provider never gave', async () => {
    const { ask, href } = await begin();
    const back = new URL(await authorize(href, 'bert'));
    back.searchParams.set('code', 'made-up');
    await refused(await ask(back.href));
  });
});

test('a provider that does not answer is reported as such', async () => {
  const away = await accountsApp({
    TELEMETRICSD_OIDC_ISSUER: 'http://127.0.0.1:9',
    TELEMETRICSD_OIDC_CLIENT_ID: 'telemetricsd',
    TELEMETRICSD_OIDC_ROLES: '*=viewer',
  });
  try {
    const answer = await away.ask('nobody', 'GET', '/telemetryui/oidc');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('cannot be reached');
  } finally {
    await away.close();
  }
});

describe.skipIf(withoutChromium('test/access/oidc.test.ts'))('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  test('people go to the provider and come back to the page they asked for; Sign out leaves', async () => {
    const complaints = await visit(browser, base, '/telemetryui/stats?days=7', async page => {
      await page.getByRole('link', { name: 'Sign in with your organisation' }).click();
      await page.locator('input[name=login]').fill('bert');
      await page.locator('input[name=password]').fill('any');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL(`${base}/telemetryui/stats?days=7`);
      expect(await page.locator('h1').textContent()).toBe('Stats');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${base}/telemetryui/login`);
      await page.goto(`${base}/telemetryui/stats`);
      expect(await page.locator('h1').textContent()).toBe('Sign in');
    });
    // The provider's pages load fonts from elsewhere.
    expect(complaints.filter(text => !/^Failed to load resource|^https:\/\/fonts\./.test(text))).toEqual([]);
  });

  test('a password signs in, with JavaScript off as well', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const complaints = await visit(
        browser,
        base,
        '/telemetryui/users',
        async page => {
          await page.getByLabel('Name').fill('the-admin');
          await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
          await page.getByRole('button', { name: 'Sign in', exact: true }).click();
          await page.waitForURL(`${base}/telemetryui/users`);
          expect(await page.locator('h1').textContent()).toBe('Users');
        },
        { options: { javaScriptEnabled } },
      );
      expect(complaints).toEqual([]);
    }
  });
});
