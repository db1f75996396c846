import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { hasStopped } from '../../src/overview/silence.ts';
import { getPage, post, type TestApp, testApp } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { passDays } from '../time.ts';

const PAGE = '/telemetryui';

describe('an empty database', () => {
  let empty: TestApp;
  beforeAll(async () => {
    empty = await testApp();
  });
  afterAll(() => empty.close());

  test('shows the way to the first record', async () => {
    const { status, html } = await getPage(empty.app, PAGE);
    expect(status).toBe(200);
    expect(html).toContain('No record has arrived yet');
    expect(html).toContain('href="/telemetryui/connect"');
    expect(html).toContain('npm run demo');
  });
});

describe('a fleet of two weeks', () => {
  let app: CrashApp;
  const machine = (n: number) => `${n}`.repeat(32);
  const at = (n: number, changes: Record<string, string> = {}) => ({ machine_id: machine(n), ...changes });

  beforeAll(async () => {
    app = await crashApp();
    await app.crash(['old()'], at(1, { build: '43000' }));
    await post(app.app, at(1, { classification: 'org.clearlinux/mce/corrected', event_id: '1'.repeat(32) }));
    await app.analyse();
    await passDays(app.sql, 8);
    for (const n of [1, 2, 3])
      await post(app.app, at(n, { build: '43100', event_id: String(n).repeat(32) }), 'of a week ago\n');
    await passDays(app.sql, 7);
    await app.crash(['old()'], at(2, { build: '43200' }));
    await app.crash(['new()'], at(3, { build: '43200', system_name: 'debian' }));
    await app.crash(['new()'], at(4, { build: '43200', system_name: 'debian' }));
    await app.analyse();
    for (const n of [5, 6]) {
      const changes = { classification: 'org.clearlinux/mce/corrected', event_id: String(n).repeat(32) };
      await post(app.app, at(n, { ...changes, build: '43190' }));
    }
  });
  afterAll(() => app.close());

  const part = async (title: string) => {
    const { html } = await getPage(app.app, PAGE);
    const text = html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');
    return text.slice(text.indexOf(title), text.indexOf(title) + 300);
  };

  test('records of 24 hours stand beside those of a week earlier', async () => {
    expect(await part('Records in 24 hours')).toStartWith('Records in 24 hours 5 ');
    const table = await part('Hour Records an hour A week earlier');
    const hours = [...table.matchAll(/\d{4}-\d\d-\d\d \d\d:00 (\d+) (\d+)/g)].slice(0, 2);
    // The hour may have turned since the records came.
    expect(hours.reduce((sum, [, records]) => sum + Number(records), 0)).toBe(5);
    for (const [, , weekEarlier] of hours) expect(Number(weekEarlier)).toBeLessThanOrEqual(3);
  });

  test('machines, machine checks and the newest builds are those of the days they say', async () => {
    expect(await part('Machine ids in 3 days')).toStartWith('Machine ids in 3 days 5 5 today');
    expect(await part('Machine checks in 7 days')).toStartWith('Machine checks in 7 days 2 none the 7 days before');
    const builds = await part('Newest builds and who has them');
    expect(builds).toMatch(
      /clear-linux-os 43200 \d{4}-\d\d-\d\d 1 33 % clear-linux-os 43190 \S+ 2 67 % debian 43200 \S+ 2 100 %/,
    );
  });

  test('a guilty is new only where it was never seen before yesterday', async () => {
    const fresh = await part('New guilties since yesterday');
    expect(fresh).toContain('new() /usr/bin/app debian 43200 2');
    expect(fresh.slice(0, fresh.indexOf('Machine checks of'))).not.toContain('old()');
    expect(await part('Top crashes of the last 7 days')).toMatch(
      /new\(\) \/usr\/bin\/app 2 2 .*old\(\) \/usr\/bin\/app 1 1/,
    );
  });

  test('says where records stopped coming', async () => {
    expect((await getPage(app.app, PAGE)).html).not.toContain('stopped coming');
    for (let n = 0; n < 30; n++) await post(app.app, at(7), `number ${n}\n`);
    await app.sql`update records set received_at = received_at - interval '40 hours'`;
    await app.sql`update record_days set day = (select max((received_at at time zone 'UTC')::date) from records) where day = (select max(day) from record_days)`;
    await app.sql`update hour_counts set hour = hour - interval '40 hours'`;
    expect((await getPage(app.app, PAGE)).html).toContain('Records stopped coming.');
  });
});

describe('records have stopped', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  test.each<[minutes: number, dayBefore: number, stopped: boolean]>([
    [9, 1_000_000, false],
    [11, 1_000_000, true],
    [60, 1_440, true],
    [19, 1_440, false],
    [21, 1_440, true],
    [20 * 60 - 1, 24, false],
    [20 * 60 + 1, 24, true],
    [10_000, 23, false],
  ])('%p minutes after the last of %p in a day: %p', (minutes, dayBefore, stopped) => {
    expect(hasStopped({ at: new Date(now.getTime() - minutes * 60_000), dayBefore }, now)).toBe(stopped);
  });
});
