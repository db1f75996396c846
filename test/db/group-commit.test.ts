import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Answer, getJson, post, recordHeaders, type TestApp, testApp } from '../app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp({ TELEMETRICSD_COLLECTOR_QUEUE: '100' });
});
afterAll(() => server.close());

const stored = async (machineId: string): Promise<{ payload: string }[]> =>
  (await getJson(server.app, `/api/records?machine_id=${machineId}`)).json.records;

const postMany = (count: number, changes: (n: number) => Record<string, string>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => post(server.app, changes(n), `payload ${n}`)));

/** Keeps batches from being written until `release` is called. */
async function lockTable(table: string): Promise<() => Promise<void>> {
  const locker = server.database.client('locker');
  let release = () => {};
  const released = new Promise<void>(resolve => {
    release = resolve;
  });
  let held!: Promise<unknown>;
  await new Promise<void>(resolve => {
    held = locker.begin(async tx => {
      await tx`lock table ${tx(table)} in access exclusive mode`;
      resolve();
      await released;
    });
  });
  return async () => {
    release();
    await held;
    await locker.end();
  };
}

test('records that come at once share transactions', async () => {
  const answers = await postMany(90, () => ({ machine_id: 'together' }));
  expect(new Set(answers.map(({ json }) => json.id)).size).toBe(90);
  const [row] = await server.database.sql<{ transactions: number }[]>`
    select count(distinct xmin::text) as transactions from records where machine_id = 'together'`;
  expect(row!.transactions).toBeLessThan(10);
});

test('beyond the bound the answer is 503 with Retry-After at once, and waiting records are stored', async () => {
  const release = await lockTable('recent_records');
  const settled: number[] = [];
  const requests = Array.from({ length: 350 }, async (_, n) => {
    const body = `payload ${n}`;
    const init = { method: 'POST', headers: recordHeaders({ machine_id: 'crowd' }), body };
    const response = await server.app.request('http://localhost:8080/', init);
    settled.push(response.status);
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body };
  });
  while (settled.length < 100) await Bun.sleep(10);
  expect(new Set(settled)).toEqual(new Set([503]));
  expect(server.collector.waiting).toBeGreaterThanOrEqual(100);
  expect(server.collector.waiting).toBeLessThanOrEqual(100 + 512);

  await release();
  const answers = await Promise.all(requests);
  const taken = answers.filter(({ status }) => status === 201).map(({ body }) => body);
  const turnedAway = answers.filter(({ status }) => status === 503);
  expect(taken.length + turnedAway.length).toBe(350);
  expect(taken.length).toBeGreaterThanOrEqual(100);
  for (const { retryAfter } of turnedAway) expect(Number(retryAfter)).toBeGreaterThan(0);
  const payloads = async () => (await stored('crowd')).map(({ payload }) => payload).sort();
  expect(await payloads()).toEqual(taken.toSorted());

  for (const { body } of turnedAway) await post(server.app, { machine_id: 'crowd' }, body);
  expect(await payloads()).toEqual(answers.map(({ body }) => body).toSorted());
});

test('a refused record that cannot be kept now is also answered 503 beyond the bound', async () => {
  const release = await lockTable('quarantine');
  const settled: number[] = [];
  const requests = Array.from({ length: 300 }, async (_, n) => {
    const { status } = await post(server.app, { severity: '9' }, `refused ${n}`);
    settled.push(status);
    return status;
  });
  while (settled.length < 50) await Bun.sleep(10);
  expect(new Set(settled)).toEqual(new Set([503]));
  await release();
  const statuses = await Promise.all(requests);
  const kept = statuses.filter(status => status === 400).length;
  expect(statuses.filter(status => status === 503)).toHaveLength(300 - kept);
  const [row] = await server.database.sql<{ count: number }[]>`select count(*) from quarantine`;
  expect(row!.count).toBe(kept);
});

describe('a batch with rows that the database does not take', () => {
  let large: TestApp;
  beforeAll(async () => {
    large = await testApp();
    await large.database.sql`alter table records add constraint no_poison check (build <> 'poison')`;
  });
  afterAll(() => large.close());

  test('stores all others in a few transactions and refuses the one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        post(
          large.app,
          { machine_id: 'batch', system_name: 'x', build: n === 77 ? 'poison' : String(n) },
          `payload ${n}`,
        ),
      ),
    );
    const refused = answers.filter(({ status }) => status !== 201);
    expect(answers.findIndex(({ status }) => status === 400)).toBe(77);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.json.message).toStartWith('the database does not take this record: ');
    expect(refused[0]!.json.message).toContain('violates check constraint "no_poison"');

    const [row] = await large.database.sql<{ records: number; transactions: number }[]>`
      select count(*) as records, count(distinct xmin::text) as transactions from records where machine_id = 'batch'`;
    expect(row!.records).toBe(199);
    expect(row!.transactions).toBeLessThan(20);
    const kept = await large.database.sql`select machine_id, field, convert_from(body, 'UTF8') as body from quarantine`;
    expect([...kept]).toEqual([{ machine_id: 'batch', field: null, body: 'payload 77' }]);
    const [counted] = await large.database.sql`select sum(records)::int as records from build_counts`;
    expect(counted).toEqual({ records: 199 });
  });

  test('refuses each of several, also where all are the same record', async () => {
    const poison = { machine_id: 'all-poison', system_name: 'x', build: 'poison' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(large.app, poison)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(400));
  });
});
