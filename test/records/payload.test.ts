import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { decodeText } from '../../src/decode-text.ts';
import { getJson, getPage, headerBytes, post, postJson, recordJson, type TestApp, testApp } from '../app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

const utf8 = (text: string) => new Uint8Array(Buffer.from(text));
const page = (id: number) => getPage(server.app, `/telemetryui/records/record_details/${id}`);

const bytes: { what: string; sent: Uint8Array<ArrayBuffer>; payload: string }[] = [
  { what: 'nothing', sent: utf8(''), payload: '' },
  { what: 'UTF-8', sent: utf8('größe – 機械 😀\n'), payload: 'größe – 機械 😀\n' },
  { what: 'Latin-1', sent: new Uint8Array(Buffer.from('gr\xf6\xdfe', 'latin1')), payload: 'größe' },
  {
    what: 'Latin-1 beside UTF-8',
    sent: new Uint8Array(Buffer.from(`Process: /usr/bin/caf\xe9\n#0 ${headerBytes('öffnen()')}\n`, 'latin1')),
    payload: 'Process: /usr/bin/café\n#0 öffnen()\n',
  },
  { what: 'every byte', sent: new Uint8Array(256).map((_, byte) => byte), payload: latin1() },
  { what: 'a byte order mark', sent: utf8('\ufeffx'), payload: '\ufeffx' },
  { what: 'CRLF and blank lines', sent: utf8('\r\na\r\n\r\nb\r\n\n'), payload: '\r\na\r\n\r\nb\r\n\n' },
  { what: 'NULs and the sign for them', sent: utf8('a\0b␀\0'), payload: 'a\0b␀\0' },
  { what: 'only a NUL', sent: utf8('\0'), payload: '\0' },
  { what: 'JSON', sent: utf8('{"severity": "9"}'), payload: '{"severity": "9"}' },
  { what: '300 KB', sent: utf8('0123456789abcde\n'.repeat(19_200)), payload: '0123456789abcde\n'.repeat(19_200) },
  { what: '300 KB of NULs', sent: new Uint8Array(300 * 1024), payload: '\0'.repeat(300 * 1024) },
];

function latin1() {
  return Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
}

describe('a payload comes back as it was sent', () => {
  test.each(bytes)('$what', async ({ what, sent, payload }) => {
    const { status, json } = await post(server.app, { machine_id: what }, sent);
    expect(status).toBe(201);
    expect(json.payload === payload).toBe(true);
    const stored = await getJson(server.app, `/api/records/${json.id}`);
    expect(stored.json.payload === payload).toBe(true);
    expect(stored.json.payload_nul_bytes).toBe(payload.split('\0').length - 1);
  });

  test('from the JSON format, too', async () => {
    for (const { what, payload } of bytes) {
      const { json } = await postJson(server.app, recordJson({ machine_id: `JSON ${what}` }, payload));
      const stored = await getJson(server.app, `/api/records/${json.id}`);
      expect(stored.json.payload === payload).toBe(true);
    }
  });

  test('but for half a surrogate pair, which is no character', async () => {
    const { status, json } = await postJson(server.app, recordJson({}, 'a\ud83d b\ude00'));
    expect([status, json.payload]).toEqual([201, 'a\ufffd b\ufffd']);
  });

  test('half a surrogate pair in a field is refused', async () => {
    const { status, json } = await postJson(server.app, recordJson({ machine_id: 'a\ud83d' }));
    expect([status, json.message]).toEqual([400, 'machine_id: got "a\\ud83d", expected 1 to 32 printable characters']);
  });
});

test('each byte that is no part of a character of UTF-8 stands for itself', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const characterAt = (bytes: Uint8Array, at: number) => {
    for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
      try {
        return { length, text: strict.decode(bytes.subarray(at, at + length)) };
      } catch {}
    }
    return { length: 1, text: String.fromCharCode(bytes[at]!) };
  };
  const oneByOne = (bytes: Uint8Array) => {
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const character = characterAt(bytes, at);
      text += character.text;
      at += character.length;
    }
    return text;
  };
  const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef];
  const byte = fc.oneof(fc.constantFrom(...edges, 0xf0, 0xf1, 0xf4, 0xf5, 0xff), fc.nat({ max: 255 }));
  const piece = fc.oneof(
    byte.map(one => [one]),
    fc.string({ unit: 'binary', maxLength: 3 }).map(text => [...Buffer.from(text)]),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const bytes = Uint8Array.from(pieces.flat());
      expect(decodeText(bytes)).toBe(oneByOne(bytes));
    }),
    { numRuns: 3_000 },
  );
});

describe('a compressed body', () => {
  const text = 'größe\n'.repeat(1_000);
  const WAYS: [encoding: string, compress: (bytes: Uint8Array) => Uint8Array][] = [
    ['gzip', gzipSync],
    ['X-Gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['zstd', zstdCompressSync],
    ['identity', bytes => bytes],
  ];
  let sent = 0;
  const inHeaders = (encoding: string, body: Uint8Array) =>
    post(server.app, { 'Content-Encoding': encoding, machine_id: `zip ${sent++}` }, new Uint8Array(body));
  const inJson = (encoding: string, body: Uint8Array) =>
    postJson(server.app, new Uint8Array(body), { 'Content-Encoding': encoding });

  test.each(WAYS)('is taken in both formats: %s', async (encoding, compress) => {
    const headers = await inHeaders(encoding, compress(utf8(text)));
    expect([headers.status, headers.json.payload]).toEqual([201, text]);
    const whole = utf8(JSON.stringify(recordJson({ machine_id: `json ${sent++}` }, text)));
    const json = await inJson(encoding, compress(whole));
    expect([json.status, json.json.payload]).toEqual([201, text]);
  });

  test.each(WAYS.slice(0, -1))(
    'of which a part is missing, or which is none, is refused: %s',
    async (encoding, compress) => {
      for (const body of [compress(utf8(text)).slice(0, -4), utf8('hello'), utf8('')]) {
        for (const send of [inHeaders, inJson]) {
          const { status, json } = await send(encoding, body);
          expect([status, json.message]).toEqual([
            400,
            `body: expected ${encoding.toLowerCase()}, as Content-Encoding says, and all of it`,
          ]);
        }
      }
    },
  );

  test.each(WAYS.slice(0, -1))(
    'that becomes too large is 413, however small it comes: %s',
    async (encoding, compress) => {
      const most = server.config.collector.max_payload;
      expect((await inHeaders(encoding, compress(new Uint8Array(most)))).status).toBe(201);
      expect((await inHeaders(encoding, compress(new Uint8Array(most + 1)))).status).toBe(413);
      const bomb = compress(Buffer.alloc(100_000_000));
      const before = process.cpuUsage();
      for (let n = 0; n < 10; n++) expect((await inHeaders(encoding, bomb)).status).toBe(413);
      expect((await inJson(encoding, bomb)).status).toBe(413);
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(2_000);
    },
  );

  test('in an encoding that is not known is 415, which says what is', async () => {
    for (const [encoding, body] of [
      ['br', brotliCompressSync(text)],
      ['compress', utf8('x')],
      ['gzip, gzip', gzipSync(gzipSync(text))],
    ] as const) {
      const { status, json } = await inHeaders(encoding, body);
      const expected = 'expected one of gzip, deflate, zstd, or no such header';
      expect([status, json.message]).toEqual([415, `Content-Encoding: got "${encoding}", ${expected}`]);
    }
  });

  test('is in quarantine as it is read', async () => {
    const body = new Uint8Array(gzipSync('in quarantine'));
    expect((await post(server.app, { 'Content-Encoding': 'gzip', severity: '9' }, body)).status).toBe(400);
    const [entry] = await server.database.sql<{ body: Buffer; headers: [string, string][] }[]>`
      select body, headers from quarantine where field = 'severity'`;
    expect(Buffer.from(entry!.body).toString()).toBe('in quarantine');
    expect(entry!.headers.map(([name]) => name)).not.toContain('content-encoding');
  });
});

describe('the page of a record', () => {
  test('shows NULs as signs and says how many there are', async () => {
    const { json } = await post(server.app, { machine_id: 'nuls' }, 'one\0two\0three');
    const { html } = await page(json.id);
    expect(html).toContain('one␀two␀three');
    expect(html).toContain('This payload contains 2 NUL bytes, shown as ␀');
    const list = await getPage(server.app, '/telemetryui/records?machine_id=nuls');
    expect(list.html).toContain('one␀two␀three');
  });

  test('says nothing of NULs where there is only the sign', async () => {
    const { json } = await post(server.app, { machine_id: 'sign' }, 'one␀two');
    const { html } = await page(json.id);
    expect(html).toContain('one␀two');
    expect(html).not.toContain('NUL byte');
  });

  test('says that a payload is empty', async () => {
    const { json } = await post(server.app, { machine_id: 'empty' }, '');
    expect((await page(json.id)).html).toContain('The payload is empty');
  });

  test('shows other control characters and directions as signs', async () => {
    const { json } = await post(server.app, { machine_id: 'controls' }, 'bell\u0007 escape\u001b[1m turned\u202eback');
    expect((await page(json.id)).html).toContain('bell␇ escape␛[1m turned⟨U+202E⟩back');
  });
});

describe('random valid records', () => {
  const printable = (minLength: number, maxLength: number) =>
    fc
      .string({ unit: 'grapheme', minLength, maxLength })
      .map(text =>
        text
          .slice(0, maxLength)
          .toWellFormed()
          .replaceAll(/\p{Cc}|^\s+|\s+$/gu, '')
          .trim(),
      )
      .filter(text => text.length >= minLength);
  /** With commas, but not as a header that comes twice reaches the server, joined with them. */
  const single = (minLength: number, maxLength: number) =>
    fc
      .oneof(
        printable(minLength, maxLength),
        fc
          .tuple(printable(1, maxLength), printable(1, maxLength))
          .map(texts => texts.map(text => text.slice(0, (maxLength - 2) / 2).toWellFormed()).join(', ')),
      )
      .filter(text => text === text.trim() && !/^(.+), \1$/.test(text));
  const part = single(1, 40).map(text => text.replaceAll('/', '-'));

  const record = fc.record({
    record_format_version: fc.constant('4'),
    severity: fc.integer({ min: 1, max: 4 }).map(String),
    classification: fc.tuple(part, part, part).map(parts => parts.join('/')),
    machine_id: single(1, 32),
    creation_timestamp: fc.integer({ min: 0, max: 253_402_300_799 }).map(String),
    arch: fc.stringMatching(/^[A-Za-z0-9_.-]{1,32}$/),
    host_type: single(0, 249),
    kernel_version: fc
      .tuple(fc.nat(), fc.nat(), single(0, 100))
      .filter(([, , rest]) => !/, \d+\.\d/.test(rest))
      .map(([major, minor, rest]) => `${major}.${minor}${rest}`),
    board_name: single(0, 199),
    cpu_model: single(0, 199),
    bios_version: single(0, 199),
    event_id: fc.stringMatching(/^[0-9a-f]{32}$/),
    system_name: single(0, 60).map(name => `x${name.replaceAll(/["']/g, '')}`.trim()),
    build: fc.stringMatching(/^[-_a-zA-Z0-9.+~^:]{1,200}$/),
    payload_format_version: fc.integer({ min: 0, max: 2 ** 31 - 1 }).map(String),
    payload: fc.string({ unit: 'binary', maxLength: 2000 }),
  });

  test('come back unchanged in both formats', async () => {
    await fc.assert(
      fc.asyncProperty(record, async ({ payload, ...fields }) => {
        const encoded = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, headerBytes(value)]));
        const inHeaders = await post(server.app, encoded, utf8(payload));
        expect(inHeaders.json).toEqual({ ...expectedRecord(fields, payload, inHeaders.json), way_in: 'headers' });

        const json = { ...fields, event_id: fields.event_id.replaceAll(/./g, digit => (digit === '0' ? '1' : '0')) };
        const inJson = await postJson(server.app, { ...json, payload });
        expect(inJson.json).toEqual({ ...expectedRecord(json, payload, inJson.json), way_in: 'json' });

        for (const answered of [inHeaders.json, inJson.json]) {
          expect((await getJson(server.app, `/api/records/${answered.id}`)).json).toMatchObject(answered);
        }
      }),
      { numRuns: 60 },
    );
  });

  function expectedRecord(
    fields: Record<string, string>,
    payload: string,
    { id, ts_reception }: { id: number; ts_reception: string },
  ) {
    const { creation_timestamp, host_type, ...others } = fields;
    return {
      ...others,
      id,
      ts_reception,
      external: false,
      fleet: 'default',
      machine_type: host_type,
      payload,
      payload_format_version: Number(fields.payload_format_version),
      payload_nul_bytes: payload.split('\0').length - 1,
      record_format_version: 4,
      scrubbed_by: [],
      severity: Number(fields.severity),
      ts_capture: `${new Date(Number(creation_timestamp) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
    };
  }
});
