import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readDatabase } from '../../src/backup/snapshot.ts';
import { readQuarantine } from '../../src/collector/quarantine.ts';
import { claimCrashes } from '../../src/crashes/queue.ts';
import { builtInParsers } from '../../src/parsers/built-in/parsers.ts';
import { parseBatch } from '../../src/parsers/parse-batch.ts';
import { get, getJson, post, submit } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { passDays } from '../time.ts';

const MB = 1024 ** 2;
const BOUND = 32 * MB;
/** Of the records of each day, in megabytes. */
const DAYS = [
  [9, 1],
  [1, 0, 14],
  [0, 6, 12, 1],
];

let server: CrashApp;

beforeAll(async () => {
  server = await crashApp();
  const { sql } = server;
  for (const [age, sizes] of DAYS.entries()) {
    if (age > 0) await passDays(sql, 1);
    for (const [n, size] of sizes.entries())
      await post(server.app, { machine_id: `m${n % 2}` }, `${size} of day ${age}`);
  }
  await sql`update records set payload = repeat('x', ${MB}::int * split_part(payload, ' ', 1)::int + 10)`;
  // JSON writes these with six characters each.
  for (const n of [1, 2, 3]) await post(server.app, {}, `odd ${n}`);
  await sql`update records set payload = repeat(chr(1), ${2 * MB}::int) where payload = 'odd 1'`;
  await sql`
    update records set payload = repeat('␀', ${2 * MB}::int), payload_raw = decode(repeat('00', ${2 * MB}::int), 'hex')
     where payload = 'odd 2'`;
});
afterAll(() => server.close());

describe('an answer of the API has about 32 MB at most', () => {
  test.each(['', 'limit=4', 'machine_id=m1', 'classification=org.clearlinux/*'])(
    'with %s; its next links lead to all, each once',
    async query => {
      const whole = `/api/records?${query}`;
      const found: number[] = [];
      let pages = 0;
      for (let path: string | null = whole; path; pages++) {
        const answer = await get(server.app, path);
        const text = await answer.text();
        expect(answer.headers.get('content-type')).toBe('application/json');
        const { records, next } = JSON.parse(text);
        // One record may be larger than that by itself.
        if (records.length > 1) expect(text.length).toBeLessThan(BOUND + 1024);
        for (const record of records) found.push(record.id);
        path = next;
      }
      const fitting = await server.sql<{ id: number }[]>`
        select id from records where ${query !== 'machine_id=m1'} or machine_id = 'm1' order by id desc`;
      expect(found).toEqual(fitting.map(({ id }) => id));
      if (query !== 'machine_id=m1') expect(pages).toBeGreaterThanOrEqual(3);
    },
  );
});

test('an export has all of every payload', async () => {
  const answer = await get(server.app, '/telemetryui/records/export/records-x.ndjson?download=1');
  const lengths: Record<number, number> = {};
  for (const line of (await answer.text()).trimEnd().split('\n')) {
    const { id, payload } = JSON.parse(line);
    lengths[id] = payload.length;
  }
  const stored = await server.sql<{ id: number; length: number }[]>`select id, length(payload) as length from records`;
  expect(lengths).toEqual(Object.fromEntries(stored.map(({ id, length }) => [id, length])));
});

test('a backup has every row, however large, and reads many at a time only where they are small', async () => {
  const rows: string[] = [];
  for await (const part of readDatabase(server.database.client('backup'))) {
    if (part.kind !== 'rows') continue;
    if (part.rows.length > 1) expect(lengthOf(part.rows)).toBeLessThan(BOUND);
    if (part.table === 'records') rows.push(...part.rows.map(row => Bun.hash(row).toString()));
  }
  const stored = await server.sql<{ row: string }[]>`select t::text as row from records t`;
  expect(rows.sort()).toEqual(stored.map(({ row }) => Bun.hash(row).toString()).sort());
});

test('what is read at once for a replay, an analysis or a parser has a bound', async () => {
  const { sql } = server;
  for (let n = 0; n < 4; n++) await post(server.app, { severity: '9', machine_id: `q${n}` }, `refused ${n}`);
  await sql`update quarantine set bytes = ${15 * MB}::int`;
  expect(await readQuarantine(sql, { limit: 200 })).toHaveLength(3);

  for (const n of [0, 1, 2]) await server.crash([`large${n}()`], { machine_id: `c${n}` });
  await sql`update records set payload = payload || repeat('y', ${5 * MB}::int) where machine_id in ('c0', 'c1', 'c2')`;
  const claimed = await claimCrashes(sql, 400, { again: false });
  expect(claimed.map(({ payload }) => payload)).toEqual([null, null, null]);
  await sql`update work_queue set attempts = 0, claimed_until = null`;
  await server.analyse();
  const { json } = await getJson(server.app, '/api/guilties');
  const guilties = json.guilties.map((guilty: { function: string }) => guilty.function);
  expect(guilties.sort()).toEqual(['large0()', 'large1()', 'large2()']);

  await sql`
    insert into work_queue (kind, record_id, machine_id, received_at)
    select 'parse', id, machine_id, received_at from records where machine_id = 'c0'`;
  await sql`delete from parsed`;
  expect(await parseBatch(server.database.client('parsers'), builtInParsers(server.config))).toBe(1);
  expect(await sql`select parser from parsed`).toHaveLength(1);
});

test('a replay goes through all of a quarantine that is read in parts', async () => {
  await server.sql`update quarantine set headers = replace(headers::text, '"9"', '"1"')::jsonb`;
  const [{ reason } = { reason: '' }] = await server.sql<{ reason: string }[]>`select reason from quarantine limit 1`;
  const answer = await submit(server.app, '/telemetryui/quarantine/replays', { reason });
  expect(answer.headers.get('location')).toBe('/telemetryui/quarantine?replayed=4&refused=0');
});

function lengthOf(texts: string[]) {
  return texts.reduce((sum, { length }) => sum + length, 0);
}
