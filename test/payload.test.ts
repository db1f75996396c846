import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { getJson, getPage, headerBytes, post, postJson, recordJson, type TestApp, testApp } from './app.ts';

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
    build: fc.stringMatching(/^[-_a-zA-Z0-9.]{1,200}$/),
    payload_format_version: fc.integer({ min: 0, max: 2 ** 31 - 1 }).map(String),
    payload: fc.string({ unit: 'binary', maxLength: 2000 }),
  });

  test('come back unchanged in both formats', async () => {
    await fc.assert(
      fc.asyncProperty(record, async ({ payload, ...fields }) => {
        const encoded = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, headerBytes(value)]));
        const inHeaders = await post(server.app, encoded, utf8(payload));
        expect(inHeaders.json).toEqual(expectedRecord(fields, payload, inHeaders.json));

        const json = { ...fields, event_id: fields.event_id.replaceAll(/./g, digit => (digit === '0' ? '1' : '0')) };
        const inJson = await postJson(server.app, { ...json, payload });
        expect(inJson.json).toEqual(expectedRecord(json, payload, inJson.json));

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
