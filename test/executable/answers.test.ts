import { beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Sql } from '../../src/db/connect.ts';
import { KINDS, type Kind, listenersOfEachKind, placeOf } from './listeners.ts';
import { eventually, type Program, workspace } from './program.ts';
import { connectTo, exchange, get, headerRequest } from './wire.ts';

/** Far more than the buffers between the server and a reader take. */
const RECORDS = 4_000;
/** Queries end after 15 s by themselves. */
const LESS_THAN_PATIENCE_MS = 12_000;
const PAYLOAD = 'x'.repeat(10_000);
const EXPORT = '/telemetryui/records/export/records-all.ndjson?download=1';

const space = workspace();
let program: Program;
let sql: Sql;

beforeAll(async () => {
  program = await space.start({ env: listenersOfEachKind(space) });
  sql = program.sql();
  space.defer(() => sql.end({ timeout: 5 }));
  await exchange(program.port, headerRequest(PAYLOAD));
  await sql`
    insert into records
    select (jsonb_populate_record(r, jsonb_build_object('id', id + n))).*
      from records r, generate_series(1, ${RECORDS - 1}::int) n`;
});

describe.each(KINDS)('over %s', kind => {
  test('an export arrives whole, in chunks', async () => {
    const answer = await fetchFrom(kind, EXPORT);
    expect(answer.headers.get('content-length')).toBeNull();
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines.length).toBe(RECORDS);
    for (const line of lines) expect(JSON.parse(line).payload.length).toBe(PAYLOAD.length);
  });

  test('an export waits for its reader, and ends when that leaves', async () => {
    const before = residentBytes(program.pid);
    const socket = connectTo(placeOf(program, kind));
    socket.on('error', () => {});
    socket.once('data', () => socket.pause());
    socket.write(get(EXPORT));
    await eventually('the export begins', exporting);
    await Bun.sleep(1_000);
    expect(await exporting()).toBe(true);
    expect(residentBytes(program.pid) - before).toBeLessThan(RECORDS * PAYLOAD.length);
    socket.destroy();
    await eventually('the export ends', async () => !(await exporting()));
  });

  test.each([
    ['searches', '/api/records?payload=x', 'search'],
    ['pages', '/telemetryui/records', 'pages'],
  ])('%s end with their clients and hold up nobody', async (_what, path, client) => {
    const waiting = async () => {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from pg_stat_activity
         where application_name = ${`telemetricsd ${client}`} and wait_event_type = 'Lock'`;
      return row!.n;
    };
    await sql.begin(async tx => {
      await tx`lock table records in access exclusive mode`;
      const sockets = Array.from({ length: 60 }, () => connectTo(placeOf(program, kind)));
      for (const socket of sockets) {
        socket.on('error', () => {});
        socket.write(get(path));
      }
      await eventually('their queries wait', async () => (await waiting()) > 0);
      for (const socket of sockets) socket.destroy();
      await eventually('no query waits any more', async () => (await waiting()) === 0, LESS_THAN_PATIENCE_MS);
    });
    // The server may still be about to see that the others have left.
    await eventually('it is answered', async () => (await fetchFrom(kind, path)).status === 200);
  });

  test('who has asked and closes its side is answered', async () => {
    const socket = connectTo(placeOf(program, kind));
    socket.end(get('/telemetryui').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    let answer = '';
    for await (const piece of socket) answer += piece;
    expect(answer).toStartWith('HTTP/1.1 200');
    expect(answer).toContain('</html>');
  });

  test.each(['/telemetryui', '/api/records?limit=1', '/nothing/here'])(
    'HEAD of %s is answered like GET',
    async path => {
      const head = await fetchFrom(kind, path, {}, 'HEAD');
      const whole = await fetchFrom(kind, path);
      expect(head.status).toBe(whole.status);
      for (const name of ['content-type', 'content-security-policy', 'cache-control'])
        expect(head.headers.get(name)).toBe(whole.headers.get(name));
      expect(await head.text()).toBe('');
      await whole.text();
    },
  );

  test('a file is the same, compressed or not', async () => {
    const plain = await fetchFrom(kind, '/static/app.js', { 'Accept-Encoding': 'identity' });
    const compressed = await fetchFrom(kind, '/static/app.js', { 'Accept-Encoding': 'gzip' });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(await compressed.text()).toBe(await plain.text());
  });
});

function fetchFrom(kind: Kind, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const place = placeOf(program, kind);
  const port = typeof place === 'object' ? place.https : place;
  return fetch(`${kind}://127.0.0.1:${port}${path}`, { method, headers, tls: { rejectUnauthorized: false } });
}

async function exporting(): Promise<boolean> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity
     where application_name = 'telemetricsd export' and state <> 'idle'`;
  return row!.n > 0;
}

function residentBytes(pid: number) {
  return Number(/VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}
