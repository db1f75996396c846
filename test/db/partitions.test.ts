import { afterAll, beforeAll, expect, test } from 'bun:test';
import { makeDay, makePartitionsAhead } from '../../src/db/partitions.ts';
import { getJson, post, type TestApp, testApp } from '../app.ts';
import { quietLog } from '../database.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

const SECONDS_A_DAY = 86_400_000;
const today = Math.floor(Date.now() / SECONDS_A_DAY);
const dayAfter = (days: number) => new Date((today + days) * SECONDS_A_DAY).toISOString().slice(0, 10);
const partition = (day: string) => `records_${day.replaceAll('-', '')}`;

async function partitions(): Promise<string[]> {
  const rows = await server.database.sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'records'::regclass order by 1`;
  return rows.map(row => row.name);
}

/** Takes a day's partitions away, as if they had never been made; its records go to DEFAULT. */
async function unmake(day: string) {
  await server.database.sql.begin(async tx => {
    for (const parent of ['records', 'crashes', 'parsed']) {
      const part = `${parent}_${day.replaceAll('-', '')}`;
      await tx`alter table ${tx(parent)} detach partition ${tx(part)}`;
      await tx`insert into ${tx(parent)} select * from ${tx(part)}`;
      await tx`drop table ${tx(part)}`;
    }
  });
}

/** Holds a lock on every partition, as a query that runs for long does; returns what ends it. */
async function readForLong(): Promise<() => Promise<void>> {
  const reader = server.database.client('reader');
  let end = () => {};
  const ended = new Promise<void>(resolve => {
    end = resolve;
  });
  let reading!: Promise<unknown>;
  await new Promise<void>(resolve => {
    reading = reader.begin(async tx => {
      await tx`select count(*) from records`;
      resolve();
      await ended;
    });
  });
  return async () => {
    end();
    await reading;
    await reader.end();
  };
}

test('a record that comes while the partition of its day is being made is stored', async () => {
  const day = dayAfter(0);
  await unmake(day);
  const client = server.database.client('making');
  let answer: ReturnType<typeof post> | undefined;
  await client.begin(async tx => {
    await tx`select make_records_day(${day}::date)`;
    answer = post(server.app, { machine_id: 'came-while-made' });
    await Bun.sleep(300);
  });
  await client.end();
  expect((await answer!).status).toBe(201);
});

test('are made for today and 14 days ahead, besides DEFAULT', async () => {
  const days = Array.from({ length: 15 }, (_, n) => partition(dayAfter(n)));
  expect(await partitions()).toEqual([...days, 'records_default']);
  await makePartitionsAhead(server.database.sql, quietLog);
  expect(await partitions()).toHaveLength(16);
});

test('a record lies in the partition of its day', async () => {
  const { json } = await post(server.app, { machine_id: 'today' });
  const [row] = await server.database.sql`select tableoid::regclass::text as name from records where id = ${json.id}`;
  expect(row).toEqual({ name: partition(json.ts_reception.slice(0, 10)) });
});

test('a record of a day without one is taken all the same, and moves when it is made', async () => {
  const { sql } = server.database;
  const day = dayAfter(0);
  await unmake(day);
  const { status, json } = await post(server.app, { machine_id: 'default' }, 'with\0NUL');
  const where = () => sql`select tableoid::regclass::text as name, count(*) from records group by 1 order by 1`;
  expect(status).toBe(201);
  expect((await where()).map(row => row.name)).toEqual(['records_default']);

  await makePartitionsAhead(sql, quietLog);
  expect((await where()).map(row => row.name)).toEqual([partition(day)]);
  expect(await getJson(server.app, `/api/records/${json.id}`)).toMatchObject({ status: 200, json });
  expect((await post(server.app, { machine_id: 'default' }, 'after it')).status).toBe(201);
});

test('only the records of the day move', async () => {
  const { sql } = server.database;
  await sql`
    insert into records
    select (jsonb_populate_record(r, jsonb_build_object('received_at', at, 'id', 1000 + n))).*
      from records r,
           unnest(array['2026-01-01 23:59:59.999Z', '2026-01-02 00:00Z', '2026-01-02 23:59:59.999Z', '2026-01-03 00:00Z'])
             with ordinality as times (at, n)
     where r.id = (select min(id) from records)`;
  expect(await makeDay(sql, '2026-01-02', quietLog)).toBe(true);
  const rows = await sql<{ name: string; ids: number[] }[]>`
    select tableoid::regclass::text as name, array_agg(id::int order by id) as ids
      from records where received_at < '2026-02-01' group by 1 order by 1`;
  expect([...rows]).toEqual([
    { name: 'records_20260102', ids: [1002, 1003] },
    { name: 'records_default', ids: [1001, 1004] },
  ]);
});

test('a long reader makes it give up soon, records go on, and later it succeeds', async () => {
  const { sql } = server.database;
  for (const days of [0, 1, 2, 3, 4, 5, 6, 7]) await unmake(dayAfter(days));
  const before = await partitions();
  const endReading = await readForLong();
  const started = performance.now();
  const [, ...answers] = await Promise.all([
    makePartitionsAhead(sql, quietLog).then(() => {
      // The reader reads until it is told to end, below.
      expect(performance.now() - started).toBeLessThan(10_000);
    }),
    ...Array.from({ length: 20 }, (_, n) => post(server.app, { machine_id: 'meanwhile' }, `meanwhile ${n}`)),
  ]);
  expect(answers.map(answer => (answer as { status: number }).status)).toEqual(Array(20).fill(201));
  expect(await partitions()).toEqual(before);

  await endReading();
  await makePartitionsAhead(sql, quietLog);
  expect(await partitions()).toHaveLength(before.length + 8);
  const { records } = (await getJson(server.app, '/api/records?machine_id=meanwhile')).json;
  expect(records).toHaveLength(20);
});

test('several instances may make them at once', async () => {
  for (const days of [9, 10, 11, 12, 13, 14]) await unmake(dayAfter(days));
  const instances = Array.from({ length: 5 }, (_, n) => server.database.client(`instance ${n}`));
  await Promise.all(instances.map(instance => makePartitionsAhead(instance, quietLog)));
  await makePartitionsAhead(server.database.sql, quietLog);
  for (let days = 0; days <= 14; days++) expect(await partitions()).toContain(partition(dayAfter(days)));
});
