import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { bodyRoom } from '../../src/http/body-room.ts';
import { watchConnections } from '../../src/http/connections.ts';
import { listen } from '../../src/http/listen.ts';
import type { RecordRequest } from '../../src/http/service.ts';
import type { Unreadable } from '../../src/http/unreadable.ts';
import { createLog } from '../../src/log.ts';
import { openCertificate } from '../../src/tls/certificate.ts';
import { testConfig } from '../app.ts';
import { quietLog } from '../database.ts';
import { eventually } from '../executable/program.ts';
import { connectTo, exchange, get, headerBlock, headerRequest, openWire, type Place } from '../executable/wire.ts';
import { makeCertificate, withoutOpenssl } from '../tls/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-listen-'));
const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true })];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const KINDS = withoutOpenssl('test/http/listen.test.ts') ? (['http'] as const) : (['http', 'https'] as const);
type Kind = (typeof KINDS)[number];

interface Options {
  timing?: Parameters<typeof watchConnections>[1];
  connections?: number;
  roomBytes?: number;
  /** How long a record takes. */
  recordMs?: number;
}

interface Served {
  place: Place;
  room: ReturnType<typeof bodyRoom>;
  unreadable: Unreadable[];
  lines: string[];
  listening: Awaited<ReturnType<typeof listen>>;
}

const MOST = 2_000_000;
const LARGE = Buffer.alloc(30_000_000, 'x');

/** A listener that answers a record with what came of it. Others get their body's length, or, at /large, LARGE. */
async function serve(kind: Kind, { timing, connections, roomBytes, recordMs = 5 }: Options = {}): Promise<Served> {
  const unreadable: Unreadable[] = [];
  const lines: string[] = [];
  const log = createLog('info', 'text', line => lines.push(line));
  const room = bodyRoom(MOST, roomBytes);
  const records = {
    isPath: (path: string) => path === '/v2/collector',
    async answer({ headers, body }: RecordRequest) {
      if (headers['x-refused']) return { status: 400, json: { message: 'refused' } };
      try {
        const length = (await body()).byteLength;
        await Bun.sleep(recordMs);
        return { status: 201, json: { by: 'records', length, bios: headers.bios_version } };
      } catch (error) {
        const { status = 400, message } = error as Error & { status?: number };
        return { status, json: { message } };
      }
    },
  };
  async function fetch(request: Request) {
    if (new URL(request.url).pathname === '/large') return new Response(new Blob([LARGE]).stream());
    const { length } = await request.bytes();
    return Response.json({ by: 'fetch', length, bios: request.headers.get('bios_version') });
  }
  const listening = await listen(
    { records, fetch },
    {
      host: '127.0.0.1',
      port: 0,
      tls: kind === 'https' ? { certificate: certificate(), asksForCertificates: false } : undefined,
    },
    {
      connections: watchConnections(log, timing, connections),
      room,
      maxBodyBytes: MOST,
      onUnreadable: request => unreadable.push(request),
      log,
    },
  );
  ends.push(() => listening.stop(0));
  const port = listening.port!;
  return { place: kind === 'https' ? { https: port } : port, room, unreadable, lines, listening };
}

let served: ReturnType<typeof openCertificate> | undefined;

function certificate() {
  if (served) return served;
  const { cert, key } = makeCertificate(join(directory, 'server'));
  const settings = {
    TELEMETRICSD_HTTP_LISTEN: 'https://127.0.0.1:0',
    TELEMETRICSD_TLS_CERT: cert,
    TELEMETRICSD_TLS_KEY: key,
  };
  served = openCertificate(testConfig(settings).tls, quietLog);
  ends.push(served.stop);
  return served;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const post = (bios: string, body = 'hello') => latin1(headerRequest(body, { headers: { bios_version: bios } }));
const chunked = (bios: string) =>
  latin1(
    `${headerBlock(0, { headers: { bios_version: bios } }).replace('Content-Length: 0', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
  );

describe.each(KINDS)('over %s', kind => {
  const shared = serve(kind);

  test('a header may hold any control character but a line feed', async () => {
    const { place } = await shared;
    const characters = [...Array(32).keys(), 127, 128, 0x85, 0xa0, 255].filter(code => code !== 10);
    for (const character of characters.map(code => String.fromCharCode(code))) {
      const bios = `v1${character}${character}x`;
      expect((await exchange(place, post(bios))).json).toEqual({ by: 'records', length: 5, bios });
    }
  });

  test('in a request of another form as well', async () => {
    const { place } = await shared;
    for (const code of [1, 2, 7, 9, 12, 27, 31, 127, 128, 255]) {
      const bios = `v1${String.fromCharCode(code)}x`;
      expect((await exchange(place, chunked(bios))).json).toEqual({ by: 'fetch', length: 5, bios });
    }
  });

  test.each([
    ['a line feed in a header', post('v1\nx'), true],
    [
      'a header without a colon',
      'POST /v2/collector HTTP/1.1\r\nHost: x\r\nnothing\r\nContent-Length: 0\r\n\r\n',
      true,
    ],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', false],
  ])('%s is answered 400 with the reason, and reported with its address', async (_, bytes, isPost) => {
    const { place, unreadable } = await shared;
    const { status, json } = await exchange(place, typeof bytes === 'string' ? latin1(bytes) : bytes);
    expect([status, json.message]).toEqual([
      400,
      expect.stringMatching(/^this is no HTTP request that can be read: \w/),
    ]);
    expect(unreadable.at(-1)).toEqual({ address: '127.0.0.1', reason: expect.stringMatching(/^\w/), isPost });
  });

  test('a client that leaves in the middle of a request is not reported', async () => {
    const { place, unreadable } = await shared;
    const before = unreadable.length;
    for (const part of [
      'PO',
      'POST /v2/collector HTTP/1.1\r\nHo',
      'GET / HTTP/1.1\r\nHost',
      headerBlock(500),
      chunked('x').toString().slice(0, -9),
    ]) {
      const wire = await openWire(place);
      wire.write(part);
      await Bun.sleep(5);
      wire.close();
    }
    expect((await exchange(place, get('/'))).status).toBe(200);
    expect(unreadable.length).toBe(before);
  });

  test('requests that come together are answered in their order, of whatever form they are', async () => {
    const { place } = await shared;
    const forms = {
      record: (length: number) => latin1(headerRequest('x'.repeat(length))),
      chunked: () => chunked('x'),
      page: () => latin1(get('/')),
      form: (length: number) =>
        latin1(`POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${'y'.repeat(length)}`),
      emptyLine: () => latin1('\r\n'),
    };
    const form = fc.oneof(
      { weight: 3, arbitrary: fc.constant('record' as const) },
      fc.constantFrom(...(Object.keys(forms) as (keyof typeof forms)[])),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(form, fc.integer({ min: 0, max: 9_000 })), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(20_000), { maxLength: 5 }),
        async (requests, cuts) => {
          const wire = await openWire(place);
          const bytes = Buffer.concat(requests.map(([name, length]) => forms[name](length)));
          const ends = [...new Set([...cuts.filter(cut => cut < bytes.length), bytes.length])].sort((a, b) => a - b);
          let begin = 0;
          for (const end of ends) {
            wire.write(bytes.subarray(begin, end));
            await Bun.sleep(1);
            begin = end;
          }
          for (const [name, length] of requests) {
            if (name === 'emptyLine') continue;
            const expected = { record: length, chunked: 5, page: 0, form: length }[name];
            expect((await wire.answer()).json.length).toBe(expected);
          }
          wire.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test('an empty line after a request does no harm', async () => {
    const { place } = await shared;
    const wire = await openWire(place);
    for (let n = 0; n < 3; n++) {
      wire.write(Buffer.concat([post('x'), latin1('\r\n')]));
      expect((await wire.answer()).status).toBe(201);
    }
    wire.write(get('/'));
    expect((await wire.answer()).status).toBe(200);
    wire.close();
  });

  test('what can be refused by its head is answered before its body comes', async () => {
    const { place, room } = await shared;
    const wire = await openWire(place);
    wire.write(headerBlock(1_000_000, { headers: { 'X-Refused': 'yes' } }));
    const { status, headers } = await wire.answer();
    expect([status, headers.connection]).toEqual([400, 'close']);
    for (let n = 0; n < 20; n++) wire.write(Buffer.alloc(50_000));
    await wire.closed;
    expect(room.held).toBe(0);
  });

  test('a larger body than any may be is answered 413 before it comes, and in chunks once it is too large', async () => {
    const { place } = await shared;
    const form = 'POST /form HTTP/1.1\r\nHost: x\r\n';
    expect((await exchange(place, `${form}Content-Length: 2000001\r\n\r\n`)).status).toBe(413);
    const wire = await openWire(place);
    wire.write(`${form}Transfer-Encoding: chunked\r\n\r\n`);
    for (let n = 0; n < 5; n++) wire.write(`7a120\r\n${'x'.repeat(500_000)}\r\n`);
    // The service of this test does not catch it.
    expect(
      await Promise.race([
        wire.closed.then(() => 'closed'),
        wire.answer().then(
          answer => answer.status,
          () => 'closed',
        ),
      ]),
    ).toBeOneOf(['closed', 413]);
    wire.close();
  });

  test('a request that does not come in time is answered 408, however steadily it comes', async () => {
    const { place, room } = await serve(kind, { timing: { requestMs: 1_000, idleMs: 20_000 } });
    const wire = await openWire(place);
    wire.write(headerBlock(100_000));
    const dripping = setInterval(() => wire.write('x'), 50);
    const { status, json } = await wire.answer();
    expect([status, json.message]).toEqual([408, 'the whole request took too long to come']);
    await wire.closed;
    clearInterval(dripping);
    await eventually('nothing is held', () => room.held === 0);
  });

  test.each([
    ['nothing', ''],
    ['half a head', 'POST /v2/collector HTTP/1.1\r\nHost: x\r\n'],
    ['half a head of another form', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['half a form', 'POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello'],
  ])('a client that sends %s and no more is dropped', async (_, bytes) => {
    const { place } = await serve(kind, { timing: { idleMs: 300 } });
    const wire = await openWire(place);
    wire.write(bytes);
    await wire.closed;
  });

  test('bodies find no more room than there is, small ones find it all the same', async () => {
    const { place, room } = await serve(kind, { roomBytes: 100_000 });
    const body = Buffer.alloc(50_000, 'x');
    const wires = await Promise.all([0, 1].map(() => openWire(place)));
    for (const wire of wires) wire.write(Buffer.concat([latin1(headerBlock(body.length)), body.subarray(0, 45_000)]));
    await eventually('they are held', () => room.held > 89_000);
    const late = await openWire(place);
    late.write(Buffer.concat([latin1(headerBlock(body.length)), body.subarray(0, 45_000)]));
    const { status, json } = await late.answer();
    expect([status, json.message]).toEqual([503, expect.stringContaining('send this one again later')]);
    expect((await exchange(place, post('x'))).status).toBe(201);
    wires[0]!.close();
    await eventually('one has left', () => room.held < 50_000);
    wires[1]!.write(body.subarray(45_000));
    expect((await wires[1]!.answer()).json.length).toBe(50_000);
    expect(room.held).toBe(0);
  });

  test('a slow reader gets all of a long answer, whatever pauses it makes', async () => {
    const { place, lines } = await serve(kind, { timing: { idleMs: 200 } });
    const socket = connectTo(place);
    let received = 0;
    let pauses = 3;
    socket.on('data', chunk => {
      received += chunk.length;
      if (received < 5_000_000 * (4 - pauses) || pauses === 0) return;
      pauses--;
      socket.pause();
      setTimeout(() => socket.resume(), 1_500);
    });
    socket.write(get('/large').replace('Accept', 'Connection: close\r\nAccept'));
    await new Promise(resolve => socket.once('close', resolve));
    expect(received).toBeGreaterThan(LARGE.length);
    expect(lines).toEqual([]);
  });

  test('a reader that has stopped is dropped, and the log says so', async () => {
    const { place, lines } = await serve(kind, { timing: { stalledMs: 500, idleMs: 400 } });
    const socket = connectTo(place);
    socket.on('error', () => {});
    socket.once('data', () => socket.pause());
    socket.write(get('/large'));
    await eventually('it is dropped', () => lines.length > 0);
    expect(lines[0]).toMatch(
      / warn {2}dropped a client that did not read its answer address=127\.0\.0\.1 seconds=\d+\n/,
    );
    socket.destroy();
  });

  test('past the greatest number of connections new ones are closed, and the log says so', async () => {
    const { place, lines } = await serve(kind, { connections: 3 });
    const wires = await Promise.all([0, 1, 2].map(() => openWire(place)));
    for (const wire of wires) {
      wire.write(post('x'));
      expect((await wire.answer()).status).toBe(201);
    }
    await expect(exchange(place, post('x'))).rejects.toThrow();
    expect(lines[0]).toContain('warn  closed a connection, since there are too many');
    wires[0]!.close();
    await eventually('another finds a place', () =>
      exchange(place, post('x')).then(
        answer => answer.status === 201,
        () => false,
      ),
    );
    for (const wire of wires) {
      if (wire === wires[0]) continue;
      wire.write(post('x'));
      expect((await wire.answer()).status).toBe(201);
      wire.close();
    }
  });

  test('a stop waits for what is under way, and for nothing else', async () => {
    const { place, listening } = await serve(kind, { recordMs: 1_000 });
    const [idle, busy, half] = await Promise.all([0, 1, 2].map(() => openWire(place)));
    busy!.write(post('x'));
    half!.write('POST /v2');
    await Bun.sleep(300);
    const stopping = listening.stop(20_000);
    const { status, headers } = await busy!.answer();
    expect([status, headers.connection]).toEqual([201, 'close']);
    await idle!.closed;
    half!.close();
    await stopping;
    await expect(openWire(place)).rejects.toThrow();
  });
});

test.each([
  ['a record', post('x'), 1],
  ['a record in chunks', chunked('x'), 1],
  ['three records', Buffer.concat([post('x'), post('y'), post('z')]), 3],
  ['a record and half of another', Buffer.concat([post('x'), post('y').subarray(0, -2)]), 1],
  ['a record and half of a head', Buffer.concat([post('x'), post('y').subarray(0, 20)]), 1],
])('a client that has ended its side after %s gets what there is to answer', async (_, bytes, answers) => {
  const { place } = await serve('http', { recordMs: 100 });
  const socket: Socket = connect({ port: place as number, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.setEncoding('latin1').on('data', data => {
    text += data;
  });
  socket.end(bytes);
  await new Promise(resolve => socket.once('end', resolve));
  expect(text.match(/HTTP\/1\.1 20[01] /g)).toHaveLength(answers);
  socket.destroy();
});
