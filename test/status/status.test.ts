import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createApp } from '../../src/app.ts';
import { watchWrongTids } from '../../src/collector/wrong-tids.ts';
import type { Listener } from '../../src/config/listener.ts';
import { remembered } from '../../src/jobs.ts';
import { createLog } from '../../src/log.ts';
import type { Plugins } from '../../src/plugins/plugins.ts';
import { PROBE_VERSION } from '../../src/probe/files.ts';
import { forgetProbeHeartbeats } from '../../src/probe/versions.ts';
import type { Check, Level } from '../../src/status/check.ts';
import { checksOf } from '../../src/status/checks.ts';
import type { ServerState } from '../../src/status/state.ts';
import { accountsApp } from '../access/accounts-app.ts';
import { appOn, get, getJson, getPage, post, recordHeaders, send, testConfig } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { quietLog } from '../database.ts';

const LIMITED = { TELEMETRICSD_QUARANTINE_MAX_RECORDS: '10' };
const listener: Listener = { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves: 'all' };

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp(LIMITED);
});
afterAll(() => server.close());

async function status(app = server.app): Promise<{ level: Level; checks: Map<string, Check> }> {
  const { json } = await getJson(app, '/api/status');
  return { level: json.level, checks: new Map(json.checks.map((check: Check) => [check.name, check])) };
}

test('says in words how the server is doing, as JSON and as a page', async () => {
  const before = await status();
  expect(before.checks.get('Data')?.text).toBe('No record has arrived yet.');
  expect(before.checks.get('Quarantine')?.level).toBe('ok');
  await post(server.app);
  await server.crash(['a()', 'main()']);
  await post(server.app, { severity: '9' });
  await server.sql`update work_queue set queued_at = now() - interval '10 minutes'`;
  const { level, checks } = await status();
  expect(level).toBe('warning');
  expect(checks.get('Data')?.text).toMatch(/^The last record came (just now|\d+ seconds? ago)\.$/);
  expect(checks.get('Records')?.text).toBe('Since the server started: 2 stored, 1 quarantined.');
  expect(checks.get('Quarantine')).toMatchObject({
    level: 'warning',
    text: expect.stringMatching(/^1 refused record \(.+\), 1 of them new within the hour\.$/),
  });
  expect(checks.get('Crash analysis')).toMatchObject({
    level: 'warning',
    text: '1 crash record waits, the oldest for 10 min.',
  });
  expect(checks.get('Backup')).toMatchObject({ level: 'warning', remedy: expect.stringContaining('backup.dir') });
  const { html } = await getPage(server.app, '/telemetryui/status');
  expect(html).toContain('Needs attention: Quarantine, Crash analysis, Backup.');
  for (const check of checks.values()) expect(html).toContain(check.name);
  expect((await getPage(server.app, '/telemetryui')).html).toContain('href="/telemetryui/status"');
});

test('the versions of the probe that report are counted by their daily heartbeats; older ones are warned of with the remedy', async () => {
  expect((await status()).checks.get('Probes')).toBeUndefined();
  const beat = (n: number, probe: string, classification = 'telemetricsd/heartbeat/ping') =>
    post(
      server.app,
      { machine_id: `${n}`, event_id: `${n}`.repeat(32), classification, severity: '1' },
      `uptime: 9\nprobe: ${probe}\n`,
    );
  const heard = async () => {
    // Pages first count what is stored.
    const { html } = await getPage(server.app, '/telemetryui');
    return { html, check: (await status()).checks.get('Probes') };
  };
  await beat(1, `${PROBE_VERSION}`);
  await beat(2, `${PROBE_VERSION + 1}`);
  await beat(3, 'mine');
  await beat(4, '0', 'telemetricsd/hello/world');
  await beat(5, '0', 'org.clearlinux/heartbeat/ping');
  const well = await heard();
  expect(well.check).toMatchObject({
    level: 'ok',
    text: expect.stringMatching(
      new RegExp(
        `^1 machine with version ${PROBE_VERSION + 1}, 1 machine with version ${PROBE_VERSION}\\. These are the heartbeats since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC, one a day from each machine\\. This server carries version ${PROBE_VERSION}\\.$`,
      ),
    ),
  });
  expect(well.html).not.toContain('older probe');

  await beat(6, '0');
  await beat(7, '0');
  const old = await heard();
  expect(old.check).toMatchObject({
    level: 'warning',
    text: expect.stringContaining('2 machines with version 0.'),
    remedy: expect.stringContaining('Run the installer of Connect machines again'),
  });
  expect(old.html).toContain('2 machines report with an older probe');
  expect((await getPage(server.app, '/telemetryui/status')).html).toContain(
    '<a href="/telemetryui/connect">Probes</a>',
  );
  const [, found = ''] = /href="([^"]*parsed\.probe=0)"/.exec(old.html) ?? [];
  expect((await getPage(server.app, found.replaceAll('&amp;', '&'))).html).toContain('machine_id=6"');

  const { sql } = server.database;
  await sql`update probe_heartbeats set quarter = quarter - interval '1 day'`;
  expect((await heard()).check).toBeUndefined();
  await forgetProbeHeartbeats(sql);
  expect(await sql`select from probe_heartbeats`).not.toHaveLength(0);
  await sql`update probe_heartbeats set quarter = quarter - interval '25 hours'`;
  await forgetProbeHeartbeats(sql);
  expect(await sql`select from probe_heartbeats`).toHaveLength(0);
});

test('how the last purge and backup went is known to the next server, and to /metrics', async () => {
  const { sql } = server.database;
  expect(await remembered(sql, 'purge', async () => undefined)).toBeUndefined();
  expect((await status()).checks.get('Purge')?.text).toStartWith('None yet. The next is due 20');
  await remembered(sql, 'purge', async () => 1);
  const failing = async () => {
    throw new Error('/backup/x: no space\0 left');
  };
  await expect(remembered(sql, 'backup', failing)).rejects.toThrow('no space');

  const config = testConfig({ TELEMETRICSD_BACKUP_DIR: '/backup' });
  const plugins = { tabs: () => [], leftOut: () => [{ name: 'kernels', problem: 'no view.tsx' }] };
  const next = createApp(
    {
      config,
      database: server.database,
      collector: server.collector,
      log: quietLog,
      plugins: plugins as unknown as Plugins,
      disk: () => ({ freeBytes: 1e6, reserveBytes: 1e9, low: true }),
      certificate: { state: { notAfter: new Date('2020-01-02') }, refused: 'keys differ' } as never,
    },
    listener,
  );
  const { level, checks } = await status(next);
  expect(level).toBe('error');
  expect(checks.get('Purge')).toMatchObject({
    level: 'ok',
    text: expect.stringMatching(/^The last was (just now|\d+ seconds? ago)\./),
  });
  expect(checks.get('Backup')).toMatchObject({
    level: 'error',
    text: expect.stringMatching(
      /^The last one failed (just now|\d+ seconds? ago); none has succeeded\. The next is due/,
    ),
    reason: '/backup/x: no space␀ left',
  });
  expect(checks.get('Disk')).toMatchObject({ level: 'error', text: expect.stringContaining('answered 503') });
  expect(checks.get('Certificate')).toMatchObject({ level: 'error', reason: 'keys differ' });
  expect(checks.get('Plugins')).toMatchObject({ level: 'error', text: 'Could not be loaded: kernels.' });

  const metrics = await (await get(next, '/metrics')).text();
  expect(metrics).toMatch(/telemetricsd_job_success_timestamp_seconds\{job="purge"\} 1\d{9}/);
  expect(metrics).toContain('telemetricsd_job_failed{job="backup"} 1');
  expect(metrics).toContain('telemetricsd_certificate_expiry_timestamp_seconds 1577923200');
  expect(metrics).toContain('telemetricsd_plugins_left_out 1');
});

test('only administrators see reasons', async () => {
  const accounts = await accountsApp();
  try {
    const failing = remembered(accounts.database.sql, 'purge', () => Promise.reject(new Error('secret/path')));
    await failing.catch(() => {});
    for (const [as, seen] of [
      ['viewer', false],
      ['metrics:read', false],
      ['admin', true],
    ] as const) {
      const answer = await accounts.ask(as, 'GET', '/api/status');
      const text = await answer.text();
      expect([as, answer.status, text.includes('secret/path')]).toEqual([as, 200, seen]);
    }
  } finally {
    await accounts.close();
  }
});

test('a record posted to a wrong path is refused with the right paths, and admins see the count', async () => {
  const { app, collector } = await appOn(server.database);
  for (const [path, changes] of [
    ['/v2/colector', {}],
    ['/v2/collector/x', {}],
    ['/xmlrpc.php', { 'X-Telemetry-TID': undefined }],
  ] as const) {
    const { status, json } = await send(app, { headers: recordHeaders(changes), body: 'x' }, '10.0.0.7', path);
    expect([status, json.message]).toEqual([
      404,
      `there is nothing at ${path}; records are posted to /, /v2/collector or /v3/collector`,
    ]);
  }
  await app.request('http://localhost:8080/telemetryui/nothing', {
    method: 'POST',
    headers: { Host: 'localhost:8080' },
  });
  const { checks } = await status(app);
  expect(checks.get('Addresses')).toEqual({
    name: 'Addresses',
    level: 'warning',
    text: expect.stringMatching(
      /^Since the server started, 2 POSTs with a TID came to paths that take no records, the last to "\/v2\/collector\/x" (just now|\d+ seconds? ago); and 1 POST without a TID\.$/,
    ),
    reason: 'The last came from 10.0.0.7.',
    remedy: expect.stringContaining('records are posted to /, /v2/collector or /v3/collector'),
  });
  expect((await getPage(app, '/telemetryui/status')).html).toContain('/v2/collector/x');
  const metrics = await (await get(app, '/metrics')).text();
  expect(metrics).toContain('telemetricsd_astray_posts_total{tid="yes"} 2\n');
  expect(metrics).toContain('telemetricsd_astray_posts_total{tid="no"} 1\n');

  const pagesOnly = await appOn(server.database, testConfig(), 'pages');
  const { status: refused, json } = await send(pagesOnly.app, { headers: recordHeaders(), body: 'x' });
  expect([refused, json.message]).toEqual([
    404,
    'there is nothing at /v3/collector; this address takes no records (http.listen)',
  ]);
  expect(pagesOnly.collector.astray.posts().withTid).toBe(1);
  await Promise.all([collector.drain(), pagesOnly.collector.drain()]);
});

test('a TID that is unknown here is counted where admins look', async () => {
  const { app, collector } = await appOn(server.database);
  for (const tid of [undefined, '11111111-aaaa-4aaa-8aaa-111111111111', 'typo'])
    expect(
      (await send(app, { headers: recordHeaders({ 'X-Telemetry-TID': tid }), body: 'x' }, '10.0.0.7')).status,
    ).toBe(400);
  const { checks } = await status(app);
  expect(checks.get('TIDs')).toEqual({
    name: 'TIDs',
    level: 'warning',
    text: expect.stringMatching(
      /^Since the server started, 2 requests had a TID that is unknown here, the last "typo" (just now|\d+ seconds? ago); 1 request had no TID\.$/,
    ),
    reason: 'The last came from 10.0.0.7.',
    remedy: expect.stringContaining('collector.tids'),
  });
  const metrics = await (await get(app, '/metrics')).text();
  expect(metrics).toContain('telemetricsd_wrong_tids_total{tid="unknown"} 2\n');
  expect(metrics).toContain('telemetricsd_wrong_tids_total{tid="missing"} 1\n');
  await collector.drain();
});

test('each wrong TID has a line in the log, up to a bound', () => {
  const lines: string[] = [];
  const { refuse } = watchWrongTids(createLog('info', 'text', line => lines.push(line)));
  for (const tid of [undefined, 'a', 'b', 'a', undefined]) refuse(tid, null);
  expect(lines.map(line => /got \\"(.)|missing/.exec(line)?.[1])).toEqual([undefined, 'a', 'b']);
  for (let n = 0; n < 1_000; n++) refuse(`guess ${n}`, null);
  expect(lines.length).toBeLessThan(100);
});

const NOW = new Date('2026-06-15T12:00:00Z');
const WELL: ServerState = {
  results: new Map(),
  astray: { withTid: 0, others: 0, lastWithTid: undefined },
  wrongTids: { withTid: 0, without: 0, lastWithTid: undefined },
  unreadablePosts: { requests: 0, last: [] },
  connections: undefined,
  waitingForCommit: 0,
  waitingSeconds: 0,
  excesses: [],
  database: {
    databaseBytes: 1e7,
    waiting: 0,
    waitingSeconds: 0,
    failed: 0,
    parsing: 0,
    parsingFailed: 0,
    uncountedSeconds: 0,
    quarantined: 0,
    quarantinedBytes: 0,
    quarantinedLately: 0,
  },
  largestDatabase: undefined,
  jobs: new Map(),
  lastArrival: undefined,
  clock: { trustedAt: 0, lookedAt: 0, doubt: null },
  disk: undefined,
  certificate: undefined,
  pluginsLeftOut: [],
  parserTroubles: [],
  probes: { since: NOW, versions: [] },
};
const at = (time: string) => ({ succeededAt: new Date(time), failedAt: null, failure: null });
const unreadable = (time: string) => ({
  requests: 2,
  last: [{ address: '192.0.2.7', reason: 'Invalid header token', at: new Date(time) }],
});
const connectionsOf = (refused: string | undefined) => ({
  open: 7,
  most: 100,
  refused: refused ? 3 : 0,
  lastRefusedAt: refused === undefined ? undefined : new Date(refused),
  add: () => undefined,
});
const excess = (lastAt: string) => [
  { fleet: 'servers', kind: 'dropped' as const, requests: 3, lastAt: new Date(lastAt) },
];

const wrongTid = (at: string) => ({ tid: '"x"', address: '10.0.0.7', at: new Date(at) });
const astray = (at: string) => ({ path: '"/v2/colector"', address: '10.0.0.7', at: new Date(at) });

test.each<[name: string, level: Level, changes: Partial<ServerState>]>([
  ['Data', 'ok', { lastArrival: { at: new Date('2026-06-15T11:50:00Z'), dayBefore: 500 } }],
  ['Data', 'warning', { lastArrival: { at: new Date('2026-06-15T09:00:00Z'), dayBefore: 500 } }],
  ['Addresses', 'ok', { astray: { withTid: 0, others: 3, lastWithTid: undefined } }],
  ['Addresses', 'ok', { astray: { withTid: 2, others: 0, lastWithTid: astray('2026-06-15T09:30:00Z') } }],
  ['Addresses', 'warning', { astray: { withTid: 1, others: 0, lastWithTid: astray('2026-06-15T11:30:00Z') } }],
  ['TIDs', 'ok', { wrongTids: { withTid: 0, without: 3, lastWithTid: undefined } }],
  ['TIDs', 'ok', { wrongTids: { withTid: 2, without: 0, lastWithTid: wrongTid('2026-06-15T09:30:00Z') } }],
  ['TIDs', 'warning', { wrongTids: { withTid: 1, without: 0, lastWithTid: wrongTid('2026-06-15T11:30:00Z') } }],
  ['Database', 'ok', { largestDatabase: 2e7 }],
  ['Database', 'warning', { largestDatabase: 1e6 }],
  ['Requests', 'warning', { unreadablePosts: unreadable('2026-06-15T11:30:00Z') }],
  ['Requests', 'ok', { unreadablePosts: unreadable('2026-06-15T09:30:00Z') }],
  ['Connections', 'ok', { connections: connectionsOf(undefined) }],
  ['Connections', 'ok', { connections: connectionsOf('2026-06-15T09:30:00Z') }],
  ['Connections', 'warning', { connections: connectionsOf('2026-06-15T11:30:00Z') }],
  ['Queue', 'error', { waitingForCommit: 19_000 }],
  ['Queue', 'error', { waitingForCommit: 1, waitingSeconds: 12 }],
  ['Queue', 'ok', { waitingForCommit: 1, waitingSeconds: 2 }],
  ['Counters', 'warning', { database: { ...WELL.database, uncountedSeconds: 90 } }],
  ['Probes', 'ok', { probes: { since: NOW, versions: [{ version: PROBE_VERSION, machines: 3 }] } }],
  ['Probes', 'warning', { probes: { since: NOW, versions: [{ version: PROBE_VERSION - 1, machines: 3 }] } }],
  ['Limits', 'warning', { excesses: excess('2026-06-15T11:30:00Z') }],
  ['Limits', 'ok', { excesses: excess('2026-06-15T09:30:00Z') }],
  ['Quarantine', 'warning', { database: { ...WELL.database, quarantined: 9_500 } }],
  ['Quarantine', 'ok', { database: { ...WELL.database, quarantined: 95 } }],
  ['Payloads', 'warning', { database: { ...WELL.database, parsingFailed: 2 } }],
  ['Payloads', 'ok', { database: { ...WELL.database, parsing: 2 } }],
  ['Crash analysis', 'error', { database: { ...WELL.database, waiting: 5, waitingSeconds: 4_000 } }],
  ['Crash analysis', 'warning', { database: { ...WELL.database, failed: 1 } }],
  ['Crash analysis', 'ok', { database: { ...WELL.database, waiting: 5, waitingSeconds: 4 } }],
  ['Disk', 'ok', { disk: { freeBytes: 5e9, reserveBytes: 1e9, low: false } }],
  ['Disk', 'warning', { disk: { freeBytes: 1.5e9, reserveBytes: 1e9, low: false } }],
  ['Purge', 'ok', { jobs: new Map([['purge', at('2026-06-14T04:30:05Z')]]) }],
  ['Purge', 'warning', { jobs: new Map([['purge', at('2026-06-13T04:30:05Z')]]) }],
  ['Certificate', 'ok', { certificate: { notAfter: new Date('2026-07-16'), refused: undefined } }],
  ['Certificate', 'warning', { certificate: { notAfter: new Date('2026-07-14'), refused: undefined } }],
])('%s: %s', (name, level, changes) => {
  const checks = checksOf({ ...WELL, ...changes }, testConfig(), NOW);
  expect(checks.find(check => check.name === name)).toMatchObject({ level });
});
