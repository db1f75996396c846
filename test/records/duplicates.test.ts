import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { App } from '../../src/app.ts';
import type { Database } from '../../src/db/database.ts';
import { PRUNE_PARTS, pruneRecent } from '../../src/records/store.ts';
import { appOn, getJson, OTHER_TID, post, postJson, recordJson, type TestApp, testApp } from '../app.ts';

let server: TestApp;
let second: Database;
let other: App;
beforeAll(async () => {
  server = await testApp();
  second = server.database.another();
  other = (await appOn(second, server.config)).app;
});
afterAll(async () => {
  await second.close();
  await server.close();
});

async function storedFor(machineId: string): Promise<Record<string, unknown>[]> {
  return (await getJson(server.app, `/api/records?machine_id=${machineId}`)).json.records;
}

test('a record that comes again is answered 201 with the first one and not stored twice', async () => {
  const first = await post(server.app, { machine_id: 'again' });
  const again = await post(server.app, { machine_id: 'again' });
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(again.json).toEqual(first.json);
  expect(await storedFor('again')).toEqual([{ ...first.json, parsed: null }]);
});

test('the answer carries what was stored the first time, whatever else has changed', async () => {
  const machine_id = 'changed';
  const first = await post(server.app, { machine_id });
  const again = await post(server.app, {
    machine_id,
    severity: '4',
    build: '1',
    'X-Telemetry-TID': OTHER_TID,
    'X-CLR-External': 'true',
  });
  expect(again.json).toEqual(first.json);
});

test('in one batch, the first one is stored', async () => {
  const severities = ['1', '2', '3', '4'];
  const answers = await Promise.all(
    severities.map(severity => post(server.app, { machine_id: 'one-batch', severity, event_id: 'e'.repeat(32) })),
  );
  for (const { status, json } of answers) expect([status, json]).toEqual([201, answers[0]!.json]);
  expect(answers[0]!.json.severity).toBe(1);
  expect(await storedFor('one-batch')).toEqual([{ ...answers[0]!.json, parsed: null }]);
});

test('it is the same record in the other wire format and with NULs in its payload', async () => {
  const [first, again] = [
    await post(server.app, { machine_id: 'other-format' }, 'with\0NUL é'),
    await postJson(server.app, recordJson({ machine_id: 'other-format' }, 'with\0NUL é')),
  ];
  expect(again.json).toEqual(first.json);
});

test('two instances that get the same records at once store each once', async () => {
  const records = Array.from({ length: 200 }, (_, n) => ({ machine_id: 'two-instances', event_id: hex(n) }));
  const shuffled = [...records.slice(100).reverse(), ...records.slice(0, 100)];
  const [here, there] = await Promise.all([
    Promise.all(records.map(record => post(server.app, record))),
    Promise.all(shuffled.map(record => post(other, record))),
  ]);
  const idOf = new Map(here.map(({ json }) => [json.event_id, json.id]));
  expect(there.map(({ status, json }) => [status, json.id])).toEqual(
    shuffled.map(({ event_id }) => [201, idOf.get(event_id)]),
  );
  expect(await storedFor('two-instances')).toHaveLength(records.length);
});

const differences: { what: string; changes?: Record<string, string | undefined>; payload?: string }[] = [
  { what: 'payload of the same event', payload: 'another payload' },
  { what: 'newline at its end', payload: 'hello' },
  { what: 'event', changes: { event_id: 'f'.repeat(32) } },
  { what: 'classification', changes: { classification: 'org.clearlinux/hello/moon' } },
  { what: 'capture time', changes: { creation_timestamp: '1795440067' } },
  { what: 'format without event', changes: { event_id: undefined, record_format_version: '3' } },
];
test.each(differences)('another $what makes it another record', async ({ what, changes, payload }) => {
  const first = await post(server.app, { machine_id: what });
  const next = await post(server.app, { machine_id: what, ...changes }, payload);
  expect(next.status).toBe(201);
  expect(next.json.id).toBeGreaterThan(first.json.id);
});

test('another machine makes it another record', async () => {
  const [one, two] = await Promise.all([
    post(server.app, { machine_id: 'machine-1' }),
    post(server.app, { machine_id: 'machine-2' }),
  ]);
  expect(one!.json.id).not.toBe(two!.json.id);
});

test('after 48 hours it is new again, and known again from then on', async () => {
  const machine_id = 'after-48-hours';
  const first = await post(server.app, { machine_id });
  const age = (time: string) =>
    server.database
      .sql`update recent_records set received_at = now() - ${time}::interval where machine_id = ${machine_id}`;
  await age('47 hours 59 minutes');
  expect((await post(server.app, { machine_id })).json.id).toBe(first.json.id);
  await age('48 hours 1 minute');
  const [next, again] = [await post(server.app, { machine_id }), await post(other, { machine_id })];
  expect(next.json.id).toBeGreaterThan(first.json.id);
  expect(again.json).toEqual(next.json);
  expect(await storedFor(machine_id)).toHaveLength(2);
});

test('within an hour all that came more than 48 hours ago is forgotten, and nothing else', async () => {
  const { sql } = server.database;
  await sql`
    insert into recent_records (machine_id, fingerprint, id, received_at)
    select 'swept-' || n, gen_random_uuid(), n, now() - case when n % 3 = 0 then interval '47 hours' else interval '49 hours' end
      from generate_series(1, 50000) n`;
  for (let part = 0; part < PRUNE_PARTS; part++) await pruneRecent(sql, part);
  const [left] = await sql`
    select count(*) filter (where received_at < now() - interval '48 hours') as old, count(*) as all
      from recent_records where machine_id like 'swept-%'`;
  expect(left).toEqual({ old: 0, all: 16_666 });
});

function hex(n: number) {
  return n.toString(16).padStart(32, '0');
}
