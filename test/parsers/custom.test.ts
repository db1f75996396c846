import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../../src/app.ts';
import type { Sql } from '../../src/db/connect.ts';
import { createLog } from '../../src/log.ts';
import { builtInParsers } from '../../src/parsers/built-in/parsers.ts';
import { parseBatch } from '../../src/parsers/parse-batch.ts';
import { type Parsers, startParsers } from '../../src/parsers/parsers.ts';
import { appOn, getJson, getPage, post, submit, testConfig } from '../app.ts';
import { type TestDatabase, testDatabase } from '../database.ts';

const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-parsers-'));
const lines: string[] = [];
const log = createLog('info', 'text', line => lines.push(line));
const config = testConfig();
let database: TestDatabase;
let sql: Sql;
let enabled = ['picky', 'odd', 'gone'];
let parsers: Parsers;
let app: App;
let events = 0;

beforeAll(async () => {
  write(
    'picky.ts',
    `import { writeSync } from 'node:fs';
export const classifications = ['a/picky/*', 'b/picky/*'];
export default ({ payload }) => {
  if (payload === 'one') writeSync(1, '{"data":{"stray":true}}\\n');
  if (payload === 'bad') throw new Error('it is <bad>');
  return { payload, failed: 'no' };
};`,
  );
  write(
    'odd.ts',
    `export const classifications = ['a/odd/*'];
const nested = depth => { let value = 1; for (let n = 0; n < depth; n++) value = [value]; return value; };
export default ({ payload }) => payload === 'deep' ? { x: nested(10_000) } : payload === 'big' ? { x: 1n } : JSON.parse(payload);`,
  );
  database = await testDatabase();
  ({ sql } = database);
  parsers = await start(() => enabled);
  ({ app } = await appOn(database, config, 'all', undefined, parsers));
});
afterAll(async () => {
  await parsers.stop();
  await database.close();
  rmSync(directory, { recursive: true });
});

function write(file: string, source: string) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, file), source);
}

function start(names: () => string[]) {
  return startParsers({ enabled: names, directory, sql: database.client('custom parsers'), log });
}

async function send(classification: string, payload = 'good'): Promise<number> {
  const event_id = (++events).toString(16).padStart(32, '0');
  const { status, json } = await post(app, { classification, event_id }, payload);
  expect(status).toBe(201);
  return json.id;
}

const parsedOf = async (id: number) => (await getJson(app, `/api/records/${id}`)).json.parsed;
const setAside = async (query = '') => (await getJson(app, `/api/parsers${query}`)).json;

/** Asks until the answer is one. */
async function until<T>(ask: () => Promise<T | undefined | null | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await Bun.sleep(50);
  }
}

const failedFor = (id: number) =>
  until(async () => (await setAside()).set_aside.find((record: { record_id: number }) => record.record_id === id));

test('what a parser prints, even past console, is never taken for its answer', async () => {
  const [one, two] = [await send('a/picky/x', 'one'), await send('a/picky/x', 'two')];
  expect(await until(() => parsedOf(one))).toEqual({ payload: 'one', failed: 'no' });
  expect(await until(() => parsedOf(two))).toEqual({ payload: 'two', failed: 'no' });
});

test.each([
  ['deep', 'what it returned is nested too deeply'],
  ['big', /^it returned what JSON can't hold: .*BigInt/],
])('what it returns may be no more than JSON: %s', async (payload, error) => {
  expect(await failedFor(await send('a/odd/x', payload))).toMatchObject({
    parser: 'odd',
    error: expect.stringMatching(error),
  });
});

test('each value is found by itself, in a list as well; what can not be searched is no link', async () => {
  const data = {
    list: [7, 'x', true, null],
    within: { small: 1e-9, 'a.b': 1 },
    objects: [{ a: 1 }],
    large: 1e20,
    empty: '',
  };
  const id = await send('a/odd/x', JSON.stringify(data));
  expect(await until(() => parsedOf(id))).toEqual(data);
  const { html } = await getPage(app, `/telemetryui/records/record_details/${id}`);
  const links = [...html.matchAll(/href="\/telemetryui\/records\?[^"]*?(parsed[^"]*)"/g)].map(([, query]) => query);
  const values = ['list=7', 'list=x', 'list=true', 'list=null', 'within.small=1e-9', 'large=100000000000000000000'];
  expect(links.sort()).toEqual(values.map(value => `parsed.${value}`).sort());
  for (const value of [...values, 'list=7&parsed.within.small=1e-9']) {
    const { json } = await getJson(app, `/api/records?parsed.${value}`);
    expect([value, json.records.map((record: { id: number }) => record.id)]).toEqual([value, [id]]);
  }
  expect((await getJson(app, '/api/records?parsed.list=8')).json.records).toEqual([]);
  const twice = await getJson(app, '/api/records?parsed.list=7&parsed.list=x');
  expect([twice.status, twice.json.message]).toEqual([400, expect.stringContaining('once')]);
});

describe('records that parsers failed on', () => {
  let bad: number[];
  beforeAll(async () => {
    bad = [await send('a/picky/x', 'bad'), await send('b/picky/x', 'bad'), await send('a/picky/y', 'bad')];
    for (const id of bad) await failedFor(id);
  });

  test('are listed with why, by parser and page by page, as a page and as JSON', async () => {
    const first = await setAside('?lane=parse:picky&limit=2');
    expect(first.set_aside).toMatchObject([
      {
        record_id: bad[2],
        parser: 'picky',
        classification: 'a/picky/y',
        error: expect.stringMatching(/^Error: it is <bad> at .*picky\.ts:\d+:\d+\)?$/),
      },
      { record_id: bad[1], parser: 'picky', classification: 'b/picky/x' },
    ]);
    const { json } = await getJson(app, first.next);
    expect(json).toMatchObject({ set_aside: [{ record_id: bad[0] }], next: null });
    expect((await setAside('?lane=parse')).set_aside).toEqual([]);
    expect((await getJson(app, '/api/parsers?lane=crash')).status).toBe(400);

    const { html } = await getPage(app, '/telemetryui/parsers?lane=parse:picky');
    for (const id of bad) expect(html).toContain(`/telemetryui/records/record_details/${id}"`);
    expect(html).toContain('Error: it is &lt;bad&gt; at ');
    expect(html).toContain('Set aside: the parser picky failed');
    expect(html).not.toContain('a/odd/x');
  });

  test('the parsers are listed with how they are doing', async () => {
    const { enabled: listed, built_in } = await setAside();
    expect(listed).toMatchObject([
      { name: 'picky', classifications: ['a/picky/*', 'b/picky/*'], state: 'reads', read: 2, waiting: 0, set_aside: 3 },
      { name: 'odd', state: 'reads', reason: null, set_aside: 2 },
      { name: 'gone', state: 'left out', reason: expect.stringContaining('there is neither'), classifications: [] },
    ]);
    expect(built_in.parsers[0]).toEqual({ name: 'heartbeat', classifications: ['*/heartbeat/ping'] });
    const { html } = await getPage(app, '/telemetryui/status');
    expect(html).toContain('Not working: gone.');
    expect(html).toContain('<a href="/telemetryui/parsers">Payloads</a>');
  });

  test('are read again once the parser is mended and loaded: one, or those of a parser; it is audited', async () => {
    write(
      'picky.ts',
      `export const classifications = ['a/picky/*', 'b/picky/*'];\nexport default () => ({ mended: true });`,
    );
    await parsers.reload();
    const one = await submit(app, '/telemetryui/parsers/retries', { id: String(bad[1]) });
    expect([one.status, one.headers.get('location')]).toEqual([303, '/telemetryui/parsers?again=1']);
    expect(await until(() => parsedOf(bad[1]!))).toEqual({ mended: true });
    expect(await parsedOf(bad[0]!)).toBeNull();
    const rest = await submit(app, '/telemetryui/parsers/retries', { lane: 'parse:picky' });
    expect((await getPage(app, rest.headers.get('location')!)).html).toContain('2 records wait to be read again.');
    for (const id of bad) expect(await until(() => parsedOf(id))).toEqual({ mended: true });
    expect((await setAside()).set_aside).toHaveLength(2);
    const { json } = await getJson(app, '/api/audit');
    expect(json.entries.slice(0, 2)).toMatchObject([
      { action: 'retried', subject: 'all records that the parser picky failed on', after: { records: 2 } },
      { action: 'retried', subject: `record ${bad[1]}, for its parser`, after: { records: 1 } },
    ]);
  });
});

test('one that keeps failing is disabled, waits with its records, and begins anew when it is loaded again', async () => {
  write('picky.ts', `export const classifications = ['a/picky/*'];\nexport default () => { throw new Error('no'); };`);
  await parsers.reload();
  const ids: number[] = [];
  for (let n = 0; n < 6; n++) ids.push(await send('a/picky/x'));
  await until(async () => (await setAside()).enabled[0].state === 'disabled');
  const { html } = await getPage(app, '/telemetryui/parsers');
  expect(html).toContain('it failed on 5 records in a row');
  expect(html).toContain('systemctl reload telemetricsd');
  expect((await getPage(app, '/telemetryui')).html).toContain('<a href="/telemetryui/parsers">Parsers</a>');
  write('picky.ts', `export const classifications = ['a/picky/*'];\nexport default () => ({ anew: true });`);
  await parsers.reload();
  for (const id of ids) expect(await until(() => parsedOf(id))).toEqual({ anew: true });
});

test('one that keeps more and more of what it reads gets a process with new memory', async () => {
  write(
    'picky.ts',
    `export const classifications = ['a/picky/*'];
const kept = [];
export default () => ({ kept: kept.push(Buffer.alloc(5e7, 1)) });`,
  );
  await parsers.reload();
  const ids: number[] = [];
  // Each takes little time, of which a busy machine has less.
  for (let n = 0; n < 14; n++) ids.push(await send('a/picky/x'));
  const kept = await Promise.all(ids.map(async id => (await until(() => parsedOf(id))).kept));
  expect(kept.filter(n => n === 1).length).toBeGreaterThan(1);
  expect((await setAside()).enabled[0]).toMatchObject({ state: 'reads', set_aside: 0 });
  write('picky.ts', `export const classifications = ['a/picky/*'];\nexport default () => ({ anew: true });`);
  await parsers.reload();
});

test('a reload while the database does not answer leaves parsers that read', async () => {
  await sql`alter table parser_servers rename to away`;
  await parsers.reload();
  await sql`alter table away rename to parser_servers`;
  const id = await send('a/picky/x');
  expect(await until(() => parsedOf(id))).toEqual({ anew: true });
});

test('what waits for a parser that another server has is left to it; both say that they differ', async () => {
  const other = await start(() => ['elsewhere', 'picky']);
  await sql`insert into work_queue (kind, record_id, machine_id, received_at)
            values ('parse:elsewhere', 1, 'x', now()), ('parse:nobody', 2, 'x', now())`;
  enabled = ['picky'];
  await parsers.reload();
  const waiting = await sql`select kind from work_queue where record_id in (1, 2) order by record_id`;
  expect(waiting.map(({ kind }) => kind)).toEqual(['parse:elsewhere', 'parse']);
  expect((await getPage(app, '/telemetryui/parsers')).html).toContain('elsewhere, picky.');
  expect(lines.join('')).toMatch(/differ in parsers\.enabled.* here=picky elsewhere="[^"]+: elsewhere, picky"/);
  await other.stop();
  await parsers.reload();
  expect((await setAside()).elsewhere).toEqual([]);
  const [left] = await sql`select kind from work_queue where record_id = 1`;
  expect(left).toEqual({ kind: 'parse:elsewhere' });
  await sql`update parser_servers set seen_at = seen_at - interval '11 minutes' where 'elsewhere' = any(enabled)`;
  await parsers.reload();
  await parseBatch(sql, builtInParsers(config));
  expect(await sql`select kind from work_queue where record_id in (1, 2)`).toHaveLength(0);
});
