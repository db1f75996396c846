import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  type Answer,
  headerBytes,
  OTHER_TID,
  post,
  postJson,
  recordHeaders,
  recordJson,
  send,
  type TestApp,
  TID,
  testApp,
} from '../app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await testApp();
});
afterAll(() => server.close());

type Changes = Record<string, string | undefined>;

let sent = 0;

/** Posts a record with these changes in one of the formats; its payload is unique, so that it is never a repetition. */
const formats: { format: string; send: (changes: Changes) => Promise<Answer> }[] = [
  {
    format: 'headers',
    send: changes => {
      const encoded = Object.entries(changes).map(([name, value]) => [name, value && headerBytes(value)]);
      return post(server.app, Object.fromEntries(encoded), `headers ${sent++}`);
    },
  },
  { format: 'JSON', send: changes => postJson(server.app, recordJson(changes, `json ${sent++}`)) },
];

const ONE_TO_FOUR = 'expected 1 to 4';
const THREE_PARTS = 'expected DOMAIN/PROBE/REST: three parts, none empty, printable, at most 140 characters';
const SECONDS = 'expected Unix seconds, 0 to 253402300799';
const SAFE_BUILD = 'expected letters, digits and any of ._-+~^:, at most 256 of them';
const INTEGER = 'expected an integer from 0 to 2147483647';
const NOT_NUMBERS = ['', '-1', '1.5', '1_0', '1 2', '0x1', '²', '٣', '１', 'one', '99999999999999999999999'];
const UNPRINTABLE = ['a\u0085b', 'a\u007fb', 'a\tb'];

const refused: { field: string; values: string[]; expected: string; among?: Changes }[] = [
  { field: 'record_format_version', values: ['0', '5', '04.0', ...NOT_NUMBERS], expected: ONE_TO_FOUR },
  { field: 'severity', values: ['0', '5', '10', ...NOT_NUMBERS], expected: ONE_TO_FOUR },
  {
    field: 'classification',
    values: ['', 'a/b', 'a/b/c/d', '/b/c', 'a//c', 'a/b/', `a/b/${'c'.repeat(137)}`, 'a/b/c\u0085', 'a/b/c\u007fd'],
    expected: THREE_PARTS,
  },
  { field: 'machine_id', values: ['', 'm'.repeat(33), ...UNPRINTABLE], expected: 'expected 1 to 32 printable' },
  { field: 'creation_timestamp', values: ['253402300800', 'now', ...NOT_NUMBERS], expected: SECONDS },
  {
    field: 'arch',
    values: ['', 'x86 64', 'x86/64', 'é', 'x'.repeat(33)],
    expected: 'expected 1 to 32 letters, digits, "_", "." and "-"',
  },
  {
    field: 'kernel_version',
    values: ['', '.6', 'v6.1', 'unknown kernel', '²6.1', `6.1${'x'.repeat(197)}`, '6.1\u0085', '6.1 \u007f'],
    expected: 'expected a version such as 6.1 with printable text after it, under 200 characters, or "unknown"',
  },
  {
    field: 'event_id',
    values: ['', 'a'.repeat(31), 'a'.repeat(33), 'A'.repeat(32), 'g'.repeat(32), '²'.repeat(32)],
    expected: 'expected 32 lower-case hexadecimal digits',
  },
  { field: 'system_name', values: ['s'.repeat(80), ...UNPRINTABLE], expected: 'expected at most 79 printable' },
  {
    field: 'build',
    values: [
      '43010a',
      '43010~rc1',
      '1:43010',
      '43010+1',
      '43010^',
      '43-1',
      '1.2',
      'rolling',
      '²',
      '٣',
      '9'.repeat(257),
    ],
    expected: 'expected digits, since system_name is clear-linux-os',
  },
  {
    field: 'build',
    among: { system_name: '"clear-linux-os"' },
    values: ['24.04'],
    expected: 'expected digits, since system_name is clear-linux-os',
  },
  {
    field: 'build',
    among: { system_name: 'debian' },
    values: ['a b', 'a/b', 'é', '²', 'b'.repeat(257)],
    expected: SAFE_BUILD,
  },
  { field: 'payload_format_version', values: ['2147483648', ...NOT_NUMBERS], expected: INTEGER },
];

describe.each(formats)('in $format', ({ send: sendAs }) => {
  test.each(refused)('an invalid $field is answered with its value and what is allowed: $expected', async wrong => {
    for (const value of wrong.values) {
      const { status, json } = await sendAs({ ...wrong.among, [wrong.field]: value });
      expect([value, status]).toEqual([value, 400]);
      expect(json.message).toStartWith(`${wrong.field}: got "`);
      expect(json.message).toContain(wrong.expected);
    }
  });

  test('a message repeats only the beginning of the value, on one printable line', async () => {
    const messages = await Promise.all(
      ['5', '9'.repeat(150), 'a\u0085b'].map(async severity => (await sendAs({ severity })).json.message),
    );
    expect(messages).toEqual([
      'severity: got "5", expected 1 to 4',
      `severity: got "${'9'.repeat(100)}…", expected 1 to 4`,
      'severity: got "a\\u0085b", expected 1 to 4',
    ]);
  });

  const accepted: [field: string, value: string, name: string, stored: unknown, among?: Changes][] = [
    ['record_format_version', '04', 'record_format_version', 4],
    ['severity', '01', 'severity', 1],
    ['severity', '04', 'severity', 4],
    ['classification', `a/b/${'c'.repeat(136)}`, 'classification', `a/b/${'c'.repeat(136)}`],
    ['classification', 'org.example/my probe/größe', 'classification', 'org.example/my probe/größe'],
    ['machine_id', 'my-machine-name', 'machine_id', 'my-machine-name'],
    ['machine_id', 'm'.repeat(32), 'machine_id', 'm'.repeat(32)],
    ['machine_id', '機械', 'machine_id', '機械'],
    ['creation_timestamp', '0', 'ts_capture', '1970-01-01 00:00:00 UTC'],
    ['creation_timestamp', '2147483648', 'ts_capture', '2038-01-19 03:14:08 UTC'],
    ['creation_timestamp', '253402300799', 'ts_capture', '9999-12-31 23:59:59 UTC'],
    ...['armv7l', 'aarch64', 'ppc64le', 'riscv64', 'loongarch64', 's390x', 'i686', 'x86_64', 'a'.repeat(32)].map(
      (arch): [string, string, string, unknown] => ['arch', arch, 'arch', arch],
    ),
    ['host_type', 'Co., Ltd.|PC (v2) [x]|1, 0', 'machine_type', 'Co., Ltd.|PC (v2) [x]|1, 0'],
    ['host_type', '', 'machine_type', ''],
    ['host_type', 'v'.repeat(249), 'machine_type', 'v'.repeat(249)],
    ...[
      '6.1',
      '6.1-rc1',
      '6.6-rc1',
      '6.1.0-rc1+',
      '6',
      'unknown',
      '5.15.0-1-microsoft-standard-WSL2',
      '6.18.4-1.native',
      '4.4.0-19041-Microsoft (x)',
      `6.1${'x'.repeat(196)}`,
    ].map((kernel): [string, string, string, unknown] => ['kernel_version', kernel, 'kernel_version', kernel]),
    ['cpu_model', 'AMD', 'cpu_model', 'AMD'],
    ['cpu_model', 'Intel® Core™ i7', 'cpu_model', 'Intel® Core™ i7'],
    ['board_name', '', 'board_name', ''],
    ['bios_version', 'b'.repeat(199), 'bios_version', 'b'.repeat(199)],
    ['payload_format_version', '0', 'payload_format_version', 0],
    ['payload_format_version', '2147483647', 'payload_format_version', 2147483647],
    ['build', '"43010"', 'build', '43010'],
    ['build', "'43010'", 'build', '43010'],
    ['build', '4294967296', 'build', '4294967296'],
    ['system_name', '"ubuntu"', 'system_name', 'ubuntu', { build: '"24.04"' }],
    ['system_name', 's'.repeat(79), 'system_name', 's'.repeat(79)],
    ['system_name', '"rhel"_"server"', 'system_name', 'rhel_server'],
    ['system_name', 'clear-linux-os_desktop', 'system_name', 'clear-linux-os_desktop', { build: '39~rc1' }],
    ['system_name', "'clear-linux-os'", 'system_name', 'clear-linux-os'],
    ...['rolling', '24.04.1', 'a-b_C.9', '39~rc1', '1.0^git5', '1:2.3', '2.29.2+rev2', 'b'.repeat(256)].map(
      (build): (typeof accepted)[number] => ['build', build, 'build', build, { system_name: 'other' }],
    ),
    ['build', '"2023', 'build', '2023', { system_name: 'other' }],
    // A system without a version, as clients send it.
    ...['clear-linux-os', 'other'].flatMap(system_name =>
      ['""', "''", '', '0'].map((build): (typeof accepted)[number] => ['build', build, 'build', '0', { system_name }]),
    ),
    ['severity', ' 2 ', 'severity', 2],
  ];

  test('a valid value is stored as it came, without quotes and outer spaces', async () => {
    for (const [field, value, name, stored, among] of accepted) {
      const { status, json } = await sendAs({ ...among, [field]: value });
      expect([field, value, status, json.message]).toEqual([field, value, 201, undefined]);
      expect(json[name]).toEqual(stored);
    }
  });

  const hardware: [what: string, sent: string, stored: string][] = [
    ['nothing', '', ''],
    ['a control character of C1', 'a\u0085b', 'a.b'],
    ['DEL', 'v1\u007f', 'v1.'],
    ['a tab', 'Cortex-A72\tr0p3', 'Cortex-A72.r0p3'],
    ['blanks', 'CPU         870  @ 2.93GHz', 'CPU         870  @ 2.93GHz'],
    ['bytes that firmware never set', '\u00ff'.repeat(30), '\u00ff'.repeat(30)],
    ['what was to be filled in', 'To Be Filled By O.E.M.', 'To Be Filled By O.E.M.'],
    ['signs and markup', '汉字 Core™ O\'Neil "X" <b>&amp;;--', '汉字 Core™ O\'Neil "X" <b>&amp;;--'],
    ['more than there is room for', 'x'.repeat(600), 'x'.repeat(199)],
    ['a sign that is cut in two', `${'x'.repeat(198)}😀`, `${'x'.repeat(198)}.`],
  ];
  test.each(hardware)(
    'what firmware says is taken as it is, printable and not too long: %s',
    async (_, sent, stored) => {
      for (const field of ['board_name', 'cpu_model', 'bios_version']) {
        const { status, json } = await sendAs({ [field]: sent });
        expect([status, json.message, json[field]]).toEqual([201, undefined, stored]);
      }
      const { status, json } = await sendAs({ host_type: `${sent}|1|2|3` });
      const whole = `${sent}|1|2|3`.slice(0, 249);
      expect([status, json.machine_type.slice(0, 190), json.machine_type.length]).toEqual([
        201,
        whole.replaceAll(/[\p{Cc}]/gu, '.').slice(0, 190),
        whole.length,
      ]);
    },
  );

  test('of two wrong fields the one that is checked first is named', async () => {
    const order = [
      ['record_format_version', '9'],
      ['severity', '9'],
      ['classification', 'x'],
      ['machine_id', 'm'.repeat(33)],
      ['creation_timestamp', 'x'],
      ['arch', '!'],
      ['kernel_version', 'x'],
      ['event_id', 'x'],
      ['build', '!'],
      ['payload_format_version', 'x'],
    ] as const;
    const named = await Promise.all(
      order.map(async (_, index) => (await sendAs(Object.fromEntries(order.slice(index)))).json.message.split(':')[0]),
    );
    expect(named).toEqual(order.map(([field]) => field));
  });

  test('a missing field is named before a wrong one, and the TID before all', async () => {
    const { json } = await sendAs({ severity: '9', event_id: undefined, bios_version: undefined });
    expect(json.message).toBe('bios_version: missing, record format 4 requires it');
  });

  const SINCE_1 = ['severity', 'classification', 'machine_id', 'creation_timestamp', 'arch', 'host_type'];
  const required: Record<string, string[]> = {};
  required[1] = [...SINCE_1, 'kernel_version', 'build'];
  required[2] = [...required[1], 'payload_format_version', 'system_name'];
  required[3] = [...required[2], 'board_name', 'cpu_model', 'bios_version'];
  required[4] = [...required[3], 'event_id'];
  const optional = required[4].filter(field => !required[1]!.includes(field));

  test.each(['1', '2', '3', '4'])('record format %s requires its fields and no others', async version => {
    const least = Object.fromEntries(
      required[4]!.filter(field => !required[version]!.includes(field)).map(field => [field, undefined]),
    );
    const { status, json } = await sendAs({ ...least, record_format_version: version });
    expect([status, json.message]).toEqual([201, undefined]);
    expect(json.record_format_version).toBe(Number(version));
    for (const field of optional.filter(name => name in least)) {
      expect(json[field]).toBe(field === 'system_name' ? '' : null);
    }
    for (const field of required[version]!) {
      const without = await sendAs({ record_format_version: version, [field]: undefined });
      expect(without.status).toBe(400);
      expect(without.json.message).toBe(`${field}: missing, record format ${version} requires it`);
    }
  });

  test('a field that a format does not have is ignored, even if it is wrong', async () => {
    const { status, json } = await sendAs({ record_format_version: '2', event_id: 'x', board_name: 'b'.repeat(500) });
    expect(status).toBe(201);
    expect([json.event_id, json.board_name, json.cpu_model]).toEqual([null, null, null]);
  });

  test('format 1 may bring a system name and a payload format version', async () => {
    const { json } = await sendAs({ record_format_version: '1', system_name: 'debian', build: 'sid' });
    expect([json.system_name, json.payload_format_version]).toEqual(['debian', 1]);
  });

  const spellings: [string, (field: string) => string][] = [
    ['dashes', field => field.replaceAll('_', '-')],
    ['capitals and dashes', field => field.replaceAll('_', '-').replaceAll(/\b[a-z]/g, letter => letter.toUpperCase())],
    ['capitals', field => field.toUpperCase()],
  ];

  test.each(spellings)('fields may be spelled with %s', async (_, spell) => {
    const { payload: __, ...fields } = recordJson({ machine_id: 'spelled' });
    const respelled = Object.entries(fields as Changes).flatMap(([field, value]) => [
      [field, undefined],
      [spell(field), value],
    ]);
    const { status, json } = await sendAs(Object.fromEntries(respelled));
    expect([status, json.machine_id]).toEqual([201, 'spelled']);
  });

  test('a field in two spellings is refused, naming both', async () => {
    const { status, json } = await sendAs({ build: undefined, machine_id: 'one', 'Machine-Id': 'two' });
    expect(status).toBe(400);
    expect(json.message.toLowerCase()).toStartWith('machine_id: given twice, as machine');
    expect(json.message).toContain('"one"');
    expect(json.message).toContain('"two"');
  });
});

describe('the header format', () => {
  const twice: [field: string, first: string, second: string][] = [
    ['severity', '1', '1'],
    ['severity', '1', '2'],
    ['record_format_version', '4', '4'],
    ['creation_timestamp', '1', 'x'],
    ['arch', 'x86_64', 'i686'],
    ['event_id', 'a'.repeat(32), 'b'.repeat(32)],
    ['build', '1', '2'],
    ['payload_format_version', '1', '2'],
    ['classification', 'a/b/c', 'a/b/c'],
    ['classification', 'a/b/c', 'd/e/f, g'],
    ['machine_id', 'one', 'one'],
    ['machine_id', 'rack 1, node 2', 'rack 1, node 2'],
    ['machine_id', '1'.repeat(32), '2'.repeat(32)],
    ['kernel_version', '6.1', '6.1'],
    ['kernel_version', '6.1-rc1', '6.2, custom'],
    ['host_type', 'a|b|c', 'd|e|f'],
    ['host_type', 'Co., Ltd.|b|c', 'Co., Ltd.|b|c'],
    ['host_type', 'Co', 'Co'],
    ['host_type', 'v'.repeat(200), 'w'.repeat(200)],
    ['board_name', 'b', 'b'],
    ['cpu_model', 'c', 'c'],
    ['bios_version', 'b'.repeat(150), 'c'.repeat(150)],
    ['system_name', 'clear-linux-os', 'clear-linux-os'],
    ['system_name', 'a'.repeat(50), 'b'.repeat(50)],
  ];

  test.each(twice)('%s twice in one spelling, %j and %j, is refused', async (field, first, second) => {
    const headers = new Headers(recordHeaders({ [field]: first }));
    headers.append(field, second);
    const { status, json } = await send(server.app, { headers, body: 'x' });
    const shown = [first, second].map(value => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value));
    expect([status, json.message]).toEqual([
      400,
      `${field}: given twice, as ${field}: ${shown[0]} and ${field}: ${shown[1]}, expected once`,
    ]);
  });

  test.each([
    ['classification', 'org.x/probe/a, b'],
    ['classification', 'a/b, a/b'],
    ['machine_id', 'rack 1, node 2'],
    ['kernel_version', '6.1-rc1, custom'],
    ['system_name', 'Foo, Inc'],
    ['host_type', 'Co., Ltd.|PC|1, 0'],
    ['host_type', 'a|b|c, d'],
    ['host_type', 'Co, Ltd'],
    ['board_name', 'a, b'],
    ['cpu_model', 'c, c, d'],
    ['bios_version', '1, 2, 3'],
  ])('%s may be %j', async (field, value) => {
    const { status, json } = await post(server.app, { [field]: value }, `${field} ${value}`);
    expect([status, json[field === 'host_type' ? 'machine_type' : field]]).toEqual([201, value]);
  });

  test.each([
    ['machine_id', 'm, '.repeat(20)],
    ['classification', 'a/b/c, '.repeat(100)],
    ['kernel_version', '6.1, '.repeat(5_000)],
  ])('a %s that is too long is refused', async (field, value) => {
    const { status } = await post(server.app, { [field]: value });
    expect(status).toBe(400);
  });

  test('long text from firmware, even with commas, is cut', async () => {
    const { status, json } = await post(server.app, { cpu_model: 'c, '.repeat(5_000) }, 'firmware at length');
    expect([status, json.cpu_model]).toEqual([201, 'c, '.repeat(67).slice(0, 199)]);
  });

  test('bytes that are not UTF-8 are read as Latin-1', async () => {
    const headers = {
      machine_id: 'caf\xe9',
      cpu_model: headerBytes('é'),
      board_name: `caf\xe9 ${headerBytes('™')}\x85`,
    };
    const { json } = await post(server.app, headers, 'latin-1 header');
    expect([json.machine_id, json.cpu_model, json.board_name]).toEqual(['café', 'é', 'café ™.']);
  });

  test.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=b', 'application/json', 'text/plain'])(
    'a body that is called %s is the payload as it is',
    async type => {
      for (const body of [
        `a=1&b=%41 ${type}`,
        `--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n${type}`,
        '{}',
      ]) {
        const { status, json } = await post(server.app, { 'Content-Type': type, machine_id: type.slice(0, 32) }, body);
        expect([status, json.payload]).toEqual([201, body]);
      }
    },
  );

  test('a chunked body is the payload', async () => {
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from('chunk 1, '));
        await Bun.sleep(5);
        controller.enqueue(Buffer.from('chunk 2'));
        controller.close();
      },
    });
    const { json } = await send(server.app, { headers: recordHeaders(), body, duplex: 'half' } as RequestInit);
    expect(json.payload).toBe('chunk 1, chunk 2');
  });
});

describe('the JSON format', () => {
  const answer = async (body: unknown) => {
    const { status, json } = await postJson(server.app, body);
    return [status, json.message];
  };

  test('values may end in a newline, be cut at their first space, or be numbers', async () => {
    const { status, json } = await postJson(
      server.app,
      recordJson({
        severity: 3,
        record_format_version: 4,
        creation_timestamp: 1795440066,
        payload_format_version: 1,
        kernel_version: '6.18.4-1\n',
        build: '"43010"\n',
        cpu_model: 'AMD\r\n',
        host_type: 'To',
      }),
    );
    expect([status, json.severity, json.kernel_version, json.build]).toEqual([201, 3, '6.18.4-1', '43010']);
    expect([json.cpu_model, json.machine_type]).toEqual(['AMD', 'To']);
  });

  test('the payload is not trimmed, and unknown keys do not matter', async () => {
    const payload = ' \n hello \n\n';
    const { json } = await postJson(server.app, recordJson({ more: { nested: [1] }, constructor: 'x' }, payload));
    expect(json.payload).toBe(payload);
  });

  test.each([
    [null, 'null'],
    [true, 'true'],
    [{}, 'an object'],
    [['1'], 'a list'],
  ])('a field or payload that is %p is refused, since it is not a text', async (value, came) => {
    expect(await answer(recordJson({ severity: value }))).toEqual([400, `severity: got ${came}, expected a text`]);
    expect(await answer(recordJson({ payload: value }))).toEqual([400, `payload: got ${came}, expected a text`]);
  });

  test('a payload may not be a number or missing', async () => {
    expect(await answer(recordJson({ payload: 1 }))).toEqual([400, 'payload: got 1, expected a text']);
    expect(await answer(recordJson({ payload: undefined }))).toEqual([400, 'payload: missing, expected a text']);
  });

  test('fractions and huge numbers are as wrong as in text', async () => {
    expect(await answer(recordJson({ severity: 1.5 }))).toEqual([400, 'severity: got "1.5", expected 1 to 4']);
    const [status, message] = await answer(recordJson({ creation_timestamp: 1e30 }));
    expect([status, message]).toEqual([400, `creation_timestamp: got "1e+30", ${SECONDS}`]);
  });

  test('lists nested a hundred thousand deep are refused like any other list', async () => {
    const deep = `{"severity":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect((await answer(deep))[0]).toBe(400);
  });

  const LONG = 1_700_000;
  test.each([
    ['lists in lists', '['.repeat(LONG), 'body: JSON nested more than 32 deep'],
    ['objects in objects', '{"a":'.repeat(LONG / 5), 'body: JSON nested more than 32 deep'],
    ['many keys', `{${'"\\"":1,'.repeat(LONG / 7)}"a":1}`, 'body: JSON with more than 1000 values'],
    ['a long list', `[${'1,'.repeat(LONG / 2)}1]`, 'body: JSON with more than 1000 values'],
  ])('%s are refused before they are parsed', async (_, body, beginning) => {
    const [status, message] = await answer(body);
    expect(status).toBe(400);
    expect(message).toStartWith(beginning);
    expect(message).toEndWith(OR_HEADERS);
  });

  test('a payload may hold more brackets and commas than JSON may have values', async () => {
    const payload = '[{,"\\'.repeat(10_000);
    const { status, json } = await postJson(server.app, recordJson({ more: [[1, 2]] }, payload));
    expect([status, json.payload]).toEqual([201, payload]);
  });

  test.each(['classification', 'machine_id', 'kernel_version', 'build', 'event_id', 'creation_timestamp'])(
    'spaces within a value of %s, of the longest that may come, stop nothing',
    async field => {
      const [status, message] = await answer(recordJson({ [field]: `a${' \n\t\r'.repeat(LONG / 8)}b` }));
      expect(status).toBe(400);
      expect(message).toStartWith(`${field}: got "a `);
    },
  );

  const OR_HEADERS = 'expected metadata in headers (record_format_version …) or a JSON object in the body';
  test.each([
    ['an empty body', '', 'body: empty and no record_format_version header'],
    ['a list', '[]', 'body: JSON, but not an object, and no record_format_version header'],
    ['null', 'null', 'body: JSON, but not an object, and no record_format_version header'],
    ['a text', '"x"', 'body: JSON, but not an object, and no record_format_version header'],
    ['half an object', '{"severity": "1"', 'body: not JSON ('],
    ['a control character', '{"severity":\u0001}', "body: not JSON (Unrecognized token '\\u0001')"],
    ['something else', 'hello', 'body: not JSON ('],
  ])('%s is refused, saying what was expected', async (_, body, beginning) => {
    const [status, message] = await answer(body);
    expect(status).toBe(400);
    expect(message).toStartWith(beginning);
    expect(message).toEndWith(OR_HEADERS);
  });

  test.each(['hello\n', '{"payload": "is JSON"}'])(
    'where a proxy drops headers with "_", the answer says so: %j',
    async body => {
      const headers = recordHeaders();
      const left = Object.entries(headers).filter(([name]) => !name.includes('_'));
      const { status, json } = await send(server.app, { headers: Object.fromEntries(left), body });
      expect(status).toBe(400);
      expect(json.message).toContain('none came with "_" in its name');
      expect(json.message).toContain('nginx');
      expect(json.message).toContain('"underscores_in_headers on"');
      const one = await send(server.app, { headers: Object.fromEntries([...left, ['machine_id', 'm']]), body });
      expect(one.status).toBe(400);
      expect(one.json.message).not.toContain('nginx');
    },
  );

  test('an empty object lacks the record format version', async () => {
    expect(await answer({})).toEqual([400, 'record_format_version: missing, expected 1 to 4']);
  });

  test('a body that is not UTF-8 is read as Latin-1', async () => {
    const body = Buffer.from(JSON.stringify(recordJson({ machine_id: 'caf\xe9' }, 'na\xefve')), 'latin1');
    const { status, json } = await postJson(server.app, body);
    expect([status, json.machine_id, json.payload]).toEqual([201, 'café', 'naïve']);
  });

  test('a byte that is not UTF-8 does not change the UTF-8 around it', async () => {
    const text = JSON.stringify(
      recordJson({ machine_id: 'größe 機械', cpu_model: 'Core™ BYTE' }, 'BYTE öffnen() 😀\n'),
    );
    const body = Buffer.concat(
      text.split('BYTE').flatMap((part, n) => [Buffer.from(n > 0 ? [0xe9] : []), Buffer.from(part)]),
    );
    const { status, json } = await postJson(server.app, body);
    expect([status, json.machine_id, json.cpu_model, json.payload]).toEqual([
      201,
      'größe 機械',
      'Core™ é',
      'é öffnen() 😀\n',
    ]);
  });
});

describe('the request', () => {
  test.each(['/', '/v2/collector', '/v3/collector'])('%s takes both formats', async path => {
    const machine_id = `at ${path}`;
    const headers = await send(server.app, { headers: recordHeaders({ machine_id }), body: 'h' }, undefined, path);
    const body = JSON.stringify(recordJson({ machine_id }, 'j'));
    const json = await send(server.app, { headers: { 'X-Telemetry-TID': TID }, body }, undefined, path);
    expect([headers.status, headers.json.payload, json.status, json.json.payload]).toEqual([201, 'h', 201, 'j']);
  });

  test.each(['/', '/v2/collector', '/v3/collector'])(
    'GET and HEAD of %s lead to the pages; others are refused',
    async path => {
      for (const method of ['GET', 'HEAD']) {
        const answer = await server.app.request(path, { method });
        expect([answer.status, answer.headers.get('location')]).toEqual([302, '/telemetryui']);
      }
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        const answer = await server.app.request(path, { method });
        expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
        expect(((await answer.json()) as { message: string }).message).toContain(`${method} is not supported here`);
      }
    },
  );

  test.each(['/v2/collector/', '//v2/collector', '/v3//collector//', '//', '///v2/collector?from=probe'])(
    'slashes too many do not matter: %s',
    async path => {
      const { status, json } = await send(
        server.app,
        { headers: recordHeaders(), body: `to ${path}` },
        undefined,
        path,
      );
      expect([status, json.payload]).toEqual([201, `to ${path}`]);
      const looked = await server.app.request(`http://localhost:8080${path}`);
      expect([looked.status, looked.headers.get('location')]).toEqual([302, '/telemetryui']);
    },
  );

  test('OPTIONS says which methods an address takes', async () => {
    const allowed = async (path: string) => {
      const answer = await server.app.request(`http://localhost:8080${path}`, {
        method: 'OPTIONS',
        headers: { Host: 'localhost:8080' },
      });
      return [answer.status, answer.headers.get('allow')];
    };
    for (const path of ['/', '/v2/collector', '/v3/collector', '/v2/collector/'])
      expect([path, ...(await allowed(path))]).toEqual([path, 204, 'GET, HEAD, POST, OPTIONS']);
    expect(await allowed('/healthz')).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(await allowed('/readyz')).toEqual([200, 'GET, HEAD, OPTIONS']);
    expect(await allowed('/telemetryui/records')).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(await allowed('/api/never-guilty/7')).toEqual([204, 'DELETE, OPTIONS']);
    expect(await allowed('/nowhere')).toEqual([404, null]);
  });

  test('the TID is checked first', async () => {
    const EXPECTED = 'expected a TID that this server is configured for (collector.tids)';
    const missing = await post(server.app, { 'X-Telemetry-TID': undefined, record_format_version: '9' });
    expect([missing.status, missing.json.message]).toEqual([400, `X-Telemetry-TID: missing, ${EXPECTED}`]);
    for (const tid of ['x', '', TID.replace('6', '7'), `${TID}, ${TID}`]) {
      const { status, json } = await post(server.app, { 'X-Telemetry-TID': tid, record_format_version: '9' });
      expect([status, json.message]).toEqual([400, `X-Telemetry-TID: got ${JSON.stringify(tid)}, ${EXPECTED}`]);
    }
    const json = await postJson(server.app, 'not even JSON', { 'X-Telemetry-TID': 'x' });
    expect(json.json.message).toStartWith('X-Telemetry-TID: got "x"');
  });

  test('each TID stands for its fleet', async () => {
    const [one, two, capitals] = await Promise.all(
      [TID, OTHER_TID, OTHER_TID.toUpperCase()].map((tid, index) =>
        post(server.app, { 'X-Telemetry-TID': tid }, `fleet ${index}`),
      ),
    );
    expect([one!.json.fleet, two!.json.fleet, capitals!.json.fleet]).toEqual(['default', 'servers', 'servers']);
  });

  test.each([
    ['true', true],
    ['True', true],
    ['false', false],
    ['1', false],
    [undefined, false],
  ])('X-CLR-External %p makes the record external: %p', async (value, external) => {
    const headers = await post(server.app, { 'X-CLR-External': value }, `external ${value}`);
    const json = await postJson(
      server.app,
      recordJson({}, `external ${value} too`),
      value ? { 'X-CLR-External': value } : {},
    );
    expect([headers.json.external, json.json.external]).toEqual([external, external]);
  });

  test('a payload larger than collector.max_payload is answered 413 in both formats, one of that size is taken', async () => {
    const most = server.config.collector.max_payload;
    const large = 'x'.repeat(most);
    expect((await post(server.app, {}, large)).status).toBe(201);
    expect((await postJson(server.app, recordJson({ severity: '2' }, large.replace('x', 'y')))).status).toBe(201);
    const control = '\u0001'.repeat(most);
    expect((await postJson(server.app, recordJson({}, control))).json.payload).toBe(control);

    const answers = await Promise.all([
      post(server.app, {}, `${large}x`),
      post(server.app, { 'Content-Length': '400000' }, large),
      postJson(server.app, recordJson({}, `${large}x`)),
      postJson(server.app, recordJson({}, 'é'.repeat(most / 2 + 1))),
      postJson(server.app, ' '.repeat(most * 7)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([413, 413, 413, 413, 413]);
    expect(answers[0]!.json.message).toBe(
      `the body is too large, expected at most ${most} bytes (collector.max_payload)`,
    );
  });
});
