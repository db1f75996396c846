import { afterAll, beforeAll, expect, test } from 'bun:test';
import { rebuildCounters } from '../../src/counters/count.ts';
import type { Sql } from '../../src/db/connect.ts';
import type { Database } from '../../src/db/database.ts';
import type { Report } from '../../src/records/record.ts';
import { storeBatch } from '../../src/records/store.ts';
import { allCounted, appOn, recordHeaders, type TestApp, TID, testApp } from '../app.ts';
import { passDays } from '../time.ts';
import { countAll, readCounters } from './counter-tables.ts';

let server: TestApp;
let second: Database;
beforeAll(async () => {
  server = await testApp();
  second = server.database.another();
});
afterAll(async () => {
  await second.close();
  await server.close();
});

async function expectAllCounted() {
  const { sql } = server.database;
  expect(await readCounters(sql)).toEqual(await countAll(sql));
}

/** Stores a record of each machine as a process does that dies before it has counted them. */
async function leaveUncounted(...machines: string[]) {
  await storeBy(server.database.sql, machines);
}

async function storeBy(sql: Sql, machines: string[]) {
  const [fleet] = await sql<{ id: number }[]>`select id from fleets where tid = ${TID}`;
  const batch = machines.map(machineId => ({
    report: {
      machineId,
      external: false,
      severity: 1,
      recordFormatVersion: 4,
      payloadFormatVersion: 1,
      classification: 'a/mce/corrected',
      systemName: 'debian',
      build: '13.1',
      arch: 'x86_64',
      kernelVersion: '6.12',
      hostType: 'v|p|1',
      boardName: null,
      cpuModel: 'cpu model',
      biosVersion: null,
      eventId: null,
      capturedAt: 1,
      payload: 'left',
    } satisfies Report,
    fleetId: fleet!.id,
    fingerprint: crypto.randomUUID(),
    work: [],
    parsed: undefined,
    scrubbedBy: [],
    wayIn: 'headers' as const,
  }));
  await storeBatch(sql, batch);
}

test('what a process left uncounted when it died is counted by the next one, each day for itself', async () => {
  const { sql } = server.database;
  await leaveUncounted('left-1', 'left-2');
  await passDays(sql, 1);
  await leaveUncounted('left-1', 'left-1', 'left-3');
  await allCounted((await appOn(second, server.config)).collector, sql);
  await expectAllCounted();
});

test('rebuilding counts what is uncounted once', async () => {
  const { sql } = server.database;
  await leaveUncounted('left-1', 'left-4');
  for (const row of (await readCounters(sql)).record_days!) {
    const day = (row.day as Date).toISOString().slice(0, 10);
    await sql.begin(tx => rebuildCounters(tx, day, server.config));
  }
  await expectAllCounted();
  await allCounted(server.collector, sql);
  await expectAllCounted();
});

test('a page that is read right after a record was stored counts it', async () => {
  const records = async () => {
    const response = await server.app.fetch(
      new Request('http://localhost:8080/api/stats?os=just-now', { headers: { Host: 'localhost:8080' } }),
    );
    return ((await response.json()) as { classification: { records: number }[] }).classification;
  };
  for (let n = 1; n <= 5; n++) {
    const request = new Request('http://localhost:8080/v2/collector', {
      method: 'POST',
      headers: recordHeaders({ system_name: 'just-now', event_id: String(n).padStart(32, '0') }),
      body: `at once ${n}`,
    });
    expect((await server.app.fetch(request)).status).toBe(201);
    expect(await records()).toMatchObject([{ records: n }]);
  }
});

test('batches of two servers do not wait for each other, and rebuilding waits for those under way', async () => {
  const { sql } = server.database;
  const [row] = await sql<{ day: string }[]>`select max(day)::text as day from record_days`;
  const ended: string[] = [];
  const rebuilding = await second.client('test').begin(async tx => {
    await storeBy(tx as unknown as Sql, ['open-1', 'open-2']);
    await leaveUncounted('open-1', 'open-3');
    ended.push('a batch beside it');
    const rebuilding = sql.begin(other => rebuildCounters(other, row!.day, server.config));
    void rebuilding.then(() => ended.push('rebuilding'));
    await Bun.sleep(300);
    ended.push('the batch');
    return { rebuilding };
  });
  await rebuilding.rebuilding;
  expect(ended).toEqual(['a batch beside it', 'the batch', 'rebuilding']);
  await allCounted(server.collector, sql);
  await expectAllCounted();
});
