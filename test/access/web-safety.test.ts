import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type App, createApp } from '../../src/app.ts';
import type { Listener } from '../../src/config/listener.ts';
import { appOn, get, post, recordHeaders, send, submit, type TestApp, testApp, testConfig } from '../app.ts';
import { quietLog } from '../database.ts';

let server: TestApp;
let behindProxy: App;
beforeAll(async () => {
  server = await testApp();
  const config = testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: 'https://Telemetry.example.org:8443' });
  behindProxy = (await appOn(server.database, config)).app;
});
afterAll(() => server.close());

const PAGES = [
  '/telemetryui',
  '/telemetryui/records',
  '/telemetryui/quarantine',
  '/telemetryui/connect',
  '/api/records',
];

function listeningOn(host: string, serves: Listener['serves'] = 'all') {
  const { config, database, collector } = server;
  const listener: Listener = { address: `${host}:8080`, host, port: 8080, serves };
  return createApp({ config, database, collector, log: quietLog }, listener);
}

describe('the Host of a request to a loopback listener', () => {
  test.each(['localhost', 'localhost:8080', 'LocalHost:1', '127.0.0.1', '127.0.0.1:8080', '[::1]', '[::1]:8080'])(
    'may be %s',
    async Host => {
      for (const path of PAGES) expect((await get(server.app, path, { Host })).status).toBeLessThan(400);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:8080',
    'evil.example:8080',
    '::1',
    '',
    '127.0.0.2',
  ])('may not be %p', async Host => {
    for (const path of PAGES) {
      const answer = await get(server.app, path, { Host });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.text()).toContain('localhost, 127.0.0.1 and [::1] only');
    }
  });

  test('may be the host of http.public_url', async () => {
    expect((await get(behindProxy, '/api/records', { Host: 'telemetry.example.org:8443' })).status).toBe(200);
    expect((await get(behindProxy, '/api/records', { Host: 'localhost:8080' })).status).toBe(200);
    expect((await get(behindProxy, '/api/records', { Host: 'telemetry.example.org' })).status).toBe(403);
  });

  test.each([
    ['https://name.example', 'name.example:443', 200],
    ['https://name.example', 'NAME.example', 200],
    ['https://name.example:443', 'name.example', 200],
    ['http://name.example', 'name.example:80', 200],
    ['https://name.example', 'name.example:80', 403],
    ['http://name.example', 'name.example:443', 403],
    ['https://name.example:8443', 'name.example:8443', 200],
    ['https://name.example:8443', 'name.example:443', 403],
    ['https://[2001:db8::1]', '[2001:db8::1]:443', 200],
  ])('with http.public_url %s, %s is answered %i', async (url, Host, status) => {
    const config = testConfig({ TELEMETRICSD_HTTP_PUBLIC_URL: url });
    const listener: Listener = { address: ':8080', host: '::', port: 8080, serves: 'all' };
    const app = createApp({ config, database: server.database, collector: server.collector, log: quietLog }, listener);
    expect((await get(app, '/api/records', { Host })).status).toBe(status);
  });

  test('does not matter to the collector and to health checks', async () => {
    const headers = recordHeaders({ machine_id: 'any-host', Host: 'telemetry.example.org' });
    expect((await send(server.app, { headers, body: 'x' })).status).toBe(201);
    for (const path of ['/healthz', '/readyz']) {
      expect((await get(server.app, path, { Host: 'evil.example' })).status).toBe(200);
    }
  });

  test.each(['0.0.0.0', '192.0.2.1', '::'])('may be anything if the listener is on %s', async host => {
    expect((await get(listeningOn(host), '/api/records', { Host: 'any.example' })).status).toBe(200);
  });

  test('may be the host it listens on', async () => {
    expect((await get(listeningOn('127.1.2.3'), '/api/records', { Host: '127.1.2.3:8080' })).status).toBe(200);
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('matters if the listener is on %s', async host => {
    expect((await get(listeningOn(host), '/api/records', { Host: 'any.example' })).status).toBe(403);
  });
});

describe('a request that changes something', () => {
  const none = { 'Sec-Fetch-Site': undefined };
  const cases: { headers: Record<string, string | undefined>; allowed: boolean }[] = [
    { headers: { 'Sec-Fetch-Site': 'same-origin' }, allowed: true },
    { headers: { 'Sec-Fetch-Site': 'same-site' }, allowed: false },
    { headers: { 'Sec-Fetch-Site': 'cross-site' }, allowed: false },
    { headers: { 'Sec-Fetch-Site': 'none' }, allowed: false },
    { headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://localhost:8080' }, allowed: false },
    { headers: { ...none, Origin: 'http://localhost:8080' }, allowed: true },
    { headers: { ...none, Origin: 'http://localhost:8081' }, allowed: false },
    { headers: { ...none, Origin: 'http://localhost', Host: 'localhost:80' }, allowed: true },
    { headers: { ...none, Origin: 'https://localhost', Host: 'LOCALHOST:443' }, allowed: true },
    { headers: { ...none, Origin: 'https://localhost', Host: 'localhost:80' }, allowed: false },
    { headers: { ...none, Origin: 'http://evil.example' }, allowed: false },
    { headers: { ...none, Origin: 'null' }, allowed: false },
    { headers: { ...none, Origin: 'nonsense' }, allowed: false },
    { headers: none, allowed: false },
  ];

  test.each(cases)('is accepted or refused by its origin: %j', async ({ headers, allowed }) => {
    const sent: Record<string, string> = { Host: 'localhost:8080' };
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent[name] = value;
    for (const action of ['replays', 'discards']) {
      const answer = await server.app.request(`http://localhost:8080/telemetryui/quarantine/${action}`, {
        method: 'POST',
        headers: sent,
        body: new URLSearchParams({ id: '1' }),
      });
      expect(answer.status).toBe(allowed ? 303 : 403);
    }
  });

  test.each([
    ['https://telemetry.example.org:8443', 303],
    ['http://telemetry.example.org:8443', 403],
    ['https://telemetry.example.org', 403],
  ])('may come from %s at the public URL, whatever Host a proxy sends: %d', async (Origin, status) => {
    const answer = await behindProxy.request('http://localhost:8080/telemetryui/quarantine/discards', {
      method: 'POST',
      headers: { Host: 'localhost:8080', Origin },
      body: new URLSearchParams({ id: '1' }),
    });
    expect(answer.status).toBe(status);
  });

  test('also needs the right Host', async () => {
    const headers = { Host: 'evil.example', Origin: 'http://evil.example' };
    expect((await submit(server.app, '/telemetryui/quarantine/discards', { id: '1' }, headers)).status).toBe(403);
  });

  test('needs no origin at the collector, which knows its clients by their TID', async () => {
    const { status } = await post(server.app, { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' });
    expect(status).toBe(201);
  });
});

describe('a listener that serves', () => {
  test('"collector" takes records and shows nothing', async () => {
    const app = listeningOn('127.0.0.1', 'collector');
    expect((await post(app, { machine_id: 'collector-only' })).status).toBe(201);
    for (const path of [...PAGES, '/static/app.js']) expect((await get(app, path)).status).toBe(404);
    for (const path of ['/', '/v2/collector', '/v3/collector']) {
      const answer = await get(app, path);
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect((await get(app, '/healthz')).status).toBe(200);
  });

  test('"pages" shows them and takes no record', async () => {
    const app = listeningOn('127.0.0.1', 'pages');
    for (const path of PAGES) expect((await get(app, path)).status).toBeLessThan(400);
    for (const path of ['/', '/v2/collector', '/v3/collector']) {
      expect((await send(app, { headers: recordHeaders(), body: 'x' }, undefined, path)).status).toBe(404);
    }
    expect((await get(app, '/')).headers.get('location')).toBe('/telemetryui');
    expect((await get(app, '/readyz')).status).toBe(200);
  });
});

test('pages and API forbid browsers to run foreign scripts, frame pages and store answers', async () => {
  for (const path of ['/telemetryui/records', '/telemetryui/nothing', '/api/records', '/api/nothing']) {
    const { headers } = await get(server.app, path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});

test('only answers over TLS tell browsers to keep using it', async () => {
  const told = async (app: App) =>
    (await get(app, '/telemetryui', { Host: 'localhost:8080' })).headers.get('strict-transport-security');
  expect([await told(server.app), await told(behindProxy)]).toEqual([null, 'max-age=31536000']);
});

describe('a request that is too large or malformed', () => {
  test('a body of more than 256 KB is refused', async () => {
    const answer = await submit(server.app, '/telemetryui/crashes/comments', { id: '1', comment: 'x'.repeat(300_000) });
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('at most 256 KB');
  });

  test.each([
    '/static/..%2f..%2fpackage.json',
    '/static/..%2fsrc%2fmain.ts',
    '/static/%2e%2e/%2e%2e/etc/passwd',
    '/static/app.js%00.css',
    '/static/constructor',
    '/static/__proto__',
  ])('%s is nothing', async path => {
    expect((await get(server.app, path)).status).toBe(404);
  });

  test.each(['name\r\nX-Injected: yes', 'name\nSet-Cookie: a=b'])('%j in a download adds no header', async name => {
    const answer = await get(server.app, `/telemetryui/records/export/${encodeURIComponent(name)}.csv?download=1`);
    expect(answer.headers.get('x-injected')).toBeNull();
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});
