import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type App, createApp } from '../../src/app.ts';
import type { Sql } from '../../src/db/connect.ts';
import { PATIENCE, type Patience } from '../../src/web/patience.ts';
import { post, type TestApp, testApp } from '../app.ts';
import { quietLog } from '../database.ts';
import { eventually } from '../executable/program.ts';

const SEARCH = '/api/records?payload=x';
const EXPORT = '/telemetryui/records/export/records-x.csv';

let server: TestApp;
/** Looks beside all that is held up. */
let observer: Sql;

beforeAll(async () => {
  server = await testApp();
  observer = server.database.client('observer');
  for (let n = 0; n < 3; n++) await post(server.app, {}, `payload ${n}`);
});
afterAll(() => server.close());

function appWith(patience: Patience): App {
  const { config, database, collector } = server;
  const listener = { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves: 'all' as const };
  return createApp({ config, database, collector, log: quietLog, patience }, listener);
}

/** Asks as a client does that may leave. */
function ask(app: App, path: string) {
  const client = new AbortController();
  const request = new Request(`http://localhost:8080${path}`, {
    headers: { Host: 'localhost:8080' },
    signal: client.signal,
  });
  const started = performance.now();
  const answer = Promise.resolve(app.fetch(request)).then(response => ({
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    ms: performance.now() - started,
    body: response.body,
    response,
  }));
  return { answer, leave: () => client.abort() };
}

async function hold(table: string) {
  const locker = server.database.client('locker');
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = locker.begin(async tx => {
    await tx`lock table ${tx(table)} in access exclusive mode`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  return async () => {
    release.resolve();
    await done;
    await locker.end();
  };
}

async function waiting(client: string): Promise<number> {
  const [row] = await observer<{ n: number }[]>`
    select count(*) as n from pg_stat_activity
     where datname = current_database() and application_name = ${`telemetricsd ${client}`} and wait_event_type = 'Lock'`;
  return row!.n;
}

test('a search ends with its client, and no more wait than can be answered', async () => {
  const app = appWith(PATIENCE);
  const release = await hold('records');
  try {
    const asked = Array.from({ length: 15 }, () => ask(app, SEARCH));
    const refused = await Promise.all(asked.slice(10).map(({ answer }) => answer));
    expect(refused.map(({ status, retryAfter }) => [status, retryAfter])).toEqual(Array(5).fill([503, '5']));
    await eventually('two run', async () => (await waiting('search')) === 2);
    for (const { leave } of asked) leave();
    await eventually('none runs any more', async () => (await waiting('search')) === 0);
    await Promise.all(asked.map(({ answer }) => answer));
  } finally {
    await release();
  }
  const after = await ask(app, SEARCH).answer;
  expect([after.status, await after.response.text()]).toEqual([200, expect.any(String)]);
});

test('pages end with their clients, or after some time with 503; too many at once are refused', async () => {
  const app = appWith({ answerWithinMs: 1_500, mostUnderWay: 5 });
  const release = await hold('build_counts');
  try {
    const left = ask(app, '/telemetryui/builds');
    await eventually('its query waits', async () => (await waiting('pages')) > 0);
    left.leave();
    await eventually('its query is cancelled', async () => (await waiting('pages')) === 0);
    await left.answer;
    const asked = Array.from({ length: 8 }, () => ask(app, '/telemetryui/builds').answer);
    const [late, refused] = [await Promise.all(asked.slice(0, 5)), await Promise.all(asked.slice(5))];
    for (const { status, retryAfter } of [...late, ...refused]) expect([status, retryAfter]).toEqual([503, '5']);
    for (const { ms } of late) expect(ms).toBeGreaterThan(1_400);
    await eventually('their queries are cancelled', async () => (await waiting('pages')) === 0);
  } finally {
    await release();
  }
  expect((await ask(app, '/telemetryui/builds').answer).status).toBe(200);
});

test('exports that nobody reads hold up others for seconds only, and make room when they end', async () => {
  const app = appWith(PATIENCE);
  const unread = await Promise.all(Array.from({ length: 4 }, () => ask(app, EXPORT).answer));
  expect(unread.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const fifth = await ask(app, EXPORT).answer;
  expect([fifth.status, fifth.retryAfter]).toEqual([503, '5']);
  expect(await fifth.response.text()).toContain('4 exports are under way already');
  const sixth = ask(app, EXPORT);
  await unread[0]!.body!.cancel();
  const { status, response } = await sixth.answer;
  expect(status).toBe(200);
  expect((await response.text()).split('\r\n')).toHaveLength(5);
  expect((await unread[1]!.response.text()).split('\r\n')).toHaveLength(5);
  for (const { body } of unread.slice(2)) await body!.cancel();
});

test('an export that can not begin says so by its status', async () => {
  const app = appWith({ ...PATIENCE, answerWithinMs: 1_000 });
  const release = await hold('parsed');
  try {
    expect((await ask(app, EXPORT).answer).status).toBe(503);
    await eventually('its query is cancelled', async () => (await waiting('export')) === 0);
  } finally {
    await release();
  }
  await observer`alter table parsed rename to parsed_elsewhere`;
  try {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(app, EXPORT).answer));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(500));
  } finally {
    await observer`alter table parsed_elsewhere rename to parsed`;
  }
  expect((await ask(app, EXPORT).answer).status).toBe(200);
});
