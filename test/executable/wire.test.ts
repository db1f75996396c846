import { beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { TID } from '../app.ts';
import { asLibreportSends, asSatyrPrints, CORE } from '../dialects/data/ureports.ts';
import { KINDS, type Kind, listenersOfEachKind, placeOf } from './listeners.ts';
import { type Program, STOPPED_WITHIN_MS, workspace } from './program.ts';
import { exchange, get, headerBlock, headerRequest, jsonRequest, openWire, type Place } from './wire.ts';

const space = workspace();
const { start, path } = space;
let program: Program;
let places: Record<Kind, Place>;

beforeAll(async () => {
  program = await start({ env: listenersOfEachKind(space, [`unix:${path('http.sock')}`]) });
  places = { http: placeOf(program, 'http'), https: placeOf(program, 'https') };
});

async function storedUnder(id: number) {
  const { status, json } = await exchange(places.http, get(`/api/records/${id}`));
  expect(status).toBe(200);
  return json;
}

const CRASH = `Process: /usr/bin/crashc
PID: 28884
Signal: 11

Backtrace (TID 28884):
#0 level3() - [/usr/bin/crashc] - /usr/src/crashc.c:3
#1 _ZN5telem2ui6EngineclEi() - [/usr/bin/crashc] - /usr/src/engine.cc:10
#2 ??? - [libstdc++.so.6]
#3 __libc_start_call_main() - [libc.so.6] - ../sysdeps/nptl/libc_start_call_main.h:58

`;
const TRUNCATED = `Process: /usr/bin/deep
PID: 411
Signal: 6
Too many frames. Backtrace truncated.

Backtrace (TID 411):
${Array.from({ length: 64 }, (_, n) => `#${n} recurse() - [/usr/bin/deep] - /usr/src/deep.c:9\n`).join('')}
`;
const OOPS = `Crash Report:
Reason: BUG: unable to handle kernel NULL pointer dereference at 0000000000000118
Kernel Version : 3.7.4-204.fc18.x86_64 #1 LENOVO 27672LG/27672LG
Tainted : Not tainted
Modules : vfat fat usb_storage
Backtrace :
Register RSP: Non-zero
#1 dump_stack - [kernel]
#2 ? __queue_work - [kernel]

`;
const BERT =
  'Crash Report:\nReason: BERT: Error records from previous boot:\n[Hardware Error]: event severity: fatal\n\n';
const none = { board_name: undefined, cpu_model: undefined, bios_version: undefined, event_id: undefined };

const SHAPES: [string, Record<string, string | undefined>, string][] = [
  ['hello', {}, 'hello\n\n'],
  ['heartbeat', { classification: 'org.clearlinux/heartbeat/ping' }, 'hello\nLC_ALL: C.UTF-8\nuptime: 915\n\n'],
  ['a crash', { classification: 'org.clearlinux/crash/clr', severity: '3' }, CRASH],
  ['a truncated crash', { classification: 'org.clearlinux/crash/clr', severity: '3' }, TRUNCATED],
  [
    'a crash of someone else',
    { classification: 'org.clearlinux/crash/unknown', severity: '2' },
    'Crash from third party\n\n',
  ],
  ['a kernel bug', { classification: 'org.clearlinux/kernel/bug', severity: '4' }, OOPS],
  ['a kernel bug in its two-domain spelling', { classification: 'crash/kernel/bug', severity: '4' }, OOPS],
  ['journal', { classification: 'org.clearlinux/journal/error', severity: '2' }, 'MESSAGE=It’s broken: naïve\n\n'],
  ['an empty payload', { classification: 'org.example/gen/size0', severity: '2' }, '\n'],
  [
    'spaces in values',
    {
      classification: 'org.example/with space/c d',
      machine_id: 'my-machine-name',
      host_type: 'QEMU|Standard PC (Q35 + ICH9, 2009)|pc-q35-6.0',
      board_name: 'Z68X-UD3H-B3|Gigabyte Technology Co., Ltd.',
      bios_version: 'F9 (09/01/2011)',
    },
    'tab\there\n',
  ],
  ['format 3', { record_format_version: '3', event_id: undefined }, 'hello\n'],
  ['format 2', { record_format_version: '2', ...none }, 'hello again\n'],
];

const GUARDED = ['/telemetryui', '/api/records', '/metrics'];

function hostLine(host: string | undefined) {
  return host === undefined ? '' : `Host: ${host}\r\n`;
}

/** The API's form of such fields. */
function expected({
  record_format_version = '4',
  severity = '1',
  host_type,
  ...fields
}: Record<string, string | undefined>) {
  return {
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? null])),
    ...(host_type && { machine_type: host_type }),
    record_format_version: Number(record_format_version),
    severity: Number(severity),
    build: '12',
    fleet: 'default',
  };
}

/** As the client writes them: values end at their first space, and some contain a newline. */
function jsonFields(changes: Record<string, string>) {
  return {
    record_format_version: '4',
    classification: 'org.clearlinux/hello/world',
    severity: '3',
    machine_id: '0d9e41a5b1c7c0ffee22fd5c1b6b1f3a\n',
    creation_timestamp: '1795439884',
    arch: 'x86_64',
    host_type: 'QEMU|Standard',
    build: '"12"',
    kernel_version: '6.18.44-1500.native',
    payload_format_version: '1',
    system_name: 'clear-linux-os',
    board_name: 'Z68X-UD3H-B3|Gigabyte',
    cpu_model: 'AMD',
    bios_version: 'F9',
    event_id: crypto.randomUUID().replaceAll('-', ''),
    payload: 'hello\n',
    ...changes,
  };
}

describe.concurrent.each(KINDS)('over a raw %s connection', kind => {
  const place = () => places[kind];

  test.each(SHAPES)('header format: %s', async (_, fields, payload) => {
    const { status, json } = await exchange(place(), headerRequest(payload, { headers: fields }));
    expect(status).toBe(201);
    expect(json).toMatchObject({ ...expected(fields), payload });
    expect(await storedUnder(json.id)).toMatchObject(json);
  });

  test.each([
    ['hello', 'org.clearlinux/hello/world', 'hello\n\n'],
    ['a crash', 'org.clearlinux/crash/clr', CRASH],
    ['a kernel bug', 'org.clearlinux/kernel/bug', OOPS],
    ['a hardware error of the last boot', 'org.clearlinux/bert/debug', BERT],
  ])('JSON format: %s', async (_, classification, payload) => {
    const { status, json } = await exchange(place(), jsonRequest(jsonFields({ classification, payload })));
    expect(status).toBe(201);
    expect(json).toMatchObject({ classification, severity: 3, cpu_model: 'AMD', build: '12', payload });
    expect(await storedUnder(json.id)).toMatchObject(json);
  });

  test('JSON format: a classification that was cut at its space is refused', async () => {
    const { status, json } = await exchange(place(), jsonRequest(jsonFields({ classification: 'org.example/with' })));
    expect(status).toBe(400);
    expect(json.message).toStartWith('classification: got "org.example/with"');
  });

  test.each(['/', '/v2/collector', '/v3/collector'])('POST to %s takes a record', async address => {
    expect((await exchange(place(), headerRequest('hello\n', { path: address }))).status).toBe(201);
  });

  test('the TID without a space after the colon', async () => {
    const request = headerRequest('hello\n').replace('X-Telemetry-TID: ', 'X-Telemetry-TID:');
    expect((await exchange(place(), request)).status).toBe(201);
  });

  test('the TID in capitals', async () => {
    expect((await exchange(place(), headerRequest('hello\n', { tid: TID.toUpperCase() }))).status).toBe(201);
  });

  test('a wrong TID is refused', async () => {
    const { status, json } = await exchange(
      place(),
      headerRequest('hello\n', { tid: 'ffffffff-eed9-4ce9-81ae-76daf8d88f0f' }),
    );
    expect(status).toBe(400);
    expect(json.message).toStartWith('X-Telemetry-TID: got "ffffffff-');
  });

  test('Expect: 100-continue is answered before the body is sent', async () => {
    const payload = 'x'.repeat(4_000);
    const wire = await openWire(place());
    wire.write(headerBlock(payload.length).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    expect((await wire.answer()).status).toBe(100);
    wire.write(payload);
    const { status, json } = await wire.answer();
    wire.close();
    expect(status).toBe(201);
    expect((await storedUnder(json.id)).payload).toBe(payload);
  });

  test('Expect: 100-continue from a client that does not wait', async () => {
    const wire = await openWire(place());
    wire.write(headerRequest('hello\n').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    let answer = await wire.answer();
    if (answer.status === 100) answer = await wire.answer();
    wire.close();
    expect(answer.status).toBe(201);
  });

  test('HTTP/1.0 is answered and closed', async () => {
    const wire = await openWire(place());
    wire.write(headerRequest('hello\n', { version: '1.0' }));
    expect((await wire.answer()).status).toBe(201);
    expect(await wire.closed).toBe('');
  });

  test.each([
    ['/', undefined],
    ['/v2/collector', undefined],
    ['/v3/collector', undefined],
    ['/v2/collector', ''],
  ])('HTTP/1.0 to %s with the Host %p takes a record', async (address, host) => {
    const request = headerRequest(`${address} ${host}\n`, { path: address, version: '1.0' });
    const { status, json } = await exchange(place(), request.replace(/Host: .*\r\n/, hostLine(host)));
    expect([status, json.payload]).toEqual([201, `${address} ${host}\n`]);
  });

  test.each([
    ['1.0', undefined],
    ['1.0', ''],
    ['1.1', ''],
  ])('health checks by HTTP/%s with the Host %p are answered, pages and API are not', async (version, host) => {
    const ask = (path: string) => exchange(place(), `GET ${path} HTTP/${version}\r\n${hostLine(host)}\r\n`);
    expect((await ask('/healthz')).text).toBe('alive\n');
    expect((await ask('/readyz?a=/b')).text).toBe('ready\n');
    for (const path of GUARDED) expect([path, (await ask(path)).status]).toEqual([path, 403]);
  });

  test.each(['a b', 'a/b', 'a@b', '[::1].evil.com', '[x', '%%', 'h:99999999', 'localhost:x'])(
    'the Host %j is refused',
    async host => {
      for (const path of ['/healthz', ...GUARDED]) {
        expect([path, (await exchange(place(), get(path, host))).status]).toEqual([path, 400]);
      }
      const record = headerRequest('hello\n').replace(/Host: .*\r\n/, hostLine(host));
      expect((await exchange(place(), record)).status).toBe(400);
      expect(program.output()).not.toContain('a request failed');
    },
  );

  test('one connection carries many requests, refused ones among them', async () => {
    const wire = await openWire(place());
    for (let n = 0; n < 30; n++) {
      const severity = n % 3 === 0 ? '5' : '1';
      wire.write(n % 2 ? jsonRequest({ severity }) : headerRequest(`number ${n}\n`, { headers: { severity } }));
      const { status } = await wire.answer();
      expect([n, status]).toEqual([n, n % 2 || n % 3 === 0 ? 400 : 201]);
    }
    wire.close();
  });

  test.each(['v1\x01\x02x', '\x1b[0m', 'v1\r', '\x07\x7f\x85'])(
    'control characters in a header, %j, reach the collector',
    async value => {
      const { text } = await exchange(
        place(),
        Buffer.from(headerRequest('hello\n', { headers: { bios_version: value } }), 'latin1'),
      );
      // Stored, or refused for that field and kept.
      expect(text).toContain('bios_version');
    },
  );

  test('what cannot be read as HTTP is answered with the reason, counted, logged and shown', async () => {
    const { status, json } = await exchange(place(), headerRequest('hello\n', { headers: { bios_version: 'v1\nx' } }));
    expect([status, json.message]).toEqual([400, expect.stringContaining('this HTTP request cannot be read: ')]);
    const { text } = await exchange(place(), get('/metrics'));
    expect(text).toMatch(/^telemetricsd_unreadable_requests_total\{began="post"\} [1-9]/m);
    expect(program.output()).toMatch(/ warn {2}a request could not be read address=127\.0\.0\.1 reason="/);
    const { checks } = (await exchange(place(), get('/api/status'))).json;
    expect(checks.find((check: { name: string }) => check.name === 'Requests')).toMatchObject({
      level: 'warning',
      text: expect.stringMatching(/^Since the server started, \d+ POST requests? could not be read, the last /),
      reason: expect.stringContaining('127.0.0.1: '),
    });
  });

  test('two records sent together are both answered', async () => {
    const wire = await openWire(place());
    wire.write(headerRequest('first\n') + headerRequest('second\n'));
    for (const payload of ['first\n', 'second\n']) {
      expect(await wire.answer()).toMatchObject({ status: 201, json: { payload } });
    }
    wire.close();
  });

  test('an empty line after a record does no harm', async () => {
    const wire = await openWire(place());
    for (const payload of ['one\n', 'another\n']) {
      wire.write(`${headerRequest(payload)}\r\n`);
      expect(await wire.answer()).toMatchObject({ status: 201, json: { payload } });
    }
    wire.close();
  });

  test('a wrong TID is refused before the body comes', async () => {
    const wire = await openWire(place());
    wire.write(headerBlock(200_000, { tid: 'ffffffff-eed9-4ce9-81ae-76daf8d88f0f' }));
    const { status, headers } = await wire.answer();
    expect([status, headers.connection]).toEqual([400, 'close']);
    await wire.closed;
  });

  test('a report of ABRT, as libreport sends it', async () => {
    const { headers, body } = asLibreportSends(asSatyrPrints(CORE));
    const head = Object.entries({ 'User-Agent': 'ABRT/2.17', Host: 'localhost', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const request = (path: string) =>
      Buffer.concat([Buffer.from(`POST /abrt/${TID}${path} HTTP/1.1\r\n${head.join('')}\r\n`), body as Buffer]);
    const { status, json } = await exchange(places[kind], request('/reports/new/'));
    expect(status).toBe(202);
    expect(json).toMatchObject({ result: false, bthash: expect.stringMatching(/^[0-9a-f]{32}$/), solutions: [] });
    expect(await exchange(places[kind], request('/reports/attach/'))).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/^bthash/) },
    });
  });

  test('a report of ABRT that is far too large', async () => {
    const head = `POST /abrt/${TID}/reports/new/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n`;
    const { status, json } = await exchange(places[kind], head);
    expect([status, json.error]).toEqual([413, expect.stringContaining('too large')]);
  });

  test('a body in chunks and in pieces', async () => {
    const wire = await openWire(place());
    wire.write(headerBlock(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked'));
    for (const piece of ['5\r\nhel', 'lo\r\n', '1', '0\r\n, and a good day\r\n', '0\r\n\r\n']) {
      wire.write(piece);
      await Bun.sleep(20);
    }
    const { status, json } = await wire.answer();
    wire.close();
    expect(status).toBe(201);
    expect((await storedUnder(json.id)).payload).toBe('hello, and a good day');
  });

  test('headers of 30 KB', async () => {
    const padding = Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`X-Padding-${n}`, 'p'.repeat(7_500)]));
    expect((await exchange(place(), headerRequest('hello\n', { headers: padding }))).status).toBe(201);
  });

  test('headers without end are refused', async () => {
    const wire = await openWire(place());
    wire.write(headerBlock(0, { headers: { 'X-Padding': 'p'.repeat(200_000) } }));
    const answer = await Promise.race([wire.answer().catch(() => undefined), wire.closed.then(() => undefined)]);
    wire.close();
    expect(answer?.status ?? 431).toBeOneOf([400, 413, 431]);
  });

  test.each([
    ['Latin-1', Buffer.from('Müller & Söhne', 'latin1')],
    ['UTF-8', Buffer.from('Müller & Söhne', 'utf8')],
  ])('header values in %s', async (_, bytes) => {
    const [before, after] = headerRequest('hello\n', { headers: { board_name: 'BOARD' } }).split('BOARD') as [
      string,
      string,
    ];
    const { status, json } = await exchange(place(), Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]));
    expect(status).toBe(201);
    expect((await storedUnder(json.id)).board_name).toBe('Müller & Söhne');
  });

  test.each([
    ['NUL bytes', Buffer.from('before\0after\0')],
    ['bytes that are no UTF-8', Buffer.from([0x66, 0xfc, 0x72, 0x0a])],
  ])('a payload with %s comes back whole', async (_, bytes) => {
    const request = Buffer.concat([Buffer.from(headerBlock(bytes.length)), bytes]);
    const { status, json } = await exchange(place(), request);
    expect(status).toBe(201);
    const stored = await storedUnder(json.id);
    expect(stored.payload).toBe(bytes.toString('latin1'));
    expect(stored.payload_nul_bytes).toBe(bytes.filter(byte => byte === 0).length);
  });

  test.each([
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['a line that is no request', 'hello there\r\n\r\n'],
    ['a header without a colon', 'POST / HTTP/1.1\r\nHost: x\r\nno colon here\r\nContent-Length: 0\r\n\r\n'],
    ['a length that is no number', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n'],
    ['a chunk of no length', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n'],
  ])('%s is refused', async (_, bytes) => {
    const wire = await openWire(place());
    wire.write(Buffer.from(bytes, 'latin1'));
    const status = await Promise.race([
      wire.answer().then(
        answer => answer.status,
        () => 0,
      ),
      wire.closed.then(() => 0),
    ]);
    wire.close();
    expect(status).toBeOneOf([0, 400]);
    expect((await exchange(place(), get('/healthz'))).status).toBe(200);
  });

  test.each([
    ['announced', headerBlock(900_000_000)],
    ['a little over the limit', headerRequest('x'.repeat(300 * 1024 + 1))],
    [
      'in chunks',
      `${headerBlock(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked')}1e8480\r\n${'x'.repeat(2_000_000)}\r\n0\r\n\r\n`,
    ],
  ])('a body that is too large, %s, is answered 413', async (_, request) => {
    expect((await exchange(place(), request)).status).toBe(413);
    expect((await exchange(place(), headerRequest('hello\n'))).status).toBe(201);
  });

  test('the largest payload is taken', async () => {
    const payload = 'x'.repeat(300 * 1024);
    const { status, json } = await exchange(place(), headerRequest(payload));
    expect(status).toBe(201);
    expect(json.payload.length).toBe(payload.length);
  });

  test('a client that leaves half-way harms nobody and leaves nothing', async () => {
    const machine = `left-half-way-${kind}`;
    for (let n = 0; n < 50; n++) {
      const request = headerRequest('x'.repeat(5_000), { headers: { machine_id: machine } });
      const wire = await openWire(place());
      wire.write(request.slice(0, request.length - 1 - n * 100));
      await Bun.sleep(2);
      wire.close();
    }
    expect((await exchange(place(), headerRequest('hello\n'))).status).toBe(201);
    expect((await exchange(place(), get(`/api/records?machine_id=${machine}`))).json.records).toEqual([]);
    expect(program.output()).not.toContain(' error ');
    expect((await exchange(place(), get('/metrics'))).text).not.toContain('status="500"');
  });

  test.each([
    'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nid=1',
    'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nid=1',
    'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100\r\n\r\n--b\r\n',
  ])('a form that breaks off is no error: %j', async rest => {
    const wire = await openWire(place());
    wire.write(
      `POST /telemetryui/quarantine/discards HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n${rest}`,
    );
    await Bun.sleep(100);
    wire.close();
    await Bun.sleep(100);
    expect((await exchange(place(), get('/healthz'))).status).toBe(200);
    expect(program.output()).not.toContain(' error ');
  });
});

describe.concurrent('over a raw connection', () => {
  test('a client that has ended its side gets the answer, and the record is stored', async () => {
    const socket = connect({ port: program.port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.setEncoding('latin1').on('data', data => {
      text += data;
    });
    socket.end(headerRequest('ended\n'));
    await new Promise(resolve => socket.once('end', resolve));
    expect(text).toStartWith('HTTP/1.1 201 ');
    expect((await storedUnder(JSON.parse(text.slice(text.indexOf('{'))).id)).payload).toBe('ended\n');
    socket.destroy();
  });

  test('through a unix socket', async () => {
    expect((await exchange(path('http.sock'), headerRequest('hello\n'))).status).toBe(201);
    expect((await exchange(path('http.sock'), get('/healthz'))).text).toBe('alive\n');
  });

  // Both tests mostly wait.
  test.concurrent('a database that hangs is answered 503 before clients give up, and the record is not stored twice', async () => {
    const hanging = await start();
    const sql = hanging.sql();
    const request = headerRequest('hello\n');
    await sql.begin(async tx => {
      await tx`lock table records in access exclusive mode`;
      const asked = performance.now();
      expect((await exchange(hanging.port, request)).status).toBe(503);
      expect(performance.now() - asked).toBeLessThan(10_000);
    });
    expect((await exchange(hanging.port, request)).status).toBe(201);
    expect(await sql`select event_id from records`).toHaveLength(1);
    await sql.end({ timeout: 5 });
    expect((await hanging.stop()).code).toBe(0);
  });

  test.concurrent('a database that hangs does not hold up a stop', async () => {
    const hanging = await start();
    const sql = hanging.sql();
    const session = await sql.reserve();
    await session`begin`;
    await session`lock table records in access exclusive mode`;
    const wire = await openWire(hanging.port);
    wire.write(headerRequest('hello\n'));
    await Bun.sleep(200);
    const { code, ms } = await hanging.stop();
    expect({ code, inTime: ms < STOPPED_WITHIN_MS }).toEqual({ code: 0, inTime: true });
    await sql.end({ timeout: 1 });
  });
});
