import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { clockFinding } from '../../src/clock/finding.ts';
import { type Belief, type Heard, judge, NOT_HEARD } from '../../src/clock/judge.ts';
import { trustClock, watchClock } from '../../src/clock/watch.ts';
import { openLimits } from '../../src/collector/limits.ts';
import { registerFleets } from '../../src/fleets.ts';
import { createLog } from '../../src/log.ts';
import { noticesOf } from '../../src/notify/notice.ts';
import { timetable } from '../../src/schedule.ts';
import { serverState } from '../../src/status/state.ts';
import { get, getJson, post } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { quietLog } from '../database.ts';
import { passDays } from '../time.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
const NOW = 1_795_440_000;

/** Looks one after the other: how far the clock went and how much time passed (undefined: without a server), and who was heard. */
type Step = [clock: number, passed: number | undefined, heard?: Heard];

function looks(...steps: Step[]): Belief {
  let belief: Belief = { trustedAt: NOW, lookedAt: NOW, doubt: null };
  let now = NOW;
  for (const [clock, elapsed, heard = NOT_HEARD] of steps) {
    now += clock;
    belief = judge(belief, { now, elapsed, heard });
  }
  return belief;
}

const minutes = (n: number, heard = NOT_HEARD) => Array.from({ length: n }, (): Step => [60, 60, heard]);
const hours = (n: number, heard = NOT_HEARD) => Array.from({ length: n }, (): Step => [HOUR, HOUR, heard]);
const jumps: Step = [40 * DAY + 60, 60];
const most: Heard = { agreeing: 5, disagreeing: 2 };
const few: Heard = { agreeing: 2, disagreeing: 5 };

test.each<[what: string, trusted: boolean, steps: Step[]]>([
  ['minute after minute', true, minutes(5)],
  ['no look for two days, which passed', true, [[2 * DAY, 2 * DAY]]],
  [
    'another server looked meanwhile',
    true,
    [
      [60, undefined],
      [5, 7_200],
    ],
  ],
  ['a night without a server', true, [[14 * HOUR, undefined]]],
  ['a step of hours, as where the clock is set after the start', true, [[6 * HOUR, 60]]],
  ['a little back', true, [[-600, 60]]],
  ['forty days forward', false, [jumps]],
  ['hours back', false, [[-5 * HOUR, 60]]],
  ['three weeks without a server', false, [[21 * DAY, undefined]]],
  ['forward, and back again', true, [jumps, ...minutes(3), [-40 * DAY, 60]]],
  ['forward, and back while no server ran', true, [jumps, ...minutes(3), [-40 * DAY + 3 * HOUR, undefined]]],
  ['back, and forward again', true, [[-5 * HOUR, 60], ...minutes(3), [5 * HOUR, 60]]],
  ['back far, and forward again', true, [[-300 * DAY, undefined], ...minutes(3), [300 * DAY, 60]]],
  ['machines agree, not long enough', false, [jumps, ...minutes(59, most)]],
  ['machines agree for an hour', true, [jumps, ...minutes(60, most)]],
  ['machines contradict for weeks', false, [jumps, ...hours(21 * 24, few)]],
  ['nobody reports for days', false, [jumps, ...hours(6 * 24)]],
  ['nobody reports for a week', true, [jumps, ...hours(7 * 24)]],
  ['a week that another step hurries on', false, [jumps, ...hours(3 * 24), [5 * DAY, 60], ...hours(2 * 24)]],
  ['restarts do not count as time', false, [jumps, ...Array.from({ length: 200 }, (): Step => [HOUR, undefined])]],
  ['a second step', false, [jumps, ...minutes(50, most), jumps, ...minutes(50, most)]],
])('%s: believed %p', (_, trusted, steps) => {
  expect(looks(...steps).doubt === null).toBe(trusted);
});

test.each<[level: string | undefined, text: string, steps: Step[]]>([
  [undefined, '', minutes(2)],
  ['error', '40 days after when it was last believed. No machine has reported since.', [jumps]],
  ['error', '40 days after when it was last believed. Of 7 machines', [jumps, ...minutes(3, most)]],
  ['error', '5 hours before when it was last believed.', [[-5 * HOUR, 60]]],
  ['ok', '21 days after when it was last believed.', [[21 * DAY, undefined], ...minutes(3)]],
  ['error', 'the clocks of 2 agree.', [[21 * DAY, undefined], ...minutes(3, few)]],
  ['warning', 'No machine has reported since.', [[21 * DAY, undefined], ...hours(25)]],
  ['warning', '21 days before when', [[-21 * DAY, undefined]]],
])('said of it: %s, %s', (level, text, steps) => {
  const finding = clockFinding(looks(...steps));
  expect(finding?.level as string | undefined).toBe(level);
  expect(finding?.text ?? '').toContain(text);
});

describe('the clock of a server', () => {
  let server: CrashApp;
  let uptime = 1_000;
  const logged: string[] = [];
  const log = createLog('info', 'text', line => logged.push(line));
  let job: (name: string) => Promise<unknown>;

  beforeAll(async () => {
    server = await crashApp();
    await startServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    await trustClock(server.sql);
    await job('look at the clock');
  });

  /** One more on the database, which has not looked yet. */
  async function startServer() {
    const { sql, config, database } = server;
    const fleets = await registerFleets(sql, config.collector.tids);
    const limits = await openLimits(sql, config.collector.tids, fleets, quietLog);
    const clock = watchClock(database.client('clock'), log, () => uptime);
    const jobs = timetable(database, config, limits, clock, quietLog);
    job = name => jobs.find(each => each.name === name)!.run();
  }

  /** Time passes, and the server runs. */
  async function pass(seconds: number) {
    uptime += seconds;
    await shiftLooks(seconds);
  }

  /** The clock is set so many days ahead, or back: seen from there, all that came before is as much older, or is yet to come. */
  async function step(days: number) {
    uptime += 30;
    await passDays(server.sql, days);
    await shiftLooks(days * DAY);
    await server.sql`update recent_records set received_at = received_at - make_interval(days => ${days})`;
    await server.sql`update sessions set created_at = created_at - make_interval(days => ${days}), seen_at = seen_at - make_interval(days => ${days})`;
    await server.sql`update quarantine set evicted_at = evicted_at - make_interval(days => ${days})`;
  }

  async function shiftLooks(seconds: number) {
    await server.sql`
      update clock
         set trusted_at = trusted_at - make_interval(secs => ${seconds}), looked_at = looked_at - make_interval(secs => ${seconds}),
             doubted_at = doubted_at - make_interval(secs => ${seconds})`;
  }

  let events = 0;
  const send = (changes: Record<string, string> = {}) =>
    post(server.app, {
      event_id: (++events).toString(16).padStart(32, '0'),
      creation_timestamp: String(Math.round(Date.now() / 1000)),
      ...changes,
    });

  const AGED = ['records', 'recent_records', 'sessions', 'quarantine', 'build_counts', 'machine_days'];
  async function rows(): Promise<Record<string, number>> {
    const counted = AGED.map(async table => {
      const [row] = await server.sql<{ n: number }[]>`select count(*) as n from ${server.sql(table)}`;
      return [table, row!.n] as const;
    });
    return Object.fromEntries(await Promise.all(counted));
  }

  async function runEveryJob() {
    const sweeps = ['prune recent records', 'forget evicted quarantine', 'forget ended sessions', 'forget notices'];
    for (const name of ['purge', ...sweeps, 'forget what limits turned away']) await job(name);
  }

  async function clockOnStatus() {
    const { json } = await getJson(server.app, '/api/status');
    return json.checks.find(({ name }: { name: string }) => name === 'Clock');
  }

  test('set 40 days ahead, nothing goes; status, metrics and a notice say so; set right, all is as before', async () => {
    await send();
    await send({ severity: '9' });
    await server.sql`update quarantine set evicted_at = now(), headers = null, body = null`;
    const [user] = await server.sql<
      { id: number }[]
    >`insert into users (name, role) values ('ann', 'viewer') returning id`;
    await server.sql`insert into sessions (key, user_id) values ('\\x01', ${user!.id})`;
    const before = await rows();
    expect(Object.values(before)).not.toContain(0);
    expect(await clockOnStatus()).toBeUndefined();

    await step(40);
    await runEveryJob();
    expect(await rows()).toEqual(before);
    expect(logged.filter(line => line.includes(' error '))).toEqual([expect.stringContaining('the date may be wrong')]);
    expect(await clockOnStatus()).toMatchObject({ level: 'error', text: expect.stringContaining('40 days after') });
    expect(await (await get(server.app, '/metrics')).text()).toContain('telemetricsd_clock_doubted 1');
    const { config, collector, sql } = server;
    const watched = {
      config,
      collector,
      disk: () => undefined,
      certificate: undefined,
      connections: undefined,
      plugins: undefined,
      parsers: undefined,
    };
    const notices = noticesOf(await serverState(sql, watched), [], config);
    expect(notices).toContainEqual(expect.objectContaining({ subject: 'clock', level: 'error' }));

    await step(-40);
    await runEveryJob();
    expect(await rows()).toEqual(before);
    expect(await clockOnStatus()).toBeUndefined();
  });

  test('a server that was off for weeks purges once machines say that the time has passed', async () => {
    await send();
    const { records } = await rows();
    await step(50);
    // As after a restart.
    uptime = 1_000;
    await startServer();
    await job('purge');
    expect((await rows()).records).toBe(records!);
    expect(await clockOnStatus()).toMatchObject({ level: 'ok' });
    await send();
    for (let minute = 0; minute < 59; minute++) {
      await pass(60);
      await job('look at the clock');
    }
    await job('purge');
    expect((await rows()).records).toBe(records! + 1);
    await pass(120);
    await job('purge');
    expect(await rows()).toMatchObject({ records: 1 });
    expect(await clockOnStatus()).toBeUndefined();
  });

  test('machines whose clocks contradict are believed', async () => {
    await step(60);
    await job('look at the clock');
    const ago = String(Math.round(Date.now() / 1000) - 60 * DAY);
    for (const machine of ['a', 'b', 'c']) await send({ machine_id: machine.repeat(32), creation_timestamp: ago });
    for (let day = 0; day < 8; day++) {
      await pass(DAY);
      await job('look at the clock');
    }
    expect(await clockOnStatus()).toMatchObject({
      level: 'error',
      text: expect.stringContaining('the clocks of 0 agree'),
    });
    await job('purge');
    expect((await rows()).records).toBeGreaterThan(3);
  });

  test('a database without records is in no danger', async () => {
    await server.sql`truncate records, record_days`;
    await step(400);
    await job('look at the clock');
    expect(await clockOnStatus()).toBeUndefined();
  });

  test('retention.max_bytes is kept whatever the date is', async () => {
    await send();
    await passDays(server.sql, 2);
    await send();
    await step(40);
    for (const age of [42, 40])
      await server.sql`select make_records_day((now() at time zone 'UTC')::date - ${age}::int)`;
    const limit = server.config.retention;
    limit.max_bytes = 1;
    await job('purge').finally(() => {
      limit.max_bytes = undefined;
    });
    expect((await rows()).records).toBe(0);
  });

  test('after the clock was wrong the machines of a day are counted right once it is over', async () => {
    await server.sql`truncate records, crashes, record_days, machines_last_seen, machine_counts, machine_days, recent_records`;
    await send({ machine_id: 'a'.repeat(32) });
    await server.crash(['f()', 'main()'], {
      machine_id: 'a'.repeat(32),
      creation_timestamp: String(Math.round(Date.now() / 1000)),
    });
    await server.analyse();
    // Those came while the clock was two days ahead.
    await trustClock(server.sql);
    await step(-2);
    await job('look at the clock');
    await send({ machine_id: 'a'.repeat(32) });
    await send({ machine_id: 'b'.repeat(32) });
    const machines = async (day: number) => {
      const [row] = await server.sql<{ machines: number }[]>`
        select coalesce(sum(machines), 0)::bigint as machines from machine_days
         where build = '*' and day = (now() at time zone 'UTC')::date + ${day}::int`;
      return row!.machines;
    };
    expect(await machines(0)).toBe(1);
    for (let minute = 0; minute < 61; minute++) {
      await pass(60);
      await job('look at the clock');
    }
    await job('put right what was misdated');
    const last = await server.sql`
      select max(last_day) <= (now() at time zone 'UTC')::date as past from machines_last_seen
       union all select max(last_day) <= (now() at time zone 'UTC')::date from guilty_machine_counts where machines > 0`;
    expect(last.map(row => row.past)).toEqual([true, true]);
    await step(1);
    await trustClock(server.sql);
    await job('put right what was misdated');
    expect(await machines(-1)).toBe(2);
  });

  test('the audit keeps so many sign-ins and attempts, and every change', async () => {
    const { sql } = server;
    await sql`truncate audit`;
    await sql`insert into audit (who, via, action) values ('ann', 'session', 'commented')`;
    await sql`insert into audit (who, via, action) select 'nobody', 'password', 'failed to sign in' from generate_series(1, 10500)`;
    await sql`insert into audit (who, via, action) values ('ann', 'password', 'signed in')`;
    await job('bound the audit');
    const kept = await sql<{ action: string; n: number; oldest: number }[]>`
      select action, count(*) as n, min(id) as oldest from audit group by 1 order by 1`;
    expect(kept.map(({ action, n }) => [action, n])).toEqual([
      ['commented', 1],
      ['failed to sign in', 10_000],
      ['signed in', 1],
    ]);
    await job('bound the audit');
    expect((await sql`select from audit`).count).toBe(10_002);
  });
});
