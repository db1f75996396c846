import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addToken } from '../../src/access/tokens.ts';
import { type App, createApp } from '../../src/app.ts';
import type { Collector } from '../../src/collector/collector.ts';
import type { Sql } from '../../src/db/connect.ts';
import { type Database, databaseAt } from '../../src/db/database.ts';
import { purge } from '../../src/retention/purge.ts';
import type { Check } from '../../src/status/check.ts';
import { accountsApp } from '../access/accounts-app.ts';
import { appOn, get, getJson, post, testConfig } from '../app.ts';
import { quietLog, type TestDatabase, testDatabase } from '../database.ts';
import { eventually } from '../executable/program.ts';

/** The collector's deadline becomes four seconds. */
const PACE = 0.2;

const LISTENER = { address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080, serves: 'all' as const };

interface Server {
  app: App;
  collector: Collector;
  /** With its deadlines shortened. */
  database: Database;
  close(): Promise<void>;
}

let base: TestDatabase;
let server: Server;
/** Looks at the database beside all that is stopped. */
let observer: Sql;
const stopped = new Set<number>();

beforeAll(async () => {
  base = await testDatabase();
  observer = base.client('observer');
  server = await serverAt(base.target);
});
afterEach(() => {
  for (const pid of stopped) signal(pid, 'SIGCONT');
  stopped.clear();
});
afterAll(async () => {
  await server.close();
  await base.close();
});

async function serverAt(target: Database['target']): Promise<Server> {
  const database = databaseAt(target, 4, { pace: PACE });
  const { app, collector } = await appOn(database);
  return {
    app,
    collector,
    database,
    async close() {
      await collector.drain();
      await database.close();
    },
  };
}

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}

async function backends(client: string) {
  const rows = await observer<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and application_name = ${`telemetricsd ${client}`}`;
  return rows.map(({ pid }) => pid);
}

/** Stops the server's processes of a client, as if they hung. */
async function stop(client: string): Promise<number[]> {
  const pids = await backends(client);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) {
    stopped.add(pid);
    signal(pid, 'SIGSTOP');
  }
  return pids;
}

/** Machines that send each record until it is taken. */
function machines({ app }: Server, count: number) {
  const taken: number[] = [];
  const sent = new Set<string>();
  let stopping = false;
  const one = async (machine: number) => {
    for (let n = 0; !stopping; n++) {
      const payload = `${machine} ${n}`;
      sent.add(payload);
      for (let answer = 0; answer !== 201; ) {
        ({ status: answer } = await post(app, { machine_id: `m${machine}` }, payload));
        if (answer !== 201) await Bun.sleep(20);
      }
      taken.push(performance.now());
    }
  };
  const all = Promise.all(Array.from({ length: count }, (_, machine) => one(machine)));
  return {
    sent,
    taken,
    async finish() {
      stopping = true;
      await all;
    },
  };
}

async function storedPayloads(): Promise<string[]> {
  return (await observer<{ payload: string }[]>`select payload from records`).map(({ payload }) => payload);
}

test('records go on being stored where the process behind the collector hangs; none is lost, none is there twice', async () => {
  const load = machines(server, 16);
  await eventually('records are stored', () => load.taken.length > 100);
  for (let round = 0; round < 2; round++) {
    const before = load.taken.length;
    const [pid] = await stop('collector');
    await eventually('they are stored again', () => load.taken.length > before + 200);
    expect(await backends('collector')).not.toContain(pid!);
  }
  await load.finish();
  expect((await storedPayloads()).sort()).toEqual([...load.sent].sort());
});

test('the same where packets are swallowed, also in the middle of a transaction', async () => {
  const line = await swallowingLine();
  const behind = await serverAt(line.target);
  try {
    const refused = () => post(behind.app, { severity: '9', machine_id: 'swallowed' }, 'refused');
    const stored = () => post(behind.app, { machine_id: 'swallowed' }, 'stored');
    expect([(await refused()).status, (await stored()).status]).toEqual([400, 201]);
    const release = await lockTables('quarantine', 'recent_records');
    const answers = [refused(), post(behind.app, { machine_id: 'swallowed' }, 'on its way')];
    await eventually('both wait', async () => (await waitingForLocks()) === 2);
    line.swallow();
    await release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 503]);
    await eventually('refused records are kept again', async () => (await refused()).status === 400);
    await eventually('records are stored again', async () => (await stored()).status === 201);
    expect((await post(behind.app, { machine_id: 'swallowed' }, 'on its way')).status).toBe(201);
    const rows = await observer`select payload from records where machine_id = 'swallowed' order by payload`;
    expect(rows.map(({ payload }) => payload)).toEqual(['on its way', 'stored']);
    expect(await idleInTransaction()).toBe(0);
  } finally {
    await behind.close();
    line.close();
  }
});

/** A way to the database on which everything under way can get lost, while new connections work. */
async function swallowingLine() {
  const { target } = base;
  const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-line-'));
  const real = 'socketDir' in target ? `${target.socketDir}/.s.PGSQL.5432` : '';
  const sockets = new Set<Socket>();
  const proxy = createServer(near => {
    const far = connect(real);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>(resolve => proxy.listen(join(directory, '.s.PGSQL.5432'), resolve));
  return {
    target: { ...target, socketDir: directory },
    swallow() {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
      sockets.clear();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      rmSync(directory, { recursive: true });
    },
  };
}

const lockTables = (...tables: string[]) => lockTablesOf(base, ...tables);

async function lockTablesOf(database: Database, ...tables: string[]) {
  const locker = database.client('locker');
  const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = locker.begin(async tx => {
    for (const table of tables) await tx`lock table ${tx(table)} in access exclusive mode`;
    locked.resolve();
    await release.promise;
  });
  await locked.promise;
  return async () => {
    release.resolve();
    await done;
    await locker.end();
  };
}

async function activity(condition: ReturnType<Sql>) {
  const [row] = await observer<{ n: number }[]>`
    select count(*) as n from pg_stat_activity where datname = current_database() and ${condition}`;
  return row!.n;
}
const waitingForLocks = () => activity(observer`wait_event_type = 'Lock'`);
const idleInTransaction = () => activity(observer`state = 'idle in transaction'`);

test('how long records have waited to be committed is told, whatever became of each attempt', async () => {
  const release = await lockTables('recent_records');
  const load = machines(server, 4);
  const checks = async (): Promise<Check[]> => (await getJson(server.app, '/api/status')).json.checks;
  try {
    await eventually('the server is not ready', async () => (await get(server.app, '/readyz')).status === 503);
    expect((await checks()).find(({ name }) => name === 'Queue')).toMatchObject({
      level: 'error',
      text: expect.stringMatching(/^The oldest record that could not be committed came \d\d s ago\. 4 records of/),
    });
    const metrics = await (await get(server.app, '/metrics')).text();
    expect(Number(/^telemetricsd_uncommitted_seconds (.*)$/m.exec(metrics)?.[1])).toBeGreaterThan(10);
  } finally {
    await release();
  }
  await eventually('it is ready', async () => (await get(server.app, '/readyz')).status === 200);
  await load.finish();
  expect((await checks()).find(({ name }) => name === 'Queue')?.level).toBe('ok');
});

test('while the database stands still, everything is answered in time, and what this process knows is told', async () => {
  const accounts = await accountsApp();
  const { config, collector } = accounts;
  const observed = accounts.database.client('observer');
  const database = databaseAt(accounts.database.target, 4, { pace: PACE });
  const patience = { answerWithinMs: 3_000, mostUnderWay: 50 };
  const open = testConfig();
  const [withAccounts, withoutAccounts] = [config, open].map(each =>
    createApp({ config: each, database, collector, log: quietLog, patience }, LISTENER),
  ) as [App, App];
  const ask = async (app: App, path: string, headers: Record<string, string> = {}) => {
    const started = performance.now();
    const request = new Request(`http://localhost:8080${path}`, { headers: { Host: 'localhost:8080', ...headers } });
    const response = await app.fetch(request);
    return { status: response.status, text: await response.text(), seconds: (performance.now() - started) / 1000 };
  };
  const tokens = await Promise.all(
    ['known', 'unknown'].map(name =>
      addToken(observed, { name, scopes: ['metrics:read'], days: undefined, createdBy: 'test' }),
    ),
  );
  const [known, unknown] = tokens.map(token => ({ Authorization: `Bearer ${token}` }));
  expect((await ask(withAccounts, '/metrics', known)).status).toBe(200);
  for (const path of ['/telemetryui/builds', '/readyz', '/api/records?payload=x', '/telemetryui/records'])
    expect([path, (await ask(withoutAccounts, path)).status]).toEqual([path, 200]);

  const pids = await observed<{ pid: number }[]>`
    select pid from pg_stat_activity
     where datname = current_database() and application_name like 'telemetricsd%' and pid <> pg_backend_pid()`;
  const freeze = () => {
    for (const { pid } of pids) {
      stopped.add(pid);
      signal(pid, 'SIGSTOP');
    }
  };
  const release = await lockTablesOf(
    accounts.database,
    'records',
    'build_counts',
    'schema_migrations',
    'tokens',
    'quarantine',
  );
  freeze();
  try {
    const [page, api, ready, metrics, status, statusPage, watched, stranger, manual, manualWithAccounts] =
      await Promise.all([
        ask(withoutAccounts, '/telemetryui/builds'),
        ask(withoutAccounts, '/api/records'),
        ask(withoutAccounts, '/readyz'),
        ask(withoutAccounts, '/metrics'),
        ask(withoutAccounts, '/api/status'),
        ask(withoutAccounts, '/telemetryui/status'),
        ask(withAccounts, '/metrics', known),
        ask(withAccounts, '/metrics', unknown),
        ask(withoutAccounts, '/telemetryui/help/watch'),
        ask(withAccounts, '/telemetryui/help/watch'),
      ]);
    expect([page.status, api.status, ready.status, stranger.status]).toEqual([503, 503, 503, 503]);
    expect([metrics.status, status.status, statusPage.status, watched.status]).toEqual([200, 200, 200, 200]);
    expect([manual.status, manualWithAccounts.status]).toEqual([200, 200]);
    for (const { seconds } of [page, api]) expect(seconds).toBeWithin(2.9, 20);
    expect(ready.seconds).toBeLessThan(20);
    for (const { text } of [metrics, watched]) {
      expect(text).toContain('telemetricsd_database_up 0');
      expect(text).toContain('telemetricsd_resident_memory_bytes ');
      expect(text).not.toContain('telemetricsd_database_bytes');
    }
    const checks = JSON.parse(status.text).checks as Check[];
    expect(checks.find(({ name }) => name === 'Database')).toMatchObject({
      level: 'error',
      text: 'It does not answer.',
    });
    expect(checks.map(({ name }) => name)).not.toContain('Data');
    expect(statusPage.text).toContain('Something is wrong: Database');
  } finally {
    await release();
    for (const { pid } of pids) signal(pid, 'SIGCONT');
  }
  await eventually('all is well again', async () => (await ask(withoutAccounts, '/readyz')).status === 200);
  await eventually('pages are', async () => (await ask(withoutAccounts, '/telemetryui/builds')).status === 200);
  await database.close();
  await accounts.close();
});

describe('each client goes on where the process behind its connection hangs', () => {
  const asked = async (path: string) => (await get(server.app, path)).status;
  const clients: Record<string, () => Promise<boolean>> = {
    quarantine: async () => (await post(server.app, { severity: '9' }, crypto.randomUUID())).status === 400,
    pages: async () => (await asked('/telemetryui/builds')) === 200,
    health: async () => (await asked('/readyz')) === 200,
    search: async () => (await asked('/api/records?payload=x&limit=1')) === 200,
    export: async () => (await asked('/telemetryui/records/export/records-x.csv?payload=x')) === 200,
    counters: async () => {
      await post(server.app, {}, crypto.randomUUID());
      await server.collector.counted();
      return (await observer`select from uncounted`).length === 0;
    },
  };
  test.each(Object.keys(clients))('%s', async client => {
    const works = clients[client]!;
    expect(await works()).toBe(true);
    const pids = await stop(client);
    await eventually('it works again', works);
    await eventually('what hung is gone', async () => !(await backends(client)).some(pid => pids.includes(pid)));
  });

  test('purge', async () => {
    const sql = server.database.client('purge', { deadlineMs: 5_000 });
    const run = () => purge(sql, testConfig(), quietLog);
    expect(await run()).toBeDefined();
    await stop('purge');
    await expect(run()).rejects.toThrow('no answer within 1.25 s');
    expect(await run()).toBeDefined();
  });
});
