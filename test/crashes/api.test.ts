import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { get, getJson, OTHER_TID } from '../app.ts';
import { type CrashApp, crashApp, miscounted } from './crash-app.ts';

let app: CrashApp;
/** Ids of guilties by function. */
let ids: Record<string, number>;
let record: number;
/** The newest record of its build, but not of its guilty. */
let again: number;

const machine = (letter: string) => letter.repeat(32);

beforeAll(async () => {
  app = await crashApp();
  const post = (name: string, machines: string, changes: Record<string, string>, frames = ['main()']) =>
    Promise.all(
      [...machines].map(letter =>
        app.crash([name, ...frames], { machine_id: machine(letter), system_name: 'ubuntu', ...changes }),
      ),
    );
  await post('often()', 'aaab', { build: '9.9' });
  await post('often()', 'a', { build: '9.10', host_type: 'vendor|laptop|2' });
  await post('often()', 'a', { build: '9.10' }, ['other()', 'main()']);
  await post('wide()', 'abcd', { build: '9.10' });
  [record] = (await post('fleet()', 'e', { build: '9.10', 'X-Telemetry-TID': OTHER_TID })) as [number];
  await post('elsewhere()', 'f', { build: '1', system_name: 'fedora' });
  await app.analyse();
  const old = await post('old()', 'ag', { build: '9.8' });
  old.push(...(await post('again()', 'aab', { build: '9.8', system_name: 'again' })));
  const earlier = app.sql`now() - interval '10 days'`;
  await app.sql`update records set received_at = date_trunc('milliseconds', ${earlier}) where id = any(${old}::bigint[])`;
  await app.sql`update work_queue set received_at = date_trunc('milliseconds', r.received_at) from records r where r.id = record_id`;
  await app.analyse();
  again = (await post('again()', 'a', { build: '9.8', system_name: 'again' }))[0]!;
  await post('again()', 'aa', { build: '9.10', system_name: 'again' });
  await app.analyse();
  const rows = await app.sql<{ id: number; function: string }[]>`select id, function from guilties`;
  ids = Object.fromEntries(rows.map(row => [row.function, row.id]));
});
afterAll(() => app.close());

function change(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { 'Sec-Fetch-Site': 'same-origin' },
) {
  return app.app.request(`http://localhost:8080${path}`, {
    method,
    headers: { Host: 'localhost:8080', 'Content-Type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
async function answer(response: Response | Promise<Response>): Promise<{ status: number; json: any }> {
  const answered = await response;
  return { status: answered.status, json: await answered.json() };
}

describe('GET /api/guilties', () => {
  test.each<[query: string, expected: [string, records: number, machines: number][]]>([
    [
      '',
      [
        ['often()', 6, 2],
        ['wide()', 4, 4],
        ['again()', 3, 1],
        ['elsewhere()', 1, 1],
        ['fleet()', 1, 1],
      ],
    ],
    [
      'os=ubuntu',
      [
        ['often()', 6, 2],
        ['wide()', 4, 4],
        ['fleet()', 1, 1],
      ],
    ],
    [
      'os=ubuntu&sort=machines',
      [
        ['wide()', 4, 4],
        ['often()', 6, 2],
        ['fleet()', 1, 1],
      ],
    ],
    ['os=fedora', [['elsewhere()', 1, 1]]],
    ['os=none', []],
    [
      'os=ubuntu&days=14',
      [
        ['often()', 6, 2],
        ['wide()', 4, 4],
        ['old()', 2, 2],
        ['fleet()', 1, 1],
      ],
    ],
    ['fleet=servers', [['fleet()', 1, 1]]],
    [
      'os=ubuntu&fleet=default&days=1',
      [
        ['often()', 6, 2],
        ['wide()', 4, 4],
      ],
    ],
    ['fleet=none', []],
    ['build=9.9', [['often()', 4, 2]]],
    [
      'os=ubuntu&build=9.10',
      [
        ['wide()', 4, 4],
        ['often()', 2, 1],
        ['fleet()', 1, 1],
      ],
    ],
    ['build=9.10&sort=machines&limit=1', [['wide()', 4, 4]]],
    ['limit=1&offset=1', [['wide()', 4, 4]]],
    ['offset=100', []],
  ])('?%s', async (query, expected) => {
    const { status, json } = await getJson(app.app, `/api/guilties?${query}`);
    expect(status).toBe(200);
    // biome-ignore lint/suspicious/noExplicitAny: JSON
    expect(json.guilties.map((row: any) => [row.function, row.records, row.machines])).toEqual(expected);
    expect(json.more).toBe(query.includes('limit=1'));
  });

  test('says of each its builds, as versions', async () => {
    const { json } = await getJson(app.app, '/api/guilties?os=ubuntu&days=14');
    const builds = ['9.10', '9.9', '9.8'].map(build => ({ os: 'ubuntu', build }));
    expect(json).toMatchObject({ os: 'ubuntu', days: 14, builds });
    expect(json.guilties[0]).toEqual({
      id: ids['often()'],
      function: 'often()',
      module: '/usr/bin/app',
      comment: '',
      hidden: false,
      records: 6,
      machines: 2,
      affected: 0,
      machine_days: 0,
      per_1000: null,
      per_1000_low: null,
      per_1000_high: null,
      records_by_build: builds.map((build, n) => ({ ...build, records: [2, 4, 0][n] })),
      systems: ['ubuntu'],
      first_build: '9.9',
      last_build: '9.10',
    });
  });

  test.each([
    ['days=0', 'days'],
    ['days=401', 'days'],
    ['days=x', 'days'],
    ['sort=name', 'sort'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['offset=-1', 'offset'],
    [`fleet=${'f'.repeat(41)}`, 'fleet'],
    ['os=a%00b', 'os'],
  ])('?%s is refused with a message', async (query, name) => {
    for (const path of [
      '/api/guilties',
      `/api/guilties/${ids['often()']}`,
      `/api/guilties/${ids['often()']}/backtraces`,
    ]) {
      const { status, json } = await getJson(app.app, `${path}?${query}`);
      expect([path, status, json.message]).toEqual([
        path,
        400,
        expect.stringMatching(new RegExp(`^${name}: got .*expected`)),
      ]);
    }
  });
});

describe('GET /api/guilties/ID', () => {
  test('numbers by day, build, hardware and system', async () => {
    const { json } = await getJson(app.app, `/api/guilties/${ids['often()']}?days=3`);
    expect(json).toMatchObject({
      function: 'often()',
      records: 6,
      machines: 2,
      builds: [
        {
          build: '9.10',
          os: 'ubuntu',
          records: 2,
          machines: 1,
          top_machines: [{ machine_id: machine('a'), records: 2 }],
        },
        { build: '9.9', records: 4, machines: 2, top_machines: [{ records: 3 }, { records: 1 }] },
      ],
      machine_types: [
        { name: 'vendor|product|1.0', records: 5 },
        { name: 'vendor|laptop|2', records: 1 },
      ],
      systems: [{ name: 'ubuntu', records: 6 }],
    });
    expect(json.by_day).toHaveLength(3);
    expect(json.by_day.at(-1)).toMatchObject({ records: 6, machines: 2 });
    expect(json.by_day[0]).toMatchObject({ records: 0, machines: 0 });
  });

  test.each([
    ['', 3, [2, 1]],
    ['days=14', 6, [2, 3]],
  ])('a machine and a build with what came in the window: ?%s', async (query, records, onBuilds) => {
    const path = `/api/guilties/${ids['again()']}`;
    const { json } = await getJson(app.app, `${path}?${query}`);
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    expect(json).toMatchObject({
      records,
      machines: query ? 2 : 1,
      first_seen: day(10),
      last_seen: day(0),
      first_build: '9.8',
      last_build: '9.10',
      builds: [
        { build: '9.10', machines: 1, top_machines: [{ machine_id: machine('a'), records: onBuilds[0] }] },
        { build: '9.8', machines: query ? 2 : 1 },
      ],
    });
    expect(json.builds[1].top_machines[0]).toEqual({ machine_id: machine('a'), records: onBuilds[1] });
    const narrowed = async (filter: string) =>
      (await getJson(app.app, `${path}/backtraces?machine_id=${machine('a')}&${filter}&${query}`)).json;
    expect(await narrowed('')).toMatchObject({ stacks: 1, records: onBuilds[0]! + onBuilds[1]! });
    expect(await narrowed('build=9.8')).toMatchObject({
      records: onBuilds[1],
      backtraces: [{ records: onBuilds[1], machines: 1, newest_record_id: again }],
    });
    expect((await getJson(app.app, `${path}/backtraces?build=9.8&${query}`)).json.backtraces).toMatchObject([
      { newest_record_id: again },
    ]);
  });

  test('on another system, what was seen there', async () => {
    const { json } = await getJson(app.app, `/api/guilties/${ids['again()']}?os=ubuntu`);
    expect(json).toMatchObject({ os: 'ubuntu', days: 7, records: 0, first_seen: null, first_build: null });
  });

  test('nothing that came before the window', async () => {
    const { json } = await getJson(app.app, `/api/guilties/${ids['old()']}`);
    expect(json).toMatchObject({ records: 0, machines: 0, builds: [], machine_types: [], systems: [] });
    expect((await getJson(app.app, `/api/guilties/${ids['old()']}?days=30`)).json).toMatchObject({
      records: 2,
      machines: 2,
      builds: [{ build: '9.8', records: 2 }],
    });
  });

  test.each(['0', '999999', 'x', '-1', '1.5', '99999999999999999999'])('%s: there is none', async id => {
    for (const path of [`/api/guilties/${id}`, `/api/guilties/${id}/backtraces`, `/api/recomputations/${id}`])
      expect(await getJson(app.app, path)).toEqual({ status: 404, json: { message: expect.stringContaining(id) } });
  });
});

test.each<[query: string, stacks: number[]]>([
  ['', [5, 1]],
  [`machine_id=${machine('b')}`, [1]],
  ['build=9.10', [1, 1]],
  [`build=9.9&machine_id=${machine('a')}`, [3]],
  ['fleet=servers', []],
  ['os=fedora', []],
  ['limit=1&offset=1', [1]],
])('GET /api/guilties/ID/backtraces?%s', async (query, stacks) => {
  const { json } = await getJson(app.app, `/api/guilties/${ids['often()']}/backtraces?${query}`);
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  expect(json.backtraces.map((stack: any) => stack.records)).toEqual(stacks);
  if (!query.includes('limit'))
    expect([json.stacks, json.records]).toEqual([stacks.length, stacks.reduce((a, b) => a + b, 0)]);
  for (const stack of json.backtraces)
    expect(stack).toMatchObject({
      frames: expect.arrayContaining([
        { number: 0, function: 'often()', mangled: null, module: '/usr/bin/app', source: null, outcome: 'chosen' },
      ]),
      explanation: { rule: 'first known frame', guilty_frame: 0, list_version: 1 },
      signals: [{ signal: '11' }],
      programs: [{ program: '/usr/bin/app' }],
      newest_record_id: expect.any(Number),
    });
});

describe('what changes something', () => {
  test('must come from our own pages or say so', async () => {
    const changes: [string, string, unknown][] = [
      ['POST', '/api/never-guilty', { function: 'f()', module: 'm' }],
      ['DELETE', '/api/never-guilty/1', undefined],
      ['POST', '/api/recomputations', {}],
      ['POST', '/telemetryui/crashes/hidings', ''],
    ];
    const strangers = [
      {},
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
    ];
    for (const [method, path, body] of changes)
      for (const headers of strangers)
        expect([path, (await change(method, path, body, headers as Record<string, string>)).status]).toEqual([
          path,
          403,
        ]);
    expect((await change('POST', '/api/recomputations', {}, { Origin: 'http://localhost:8080' })).status).toBe(202);
    await app.recompute();
    expect((await getJson(app.app, '/api/never-guilty')).json.version).toBe(1);
  });

  test.each<[string, unknown, RegExp]>([
    ['/api/never-guilty', 'not JSON', /not JSON/],
    ['/api/never-guilty', '', /function: got nothing/],
    ['/api/never-guilty', { function: 'f()' }, /module: got nothing/],
    ['/api/never-guilty', { function: '', module: 'm' }, /function: got "".*at least 1/],
    ['/api/never-guilty', { function: 'f\0()', module: 'm' }, /function: got .*NUL/],
    ['/api/never-guilty', '{"function": "\\ud800", "module": "m"}', /function: got/],
    ['/api/never-guilty', { function: 'f'.repeat(4097), module: 'm' }, /function: got .*4096/],
    ['/api/never-guilty', { function: 1, module: ['m'] }, /function: got 1/],
    ['/api/never-guilty', [], /function|request/],
    ['/api/never-guilty', 'null', /not a JSON object/],
    ['/api/recomputations', { record_id: 'x' }, /record_id: got "x"/],
    ['/api/recomputations', { record_id: -1 }, /record_id: got -1/],
    ['/api/recomputations', { record_id: 2 ** 60 }, /record_id: got/],
  ])('POST %s %j is refused with a message', async (path, body, message) => {
    const { status, json } = await answer(change('POST', path, body));
    expect([status, json.message]).toEqual([400, expect.stringMatching(message)]);
  });

  test.each([
    ['DELETE', '/api/never-guilty/999999', undefined],
    ['DELETE', '/api/never-guilty/x', undefined],
    ['POST', '/api/recomputations', { record_id: 999_999 }],
  ])('%s %s %j: there is none', async (method, path, body) => {
    const { status, json } = await answer(change(method, path, body));
    expect([status, json.message]).toEqual([404, expect.stringContaining('there is no')]);
  });

  test('an entry added and removed again moves records there and back', async () => {
    const entry = { function: 'often()', module: '/usr/bin/app' };
    const added = await answer(change('POST', '/api/never-guilty', entry));
    expect([added.status, added.json.changed]).toEqual([201, true]);
    expect(added.json.moves).toEqual([
      {
        from: { id: ids['often()'], ...entry },
        to: { id: null, function: 'main()', module: '/usr/bin/app' },
        stacks: 1,
        records: 5,
      },
      {
        from: { id: ids['often()'], ...entry },
        to: { id: null, function: 'other()', module: '/usr/bin/app' },
        stacks: 1,
        records: 1,
      },
    ]);
    const path = `/api/recomputations/${added.json.recomputation_id}`;
    expect((await getJson(app.app, path)).json).toMatchObject({ state: 'running', finished_at: null, stacks_done: 0 });
    await app.recompute();
    expect((await getJson(app.app, path)).json).toMatchObject({
      state: 'finished',
      records_moved: 6,
      stacks: 7,
      stacks_done: 7,
    });
    expect((await getJson(app.app, `/api/guilties/${ids['often()']}`)).json).toMatchObject({ records: 0, machines: 0 });
    expect(await answer(change('POST', '/api/never-guilty', entry))).toEqual({
      status: 200,
      json: { changed: false, recomputation_id: null, moves: [] },
    });

    const list = (await getJson(app.app, '/api/never-guilty')).json;
    // biome-ignore lint/suspicious/noExplicitAny: JSON
    const { id, ...rest } = list.entries.find((row: any) => row.function === 'often()');
    expect(rest).toEqual({ ...entry, pattern: false, built_in: false, added_at: expect.stringMatching(/^20.*Z$/) });
    expect(list.version).toBe(2);
    expect(await answer(change('DELETE', `/api/never-guilty/${id}`))).toMatchObject({
      status: 200,
      json: { changed: true },
    });
    await app.recompute();
    expect((await getJson(app.app, `/api/guilties/${ids['often()']}`)).json).toMatchObject({ records: 6, machines: 2 });
    expect((await answer(change('DELETE', `/api/never-guilty/${id}`))).status).toBe(404);
    expect(await miscounted(app.sql)).toEqual({});
  });

  test("one record's stack is decided again at once", async () => {
    await app.sql`update stacks set guilty_id = ${ids['wide()']!} where guilty_id = ${ids['fleet()']!}`;
    const { status, json } = await answer(change('POST', '/api/recomputations', { record_id: record }));
    expect(status).toBe(200);
    expect(json).toMatchObject({
      record_id: record,
      guilty: { id: ids['fleet()'], function: 'fleet()' },
      explanation: { rule: 'first known frame' },
    });
    expect((await getJson(app.app, `/api/records/${record}`)).json.guilty).toEqual(json.guilty);
  });
});

test('answers are JSON that nobody stores or frames', async () => {
  for (const path of ['/api/guilties', '/api/never-guilty', '/api/recomputations', '/api/guilties/999']) {
    const { headers } = await get(app.app, path);
    expect(headers.get('content-type')).toContain('application/json');
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  }
});
