import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/settings.ts';
import { connect } from '../../src/db/connect.ts';
import { createLog } from '../../src/log.ts';
import { noticesOf } from '../../src/notify/notice.ts';
import { startNotifier } from '../../src/notify/notifier.ts';
import { pagesUrl } from '../../src/notify/pages-url.ts';
import { serverState, type Watched } from '../../src/status/state.ts';
import { post, testConfig } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { passDays } from '../time.ts';

const SECRET = 'geheim';
const PAUSES = [5, 5];

interface Posted {
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
  json: any;
}

let server: CrashApp;
let posted: Posted[];
/** What the webhook answers; undefined: never. */
let answer: (() => Response) | undefined;
let logged: string[];
type Notifier = NonNullable<ReturnType<typeof startNotifier>>;

const running: Notifier[] = [];
const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-notices-'));

const hook = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 60,
  async fetch(request) {
    posted.push({ path: new URL(request.url).pathname, json: await request.json().catch(() => undefined) });
    return answer ? answer() : new Promise<Response>(() => {});
  },
});
const WEBHOOK = { TELEMETRICSD_NOTIFY_WEBHOOK: `http://127.0.0.1:${hook.port}/hooks/${SECRET}` };

beforeAll(async () => {
  server = await crashApp();
  for (let n = 0; n < 30; n++) await post(server.app, { event_id: n.toString(16).padStart(32, '0') });
  await passDays(server.sql, 1);
});
beforeEach(async () => {
  posted = [];
  logged = [];
  answer = () => new Response('taken');
  await server.sql`truncate notices_sent, job_outcomes`;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(notifier => notifier.stop()));
  expect(logged.join('')).not.toContain(SECRET);
});
afterAll(async () => {
  await hook.stop(true);
  await server.close();
  rmSync(directory, { recursive: true });
});

function watchedWith(config: Config): Watched {
  const { collector } = server;
  return {
    config,
    collector,
    disk: () => undefined,
    certificate: undefined,
    connections: undefined,
    plugins: undefined,
    parsers: undefined,
  };
}

/** Another server on the database, that looks when the test says so. */
function start(
  env: Record<string, string> = WEBHOOK,
  deadlineMs = 20_000,
  sql = server.database.client('notices'),
): Notifier {
  const log = createLog('info', 'text', line => logged.push(line));
  const watched = watchedWith(testConfig(env));
  const notifier = startNotifier({ sql, watched, log, deadlineMs, pausesMs: PAUSES })!;
  running.push(notifier);
  return notifier;
}

async function until(what: () => boolean | Promise<boolean>) {
  for (const started = Date.now(); !(await what()); ) {
    if (Date.now() - started > 30_000) throw new Error(`waited in vain:\n${logged.join('')}`);
    await Bun.sleep(5);
  }
}

const failPurge = () => server.sql`
  insert into job_outcomes (job, failed_at, failure) values ('purge', now(), 'no room')
      on conflict (job) do update set failed_at = now()`;
const notTaken = () => logged.filter(line => line.includes('a notice was not taken')).length;
const sent = async () => (await server.sql`select subject from notices_sent order by subject`).map(row => row.subject);

test('without a webhook or a command nothing is looked for', () => {
  expect(start({})).toBeUndefined();
  running.pop();
});

test('a notice is sent once, whichever of several servers sees it first, and again after some hours', async () => {
  const servers = [start(), start(), start()];
  await Promise.all(servers.map(one => one.look()));
  await until(() => logged.some(line => line.includes('admins were told')));
  expect(posted).toHaveLength(1);
  expect(posted[0]).toMatchObject({
    path: `/hooks/${SECRET}`,
    json: {
      subject: 'data stopped arriving',
      level: 'warning',
      text: 'Data: Records stopped coming. The last record came 1 day ago.',
      remedy: expect.any(String),
      host: expect.any(String),
      time: expect.stringMatching(/^20\d\d-.*Z$/),
    },
  });
  await server.sql`update notices_sent set sent_at = now() - interval '23 hours'`;
  await servers[0]!.look();
  expect(posted).toHaveLength(1);
  await server.sql`update notices_sent set sent_at = now() - interval '25 hours'`;
  await servers[0]!.look();
  await until(() => posted.length === 2);
});

test('a cause that comes back after an hour without it is told at once', async () => {
  const notifier = start();
  const purges = () => posted.filter(({ json }) => json.subject === 'purge').length;
  await failPurge();
  await notifier.look();
  await until(() => purges() === 1);
  const succeed = () => server.sql`update job_outcomes set succeeded_at = now() + interval '1 second'`;
  const fail = () => server.sql`update job_outcomes set succeeded_at = null, failed_at = now()`;
  await succeed();
  await notifier.look();
  await fail();
  await notifier.look();
  await Bun.sleep(50);
  expect(purges()).toBe(1);
  await succeed();
  await server.sql`update notices_sent set lasted_to = lasted_to - interval '61 minutes'`;
  await notifier.look();
  await fail();
  await notifier.look();
  await until(() => purges() === 2);
});

test('what one channel took is sent to the other until that takes it, too', async () => {
  const file = join(directory, 'told');
  const notifier = start({ ...WEBHOOK, TELEMETRICSD_NOTIFY_COMMAND: `/bin/sh,-c,cat >>${file}` });
  answer = () => new Response('not now', { status: 500 });
  await notifier.look();
  await until(() => posted.length === 1 + PAUSES.length);
  await until(() => existsSync(file) && readFileSync(file, 'utf8').includes('data stopped arriving'));
  await until(async () => (await sent()).length === 1);
  answer = () => new Response('taken');
  await notifier.look();
  await until(() => posted.length === 2 + PAUSES.length);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
});

test('no more than notify.hourly are sent within an hour', async () => {
  await failPurge();
  const notifier = start({ ...WEBHOOK, TELEMETRICSD_NOTIFY_HOURLY: '1' });
  await notifier.look();
  await until(() => posted.length === 1);
  await notifier.look();
  await server.sql`update notices_sent set sent_at = now() - interval '61 minutes'`;
  await notifier.look();
  await until(() => posted.length === 2);
  expect(posted.map(({ json }) => json.subject).sort()).toEqual(['data stopped arriving', 'purge']);
  expect(posted.find(({ json }) => json.subject === 'purge')!.json).toMatchObject({
    level: 'error',
    reason: 'no room',
  });
});

test('what is not taken is sent again; redirects are not followed', async () => {
  const answers = [
    new Response('', { status: 500 }),
    Response.redirect(`http://127.0.0.1:${hook.port}/elsewhere`, 302),
  ];
  answer = () => answers.shift() ?? new Response('taken');
  await start().look();
  await until(() => logged.some(line => line.includes('admins were told')));
  expect(posted.map(({ path }) => path)).toEqual(Array(3).fill(`/hooks/${SECRET}`));
  expect(logged.join('')).toContain('it answered 500');
  expect(logged.join('')).toContain('it answered 302');
});

test('a webhook that never answers is given up, and its notice is tried again by the next look', async () => {
  answer = undefined;
  const notifier = start(WEBHOOK, 500);
  await notifier.look();
  await until(() => notTaken() === PAUSES.length + 1);
  await until(async () => (await sent()).length === 0);
  expect(posted).toHaveLength(PAUSES.length + 1);
  expect(logged.join('')).toContain('no answer within 0.5 s');
  answer = () => new Response('taken');
  await notifier.look();
  await until(() => logged.some(line => line.includes('admins were told')));
});

test('neither a look nor stopping waits for a webhook; the notice is left to the next start', async () => {
  answer = undefined;
  const notifier = start(WEBHOOK, 60_000);
  await notifier.look();
  // Had it waited, it would have given up with a word of it.
  expect(logged).toEqual([]);
  expect(await sent()).toEqual(['data stopped arriving']);
  await until(() => posted.length === 1);
  await notifier.stop();
  expect(await sent()).toEqual([]);
});

test('a webhook that is away is named by its setting alone', async () => {
  await start({ TELEMETRICSD_NOTIFY_WEBHOOK: `http://127.0.0.1:1/${SECRET}` }).look();
  await until(async () => (await sent()).length === 0);
  expect(logged.join('')).toMatch(/a notice was not taken by=notify\.webhook .*no answer \(\w+\)/);
});

test('a database that is away is told of once, after the third look in vain, and again while nobody has taken it', async () => {
  const away = connect({ target: { socketDir: '/nowhere' }, connections: 1, name: 'test' });
  try {
    answer = () => new Response('not now', { status: 500 });
    const notifier = start(WEBHOOK, undefined, away);
    for (let n = 0; n < 2; n++) await notifier.look();
    expect(posted).toEqual([]);
    await notifier.look();
    await until(() => notTaken() === PAUSES.length + 1);
    answer = () => new Response('taken');
    for (let n = 0; n < 3; n++) await notifier.look();
    await until(() => logged.some(line => line.includes('admins were told')));
    const last = posted.at(-1)!.json;
    expect(last).toMatchObject({ subject: `database of ${hostname()}`, level: 'error', reason: expect.any(String) });
    expect(last.text).toMatch(/^Database: it could not be asked for [45] minutes/);
    expect(posted).toHaveLength(PAUSES.length + 2);
  } finally {
    await away.end({ timeout: 1 });
  }
});

test('a program reads the notice from its stdin, with no shell and none of our environment', async () => {
  const file = join(directory, 'notice');
  const program = `/bin/sh,-c,{ cat; echo "$1 $TELEMETRICSD_STATE_DIR$HOME."; } >"$0.new"; mv "$0.new" "$0",${file},$(id);x`;
  await start({ TELEMETRICSD_NOTIFY_COMMAND: program }).look();
  await until(() => logged.some(line => line.includes('admins were told')));
  const [json, rest] = readFileSync(file, 'utf8').split('\n');
  expect(JSON.parse(json!)).toMatchObject({ subject: 'data stopped arriving' });
  expect(rest).toBe('$(id);x .');
});

test.each([
  ['one that fails', '/bin/false', undefined, 'it ended with exit code 1'],
  ['one that hangs', '/bin/sleep,60', 100, 'it did not end within 0.1 s'],
  ['one that is not there', '/nowhere/at/all', undefined, 'ENOENT'],
])('a program: %s', async (_what, command, deadlineMs, reason) => {
  await start({ TELEMETRICSD_NOTIFY_COMMAND: command }, deadlineMs).look();
  await until(async () => (await sent()).length === 0);
  expect(logged.join('')).toContain(reason);
});

test('what there is to tell', async () => {
  const config = testConfig({ TELEMETRICSD_BACKUP_DIR: '/b', TELEMETRICSD_NOTIFY_GUILTY_MACHINES: '3' });
  const state = await serverState(server.sql, watchedWith(config));
  const failed = { succeededAt: null, failedAt: new Date(), failure: 'x' };
  const dropped = (lastAt: Date) => ({ fleet: 'servers', kind: 'dropped' as const, requests: 3, lastAt });
  const guilty = { id: 7, function: 'f()', module: 'm', systems: ['os'], firstBuild: '10', records: 9 };
  const notices = (changes: Partial<typeof state>, machines = 3) =>
    noticesOf({ ...state, lastArrival: undefined, ...changes }, [{ ...guilty, machines }], config).map(({ subject }) =>
      subject.replace(/ of \S+$/, ''),
    );
  expect(notices({})).toEqual([]);
  expect(notices({ jobs: new Map([['backup', failed]]) })).toEqual(['backup']);
  expect(notices({ disk: { freeBytes: 1, reserveBytes: 2, low: true } })).toEqual(['disk']);
  expect(notices({ certificate: { notAfter: new Date(), refused: undefined } })).toEqual(['certificate']);
  expect(notices({ database: { ...state.database, quarantined: 9, quarantinedLately: 9 } })).toEqual([]);
  expect(notices({ database: { ...state.database, quarantined: 10, quarantinedLately: 10 } })).toEqual([
    'quarantine grows',
  ]);
  expect(notices({ excesses: [dropped(new Date())] })).toEqual(['records of servers dropped']);
  expect(notices({ excesses: [dropped(new Date(0)), { ...dropped(new Date()), kind: 'postponed' }] })).toEqual([]);
  expect(notices({}, 4)).toEqual(['guilty 7']);
});

test.each<[env: Record<string, string>, site: string | undefined]>([
  [{ PUBLIC_URL: 'https://telemetry.example.org', LISTEN: ':8080' }, 'https://telemetry.example.org'],
  [{ LISTEN: '127.0.0.1:8080' }, 'http://127.0.0.1:8080'],
  [{ LISTEN: ':8080' }, `http://${hostname()}:8080`],
  [{ LISTEN: '127.0.0.1:8080,192.0.2.7:8081=pages' }, 'http://192.0.2.7:8081'],
  [{ LISTEN: ':8081=collector,[2001:db8::1]:8082=pages' }, 'http://[2001:db8::1]:8082'],
  [{ LISTEN: 'telemetry.example.org:80' }, 'http://telemetry.example.org:80'],
  [{ LISTEN: ':8081=collector,unix:/run/pages.sock=pages' }, undefined],
])('links of notices with http.%j begin with %s', (settings, site) => {
  const env = Object.entries(settings).map(([name, value]) => [`TELEMETRICSD_HTTP_${name}`, value]);
  expect(pagesUrl(testConfig(Object.fromEntries(env)))).toBe(site);
});

test('a new guilty on many machines is told once', async () => {
  for (const machine of ['a', 'b', 'c']) await server.crash(['newGuilty()', 'main()'], { machine_id: machine });
  await server.analyse();
  const notifier = start({ ...WEBHOOK, TELEMETRICSD_NOTIFY_GUILTY_MACHINES: '2' });
  await notifier.look();
  const isNew = ({ json }: Posted) => json.text.startsWith('A new guilty on 3 machines: newGuilty() in /usr/bin/app');
  await until(() => posted.some(isNew));
  const [row] = await server.sql`select id from guilties where function = 'newGuilty()'`;
  const { remedy, status } = posted.find(isNew)!.json;
  expect(remedy).toBe(`See where it happens: http://127.0.0.1:8080/telemetryui/crashes/guilty_details/${row!.id}`);
  expect(status).toBe('http://127.0.0.1:8080/telemetryui/status');
  await server.sql`update notices_sent set sent_at = now() - interval '90 hours'`;
  const before = posted.length;
  await notifier.look();
  await Bun.sleep(50);
  expect(posted.slice(before).filter(({ json }) => json.subject.startsWith('guilty'))).toEqual([]);
});
