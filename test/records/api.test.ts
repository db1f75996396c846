import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { listRecordDays, rebuildCounters } from '../../src/counters/count.ts';
import { getJson, headerBytes, OTHER_TID, post, type TestApp, testApp } from '../app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

interface Listed {
  id: number;
  machine_id: string;
}

async function list(query: string | Record<string, string>): Promise<Listed[]> {
  const { status, json } = await getJson(server.app, `/api/records?${new URLSearchParams(query)}`);
  expect([status, json.message]).toEqual([200, undefined]);
  return json.records;
}

const machines = async (query: string | Record<string, string>) => (await list(query)).map(record => record.machine_id);

describe('a filter', () => {
  beforeAll(async () => {
    const fleet: Record<string, string>[] = [
      { machine_id: 'hello', creation_timestamp: '3000000000' },
      { machine_id: 'crash', classification: 'org.clearlinux/crash/clr', severity: '3', build: '43020' },
      { machine_id: 'kernel', classification: 'org.clearlinux/kernel/bug', severity: '4' },
      { machine_id: 'debian', system_name: 'debian', build: '12.5', 'X-Telemetry-TID': OTHER_TID },
      { machine_id: 'outside', 'X-CLR-External': 'true', creation_timestamp: '1000' },
      { machine_id: 'umlaut', classification: headerBytes('org.example/größe%_/x') },
      { machine_id: 'neighbour', classification: 'org.clearlinuxx/crash/clr' },
      { machine_id: 'old', creation_timestamp: '2000' },
    ];
    for (const changes of fleet) await post(server.app, changes);
    await server.database.sql`
      update records set received_at = received_at - interval '40 days' where machine_id = 'old'`;
    await server.database.sql`
      insert into record_days (day, first_id, last_id)
      select received_at::date, id, id from records where machine_id = 'old'`;
    for (const { day } of await listRecordDays(server.database.sql)) {
      await server.database.sql.begin(tx => rebuildCounters(tx, day, server.config));
    }
  });

  const ALL = ['old', 'neighbour', 'umlaut', 'outside', 'debian', 'kernel', 'crash', 'hello'];
  const cases: { query: Record<string, string>; found: string[] }[] = [
    { query: {}, found: ALL },
    { query: { classification: '', severity: '', limit: '' }, found: ALL },
    { query: { classification: 'org.clearlinux/crash/clr' }, found: ['crash'] },
    { query: { classification: 'org.clearlinux/*' }, found: ['old', 'outside', 'debian', 'kernel', 'crash', 'hello'] },
    { query: { classification: 'org.clearlinux/crash/*' }, found: ['crash'] },
    { query: { classification: 'org.clearlinux/crash' }, found: [] },
    { query: { classification: 'org.example/größe%_/*' }, found: ['umlaut'] },
    { query: { classification: 'org.%/*' }, found: [] },
    { query: { severity: '3' }, found: ['crash'] },
    { query: { severity: '04' }, found: ['kernel'] },
    { query: { machine_id: 'debian' }, found: ['debian'] },
    { query: { machine_id: 'deb' }, found: [] },
    { query: { build: '12.5' }, found: ['debian'] },
    { query: { build: '"43020"' }, found: ['crash'] },
    { query: { system_name: 'debian' }, found: ['debian'] },
    { query: { fleet: 'servers' }, found: ['debian'] },
    { query: { fleet: 'nobody' }, found: [] },
    { query: { external: 'true' }, found: ['outside'] },
    { query: { external: 'false', severity: '4' }, found: ['kernel'] },
    { query: { created_in_days: '1' }, found: ALL.slice(1) },
    { query: { created_in_days: '41' }, found: ALL },
    { query: { created_in_days: '100000' }, found: ALL },
    { query: { created_in_days: '0' }, found: [] },
    { query: { created_in_sec: '3600' }, found: ALL.slice(1) },
    { query: { created_in_sec: '8640000000' }, found: ALL },
    { query: { created_in_days: '41', created_in_sec: '1' }, found: ALL },
    { query: { ts_capture: '1795440066' }, found: ['hello'] },
    { query: { ts_capture: '1795440065' }, found: ['neighbour', 'umlaut', 'debian', 'kernel', 'crash', 'hello'] },
    { query: { ts_capture: '253402300799' }, found: [] },
    { query: { ts_capture: '1000', limit: '1' }, found: ['old'] },
    { query: { limit: '2' }, found: ALL.slice(0, 2) },
    { query: { limit: '10000' }, found: ALL },
    { query: { from_id: '6' }, found: ALL.slice(0, 3) },
    { query: { before_id: '3' }, found: ALL.slice(6) },
    { query: { from_id: '3', before_id: '5' }, found: ['debian', 'kernel'] },
    { query: { from_id: '2147483648' }, found: [] },
    { query: { from_id: '9007199254740991' }, found: [] },
    { query: { before_id: '9007199254740991' }, found: ALL },
    { query: { from_id: '0' }, found: ALL },
    { query: { before_id: '0' }, found: [] },
    { query: { from: '0000-01-01' }, found: ALL },
    { query: { from: '0000-12-31T23:59', to: '9999-12-31' }, found: ALL },
    { query: { from: '9999-12-31' }, found: [] },
    { query: { to: '0000-01-01' }, found: [] },
    { query: { settled: 'true' }, found: ALL },
    { query: { settled: 'false' }, found: ALL },
    { query: { something: 'unknown' }, found: ALL },
  ];

  test.each(cases)('%j', async ({ query, found }) => {
    expect(await machines(query)).toEqual(found);
  });
});

describe('a value that is not allowed is 400 and names its bounds', () => {
  const INTEGERS = ['severity', 'created_in_days', 'created_in_sec', 'from_id', 'before_id', 'ts_capture', 'limit'];
  const TEXTS = { classification: 2000, machine_id: 32, build: 256, system_name: 79, fleet: 40 };
  const bounds: [string, string, string][] = [
    ['limit', '0', 'expected an integer from 1 to 10000'],
    ['limit', '10001', 'expected an integer from 1 to 10000'],
    ['limit', '1e3', 'expected an integer from 1 to 10000'],
    ['severity', '0', 'expected an integer from 1 to 4'],
    ['severity', '5', 'expected an integer from 1 to 4'],
    ['created_in_days', '100001', 'expected an integer from 0 to 100000'],
    ['created_in_sec', '8640000001', 'expected an integer from 0 to 8640000000'],
    ['created_in_sec', '253402300799', 'expected an integer from 0 to 8640000000'],
    ['ts_capture', '253402300800', 'expected an integer from 0 to 253402300799'],
    ['from_id', '9007199254740992', 'expected an integer from 0 to 9007199254740991'],
    ['before_id', '18446744073709551616', 'expected an integer from 0 to 9007199254740991'],
    ['classification', 'c'.repeat(141), 'expected at most 140 characters in each classification'],
    ['classification', `a/b/c,a/b/${'c'.repeat(137)}`, 'expected at most 140 characters in each classification'],
    ['external', 'yes', 'expected "true" or "false"'],
    ['settled', '1', 'expected "true" or "false"'],
    ...INTEGERS.flatMap(name =>
      ['abc', '-1', '1.5', '²', '٣', '1_0', ' 1', '0x1', '\0', '1\0'].map((value): [string, string, string] => [
        name,
        value,
        'expected an integer from',
      ]),
    ),
    ...Object.entries(TEXTS).flatMap(([name, most]) =>
      ['\0', 'a\0b', 'a\nb', 'x'.repeat(most + 1)].map((value): [string, string, string] => [
        name,
        value,
        `expected at most ${most} printable characters`,
      ]),
    ),
  ];

  test('whatever the parameter', async () => {
    for (const [name, value, expected] of bounds) {
      const { status, json } = await getJson(server.app, `/api/records?${new URLSearchParams({ [name]: value })}`);
      expect([name, value, status]).toEqual([name, value, 400]);
      expect(Object.keys(json)).toEqual(['message']);
      expect(json.message).toStartWith(`${name}: got ${JSON.stringify(value.slice(0, 100))}, ${expected}`);
    }
  });

  test('classifications of 140 characters are allowed', async () => {
    const longest = `a/b/${'c'.repeat(136)}`;
    expect(await machines({ classification: `${longest},${longest}` })).toEqual([]);
  });

  test('also when it is given twice', async () => {
    for (const path of ['records?limit=1&limit=2', 'records?machine_id=a&machine_id=b', 'builds?days=1&days=2']) {
      const { status, json } = await getJson(server.app, `/api/${path}`);
      expect([status, json.message]).toEqual([400, expect.stringContaining(', once')]);
    }
  });
});

describe('one record', () => {
  test('is found by its id', async () => {
    const { json } = await post(server.app, { machine_id: 'one' });
    const found = await getJson(server.app, `/api/records/${json.id}`);
    expect(found).toMatchObject({ status: 200, json });
    expect(found.json.processed).toBe(true);
  });

  test.each(['0', '999999', '2147483648', '9007199254740991'])('%s is 404', async id => {
    expect(await getJson(server.app, `/api/records/${id}`)).toEqual({
      status: 404,
      json: { message: `there is no record ${id}` },
    });
  });

  test.each(['abc', '-1', '1.5', '²', '٣', '1_0', '9007199254740992', '99999999999999999999', '%00', '1%00'])(
    '%s is 400',
    async id => {
      const { status, json } = await getJson(server.app, `/api/records/${id}`);
      expect([status, json.message]).toEqual([400, expect.stringContaining('expected an integer from 0 to')]);
    },
  );

  test('is answered to HEAD like the list', async () => {
    const { json } = await post(server.app, { machine_id: 'head' });
    for (const path of ['/api/records', `/api/records/${json.id}`]) {
      const answer = await server.app.request(`http://localhost:8080${path}`, {
        method: 'HEAD',
        headers: { Host: 'localhost:8080' },
      });
      expect([answer.status, await answer.text()]).toEqual([200, '']);
      expect(answer.headers.get('content-type')).toContain('application/json');
    }
  });

  test('at another address is 404 in JSON', async () => {
    const missing = await getJson(server.app, '/api/nothing');
    expect(missing).toEqual({ status: 404, json: { message: 'there is nothing at /api/nothing' } });
  });
});

describe('paging', () => {
  async function walk(path: string): Promise<{ ids: number[]; pages: number }> {
    const ids: number[] = [];
    let pages = 0;
    for (let next: string | null = path; next; pages++) {
      const { json } = await getJson(server.app, next);
      ids.push(...json.records.map((record: Listed) => record.id));
      next = json.next;
    }
    return { ids, pages };
  }

  beforeAll(async () => {
    const walked = Array.from({ length: 95 }, (_, n) => ({ machine_id: 'walked', severity: String((n % 4) + 1) }));
    await Promise.all(walked.map((changes, n) => post(server.app, changes, `walked ${n}`)));
  });

  test('by the next links shows everything exactly once, newest first', async () => {
    for (const limit of [1, 7, 19, 95, 1000]) {
      const { ids, pages } = await walk(`/api/records?machine_id=walked&limit=${limit}`);
      expect(new Set(ids).size).toBe(95);
      expect(ids).toEqual(ids.toSorted((a, b) => b - a));
      expect(pages).toBe(95 % limit === 0 ? 95 / limit + 1 : Math.ceil(95 / limit));
    }
  });

  test('keeps the filter, and is not disturbed by what arrives meanwhile', async () => {
    const path = '/api/records?severity=2&machine_id=walked&limit=5&settled=true';
    const first = await getJson(server.app, path);
    await post(server.app, { machine_id: 'walked', severity: '2' }, 'meanwhile');
    const { ids } = await walk(first.json.next);
    expect(ids).toHaveLength(24 - 5);
  });

  test('from an id follows what arrives', async () => {
    const { json } = await getJson(server.app, '/api/records?limit=1');
    const from = json.records[0].id + 1;
    expect(await list({ from_id: String(from) })).toEqual([]);
    await post(server.app, { machine_id: 'follower' });
    expect(await machines({ from_id: String(from) })).toEqual(['follower']);
  });
});

test('settled=true hides what lies above an open batch until that is done', async () => {
  const { json: before } = await post(server.app, { machine_id: 'settled' }, 'before');
  const writer = server.database.client('open batch');
  let finish = () => {};
  const finished = new Promise<void>(resolve => {
    finish = resolve;
  });
  let opened: (id: number) => void = () => {};
  const open = new Promise<number>(resolve => {
    opened = resolve;
  });
  const batch = writer.begin(async tx => {
    // As store_records does.
    await tx`
      select pg_advisory_xact_lock_shared((737::bigint << 53) | last_value) from record_ids`;
    const [taken] = await tx<{ id: number }[]>`select nextval('record_ids') as id`;
    await tx`
      insert into records select (jsonb_populate_record(r, jsonb_build_object('id', ${taken!.id}::bigint))).*
        from records r where id = ${before.id}`;
    opened(taken!.id);
    await finished;
  });
  const openId = await open;
  const { json: above } = await post(server.app, { machine_id: 'settled' }, 'above');
  const ids = async (query: Record<string, string>) =>
    (await list({ machine_id: 'settled', ...query })).map(record => record.id);

  expect(await ids({})).toEqual([above.id, before.id]);
  expect(await ids({ settled: 'true' })).toEqual([before.id]);
  expect(await ids({ settled: 'true', from_id: String(before.id + 1) })).toEqual([]);
  finish();
  await batch;
  expect(await ids({ settled: 'true' })).toEqual([above.id, openId, before.id]);
});
