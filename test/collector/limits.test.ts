import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { App } from '../../src/app.ts';
import type { Collector } from '../../src/collector/collector.ts';
import { quota } from '../../src/collector/quota.ts';
import { networkMatcher } from '../../src/config/network.ts';
import type { Tid } from '../../src/config/tid.ts';
import { tokenBucket } from '../../src/token-bucket.ts';
import {
  type Answer,
  appOn,
  get,
  getPage,
  OTHER_TID,
  post,
  recordHeaders,
  send,
  type TestApp,
  TID,
  testApp,
  testConfig,
} from '../app.ts';
import { passDays } from '../time.ts';

const HOUR_MS = 3_600_000;

let server: TestApp;
beforeAll(async () => {
  // Waits if an hour is about to begin, since each hour frees a part of a quota.
  const left = HOUR_MS - (Date.now() % HOUR_MS);
  if (left < 20_000) await Bun.sleep(left);
  server = await testApp();
});
afterAll(() => server.close());
afterEach(async () => {
  await server.database.sql`truncate quarantine, recent_records, hour_counts`;
  await server.database.sql`delete from records`;
});

/** A newly started server with one TID that has these limits and another that has none. */
function start(limits: Partial<Tid>): Promise<{ app: App; collector: Collector }> {
  const config = testConfig();
  const tids = [
    { id: TID, name: 'desk "tops"', ...limits },
    { id: OTHER_TID, name: 'servers' },
  ];
  return appOn(server.database, { ...config, collector: { ...config.collector, tids } });
}

let records = 0;
/** Posts different records one after the other; returns the statuses of the answers. */
async function statuses(app: App, count: number, changes: Record<string, string> = {}): Promise<number[]> {
  const answers: number[] = [];
  for (let n = 0; n < count; n++) answers.push((await post(app, changes, `record ${records++}`)).status);
  return answers;
}

/** Posts different records at once. */
const atOnce = async (app: App, count: number, changes?: Record<string, string>) =>
  (await Promise.all(Array.from({ length: count }, () => statuses(app, 1, changes)))).flat();

const times = (n: number, status: number) => Array<number>(n).fill(status);

async function stored(): Promise<number> {
  const [row] = await server.database.sql<{ count: number }[]>`select count(*) as count from records`;
  return row!.count;
}

async function requests(app: App, result: string): Promise<number> {
  const text = await (await get(app, '/metrics')).text();
  const line = text
    .split('\n')
    .find(line => line.startsWith('telemetricsd_requests_total') && line.includes(`result="${result}"`));
  expect(line ?? '0').toMatch(/^telemetricsd_requests_total\{fleet="desk \\"tops\\"",result="\w+"\} \d+$|^0$/);
  return Number(line?.slice(line.lastIndexOf(' ')) ?? 0);
}

describe('a TID with a rate', () => {
  test('may send ten seconds of it at once, then its rate; other TIDs are not affected', async () => {
    const { app } = await start({ rate: 1 });
    expect(await atOnce(app, 12)).toEqual([...times(10, 201), 503, 503]);
    expect(await atOnce(app, 12, { 'X-Telemetry-TID': OTHER_TID })).toEqual(times(12, 201));
    await Bun.sleep(1000);
    expect(await atOnce(app, 12)).toEqual(expect.arrayContaining([201, 503]));
    expect(await requests(app, 'postponed')).toBeGreaterThan(10);
  });

  test('learns when to come back and which rule applies', async () => {
    const { app } = await start({ rate: 1 });
    await atOnce(app, 20);
    const answer = await app.request('http://localhost:8080/', { method: 'POST', headers: recordHeaders(), body: 'x' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(await answer.json()).toEqual({
      message:
        'this TID may send 1 records a second and sends more (rate in collector.tids); send this one again later',
    });
  });
});

describe('a TID with a daily quota', () => {
  test('is postponed beyond it, also after a restart; repeated and refused records do not count', async () => {
    const first = await start({ daily: 3 });
    for (const payload of ['a', 'a', 'b']) expect((await post(first.app, {}, payload)).status).toBe(201);
    expect(await statuses(first.app, 1, { severity: '9' })).toEqual([400]);
    expect(await statuses(first.app, 2)).toEqual([201, 503]);
    const second = await start({ daily: 3 });
    expect(await statuses(second.app, 1)).toEqual([503]);
    expect(await statuses(second.app, 1, { 'X-Telemetry-TID': OTHER_TID })).toEqual([201]);
    expect((await start({ daily: 4 })).collector.limits.excesses()).toEqual([]);
  });

  test('may send a little each hour, and everything again after 24 hours', async () => {
    const { app, collector } = await start({ daily: 3 });
    expect(await statuses(app, 4)).toEqual([...times(3, 201), 503]);
    await server.database.sql`update hour_counts set hour = hour - interval '1 hour'`;
    await collector.limits.recount();
    expect(await statuses(app, 2)).toEqual([201, 503]);
    await passDays(server.database.sql, 1);
    await collector.limits.recount();
    expect(await statuses(app, 4)).toEqual([...times(3, 201), 503]);
  });

  test('shares it with other servers on the same database', async () => {
    const [one, other] = [await start({ daily: 4 }), await start({ daily: 4 })];
    expect(await statuses(one.app, 3)).toEqual(times(3, 201));
    await other.collector.limits.recount();
    expect(await statuses(other.app, 2)).toEqual([201, 503]);
  });
});

test('excess records are lost only if an admin chose that, and everyone is told', async () => {
  const { app } = await start({ daily: 2, over: 'drop' });
  expect(await statuses(app, 2)).toEqual([201, 201]);
  const answer = await post(app, {}, 'one more');
  expect(answer).toEqual({
    status: 201,
    json: {
      dropped: true,
      message: expect.stringContaining(
        'the 2 records that this TID may send in 24 hours are used up (daily in collector.tids)',
      ),
    },
  });
  // The record is not even read: a client's spool must drain whatever it contains.
  expect(await statuses(app, 1, { severity: '9' })).toEqual([201]);
  expect(await stored()).toBe(2);
  expect(await requests(app, 'dropped')).toBe(2);
  const { html } = await getPage(app, '/telemetryui');
  expect(html.replaceAll(/<[^>]+>/g, '')).toContain(
    '2 requests of the fleet desk &quot;tops&quot; beyond its limits were dropped and are lost',
  );
});

test('dropped records are counted across restarts, for seven days', async () => {
  const { sql } = server.database;
  const limits = async (app: App) => {
    const { checks } = (await (await get(app, '/api/status')).json()) as { checks: { name: string; text: string }[] };
    return checks.find(({ name }) => name === 'Limits')!.text;
  };
  const first = await start({ daily: 1, over: 'drop' });
  await statuses(first.app, 3);
  expect(await limits(first.app)).toContain('2 records of desk "tops" dropped, last');
  for (const _ of [1, 2]) await first.collector.limits.writeDown();
  expect(await limits(first.app)).toContain('2 records of desk "tops" dropped');
  const second = await start({ daily: 1, over: 'drop' });
  await statuses(second.app, 1);
  expect(await limits(second.app)).toContain('3 records of desk "tops" dropped');
  await second.collector.limits.writeDown();
  await sql`update turned_away set day = day - 6`;
  expect(await limits(second.app)).toContain('3 records of desk "tops" dropped');
  await sql`update turned_away set day = day - 1`;
  expect(await limits(second.app)).toBe('No record was turned away within 7 days.');
});

describe('a TID with networks', () => {
  const limits = { networks: ['10.0.0.0/8', '2001:db8::/32'] };
  const from = (app: App, address?: string, changes?: Record<string, string>): Promise<Answer> =>
    send(app, { headers: recordHeaders(changes), body: `record ${records++}` }, address);

  test('may be used from there', async () => {
    const { app } = await start(limits);
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8:1::2'])
      expect((await from(app, address)).status).toBe(201);
  });

  test('is refused from elsewhere, and nothing is kept; other TIDs are not checked', async () => {
    const { app } = await start(limits);
    const message = 'address: got 192.0.2.7, expected one in the networks of this TID (networks in collector.tids)';
    expect(await from(app, '192.0.2.7')).toEqual({ status: 403, json: { message } });
    expect((await from(app, '192.0.2.7', { severity: '9' })).status).toBe(403);
    expect((await from(app, '::1', { 'X-Forwarded-For': '10.1.2.3' })).status).toBe(403);
    expect((await from(app, '192.0.2.7', { 'X-Telemetry-TID': OTHER_TID })).status).toBe(201);
    expect(await requests(app, 'forbidden')).toBe(3);
    expect(await stored()).toBe(1);
    expect([...(await server.database.sql`select from quarantine`)]).toEqual([]);
  });

  test('is refused if the address is not known', async () => {
    const { app } = await start(limits);
    const { status, json } = await from(app);
    expect(status).toBe(403);
    expect(json.message).toContain('no address, since this came through a unix socket');
  });
});

describe('networkMatcher', () => {
  const cases: [networks: string[], address: string, within: boolean][] = [
    [['192.0.2.7'], '192.0.2.7', true],
    [['192.0.2.7'], '192.0.2.8', false],
    [['10.1.2.3/8'], '10.255.0.1', true],
    [['10.0.0.0/9'], '10.128.0.0', false],
    [['0.0.0.0/0'], '203.0.113.1', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['2001:db8::1'], '2001:0db8:0::1', true],
    [['2001:db8::/127'], '2001:db8::2', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8', '::1'], '::1', true],
    [['10.0.0.0/8'], '::ffff:10.0.0.1', true],
    [['10.0.0.0/8'], '::ffff:11.0.0.1', false],
    [['0.0.0.0/0', '::/0'], 'nowhere', false],
    [[], '10.0.0.1', false],
  ];
  for (const [networks, address, within] of cases) {
    test(`${address} is ${within ? '' : 'not '}in ${networks}`, () =>
      expect(networkMatcher(networks)(address)).toBe(within));
  }
});

/** Milliseconds between one attempt and the next. */
const gaps = (most: number) => fc.array(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 300 });

function timesOf(gaps: number[]): number[] {
  let now = 1_800_000_000_000;
  return gaps.map(gap => {
    now += gap;
    return now;
  });
}

test('no period ever has more than the rate and a burst', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), gaps(300), (rate, tried) => {
      const bucket = tokenBucket(rate);
      const times = timesOf(tried).filter(time => bucket.take(time));
      const stretches = times.flatMap((from, first) =>
        times.slice(first).map((to, more) => more + 1 - ((to - from) / 1000) * rate),
      );
      expect(Math.max(...stretches)).toBeLessThanOrEqual(rate * 10 + 1e-6);
    }),
  );
});

test('a quota always covers 24 hours by the clock and allows at least 1/24 an hour, with or without restarts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), gaps(HOUR_MS / 4), fc.nat(20), (daily, tried, restartEach) => {
      const used = quota(daily);
      const byHour = new Map<number, number>();
      for (const [n, time] of timesOf(tried).entries()) {
        if (n % restartEach === 0) used.replace(byHour);
        const hour = Math.floor(time / HOUR_MS) * HOUR_MS;
        const inHour = byHour.get(hour) ?? 0;
        const inDay = [...byHour].filter(([at]) => at > hour - 24 * HOUR_MS).reduce((sum, [, count]) => sum + count, 0);
        const hasRoom = inDay < daily || inHour < daily / 24;
        expect(used.hasRoom(time)).toBe(hasRoom);
        if (!hasRoom) continue;
        used.add(time);
        byHour.set(hour, inHour + 1);
      }
    }),
  );
});
