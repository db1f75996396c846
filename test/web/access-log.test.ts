import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createApp } from '../../src/app.ts';
import type { Listener } from '../../src/config/listener.ts';
import { createLog } from '../../src/log.ts';
import { get, post, type TestApp, testApp, testConfig } from '../app.ts';

const listener: Listener = { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves: 'all' };

let server: TestApp;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

function appThatLogs(access: string) {
  lines = [];
  const log = createLog('info', 'json', line => lines.push(JSON.parse(line)));
  const config = testConfig({ TELEMETRICSD_LOG_ACCESS: access });
  return createApp({ config, database: server.database, collector: server.collector, log }, listener);
}

test('each answer is a line: without the query, and without what is as good as a password', async () => {
  const app = appThatLogs('pages');
  await app.request(
    'http://localhost:8080/api/records?payload=geheim',
    { headers: { Host: 'localhost:8080' } },
    { address: '192.0.2.7' },
  );
  await get(app, '/telemetryui/links/geheim');
  await get(app, '/nowhere%0Aat/all');
  await post(app);
  expect(lines).toMatchObject([
    { message: 'answered', method: 'GET', path: '/api/records', status: 200, address: '192.0.2.7', user: 'anyone' },
    { path: '/telemetryui/links/…' },
    { path: '/nowhere\nat/all', status: 404 },
  ]);
  expect(lines[0]!.ms).toBeNumber();
  expect(JSON.stringify(lines)).not.toContain('geheim');
});

test('"all" has what machines post, too; by default there is none of it', async () => {
  await post(appThatLogs('all'), { event_id: '1'.padStart(32, '0') });
  expect(lines).toMatchObject([{ method: 'POST', path: '/v3/collector', status: 201 }]);
  await get(appThatLogs('off'), '/api/records');
  expect(lines).toEqual([]);
});
