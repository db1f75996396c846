import { beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS, listenersOfEachKind, placeOf } from './listeners.ts';
import { missingFrom, startLoad, tally } from './load.ts';
import {
  childrenOf,
  eventually,
  isAlive,
  killPostgres,
  type Program,
  STOPPED_WITHIN_MS,
  signal,
  workspace,
} from './program.ts';
import { exchange, get, headerBlock, headerRequest, openWire, type Place } from './wire.ts';

const space = workspace();
const { start, path } = space;
const LOAD_MS = 1_000;
const ROUNDS = 4;

let beset: Program;
let droppedAfter: Promise<number>[];

beforeAll(async () => {
  // It takes half a minute until they are dropped: the other tests go on beside them, and the last one looks.
  beset = await start({ env: listenersOfEachKind(space) });
  const places = KINDS.map(kind => placeOf(beset, kind));
  const stalled = await Promise.all(
    places.flatMap(place => Array.from({ length: 100 }, (_, n) => openStalled(place, n))),
  );
  droppedAfter = stalled.map(({ dropped }) => dropped);
});

/** Some stop inside the headers, some inside the body. `dropped`: how long after that. */
async function openStalled(place: Place, n: number) {
  const wire = await openWire(place);
  wire.write(n % 2 === 0 ? 'POST /v2/collector HTTP/1.1\r\nHost: 127.0.0.1\r\nrecord_for' : `${headerBlock(500)}half`);
  const since = performance.now();
  return { dropped: wire.closed.then(() => performance.now() - since) };
}

test('a killed one that its parent has not reaped yet keeps nobody from starting', async () => {
  const stateDir = path('unreaped');
  mkdirSync(stateDir);
  const parent = Bun.spawn(['sh', '-c', 'sleep 0 & echo $!; exec sleep 60']);
  space.defer(() => parent.kill());
  const pid = Number(new TextDecoder().decode((await parent.stdout.getReader().read()).value));
  const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  await eventually('it is a zombie', () => stat()[0] === 'Z');
  writeFileSync(join(stateDir, 'telemetricsd.pid'), `${pid} ${stat()[19]}\n`);
  expect((await (await start({ stateDir })).stop()).code).toBe(0);
});

test('senders that stall hold nobody up', async () => {
  const asked = performance.now();
  expect((await exchange(beset.port, headerRequest('hello\n'))).status).toBe(201);
  // One that waited for them would wait for half a minute.
  expect(performance.now() - asked).toBeLessThan(20_000);
});

test('kill -9 under full load, again and again: what was answered 201 is there, and the next start needs no help', async () => {
  const stateDir = path('killed');
  const acknowledged = new Map<string, number>();
  for (let round = 1; round <= ROUNDS; round++) {
    const program = await start({ stateDir });
    const load = startLoad(program.port);
    await Bun.sleep(LOAD_MS);
    await eventually('the load is under way', () => load.acknowledged.size > 200);
    await program.kill();
    // As when the machine itself goes down: nothing is left that could still write.
    if (round % 2 === 0) await killPostgres(stateDir);
    await load.stop();
    expect(load.statuses).toEqual({ 201: load.acknowledged.size });
    for (const [event, id] of load.acknowledged) acknowledged.set(event, id);
  }
  const program = await start({ stateDir });
  const sql = program.sql();
  expect(await missingFrom(sql, acknowledged)).toEqual([]);
  const { records, repeated, byBuild, byHour, byKernel } = await tally(sql);
  await sql.end({ timeout: 5 });
  expect(repeated).toBe(0);
  expect({ byBuild, byHour, byKernel }).toEqual({ byBuild: records, byHour: records, byKernel: records });
  expect((await program.stop()).code).toBe(0);
});

test('PostgreSQL killed under full load: 503 meanwhile, it comes back by itself, what was answered 201 is there', async () => {
  const program = await start();
  const load = startLoad(program.port, { reconnect: true });
  for (let round = 1; round <= ROUNDS; round++) {
    await Bun.sleep(300);
    const postmaster = program.postmaster()!;
    // Once only one of its processes, after which it restarts the others by itself.
    if (round === ROUNDS) signal(childrenOf(postmaster).at(-1)!, 'SIGKILL');
    else signal(postmaster, 'SIGKILL');
    const answered = load.acknowledged.size;
    await eventually('records are stored again', () => load.acknowledged.size > answered + 500);
    if (round < ROUNDS) expect(program.postmaster()).not.toBe(postmaster);
  }
  await load.stop();
  const { 201: stored, 503: unavailable, ...others } = load.statuses;
  expect(others).toEqual({});
  expect(stored).toBe(load.acknowledged.size);
  expect(unavailable).toBeGreaterThan(0);
  expect(load.broken).toBe(0);
  expect(isAlive(program.pid)).toBe(true);
  expect(program.output()).toContain('PostgreSQL is back');
  const sql = program.sql();
  expect(await missingFrom(sql, load.acknowledged)).toEqual([]);
  const { records, repeated, byBuild } = await tally(sql);
  await sql.end({ timeout: 5 });
  expect({ repeated, byBuild }).toEqual({ repeated: 0, byBuild: records });
  expect((await program.stop()).code).toBe(0);
});

test('while PostgreSQL is down, every address says so with 503 and pages stay readable', async () => {
  const program = await start();
  const { port } = program;
  const postmaster = program.postmaster()!;
  // It does not start with a mistake in its configuration.
  const blocked = join(program.stateDir, 'data/postgresql.conf');
  const settings = await Bun.file(blocked).text();
  await Bun.write(blocked, 'this is no setting\n');
  signal(postmaster, 'SIGKILL');
  await eventually('it is noticed', () => program.output().includes('PostgreSQL went down'));

  const refused = await exchange(port, headerRequest('hello\n'));
  expect(refused).toMatchObject({
    status: 503,
    headers: { 'retry-after': '5' },
    json: { message: expect.any(String) },
  });
  for (const path of ['/api/records', '/telemetryui/records', '/telemetryui/quarantine', '/readyz']) {
    expect([path, (await exchange(port, get(path))).status]).toEqual([path, 503]);
  }
  expect((await exchange(port, get('/telemetryui/records'))).text).toContain('<html lang="en">');
  expect((await exchange(port, get('/healthz'))).status).toBe(200);

  await Bun.write(blocked, settings);
  await eventually('it is back', async () => (await exchange(port, get('/readyz'))).status === 200);
  expect((await exchange(port, headerRequest('hello\n'))).status).toBe(201);
  expect((await program.stop()).code).toBe(0);
});

test('a stop while PostgreSQL can not start ends in time', async () => {
  const program = await start();
  await Bun.write(join(program.stateDir, 'data/postgresql.conf'), 'this is no setting\n');
  signal(program.postmaster()!, 'SIGKILL');
  await eventually('it can not start', () => program.output().includes('PostgreSQL does not start'));
  const { code, ms } = await program.stop();
  expect({ code, inTime: ms < STOPPED_WITHIN_MS }).toEqual({ code: 0, inTime: true });
});

test('senders that stall are dropped', async () => {
  expect(Math.max(...(await Promise.all(droppedAfter)))).toBeLessThan(55_000);
});
