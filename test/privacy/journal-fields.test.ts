import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeText } from '../../src/decode-text.ts';
import { withoutPrivateFields } from '../../src/privacy/journal-fields.ts';
import { getJson, getPage, post, postJson, recordJson, type TestApp, testApp } from '../app.ts';

const PRIVATE = {
  COREDUMP_ENVIRON: 'HOME=/secret\nTOKEN="secret"',
  COREDUMP_CMDLINE: 'demo --password=secret',
  COREDUMP_CONTAINER_CMDLINE: 'secret',
  COREDUMP_CWD: '/secret',
  COREDUMP_OPEN_FDS: '0:/secret\npos: 0\n',
  COREDUMP_PROC_MAPS: 'secret',
  COREDUMP_PROC_STATUS: [115, 101, 99, 114, 101, 116],
  COREDUMP_HOSTNAME: 'secret',
  COREDUMP: [115, 101, 99],
  _HOSTNAME: ['secret', null, [115]],
  _CMDLINE: 'secret',
  OBJECT_CMDLINE: 'secret',
  _MACHINE_ID: 'secret',
  COREDUMP_USERNAME: 'secret',
  COREDUMP_ROOT: '/secret',
  COREDUMP_FILENAME: '/var/lib/systemd/coredump/core.secret.zst',
  SYSLOG_RAW: '<13>Nov 30 21:00:00 secret demo: m',
};
const KEPT = {
  __CURSOR: 's=1;i=2',
  MESSAGE: 'Process 7 (demo) of user 0 dumped core.\n\nStack trace of thread 7:\n#0  0x01 demo_run (demo + 0x1)',
  MESSAGE_ID: 'fc2e22bc6ee647b6b90729ab34a250b1',
  COREDUMP_EXE: '/usr/bin/demo',
  COREDUMP_SIGNAL: '11',
  COREDUMP_PACKAGE_JSON: '{"demo":{"name":"demo"},"text":"COREDUMP_ENVIRON"}',
  SYSLOG_PID: [255, 1],
};

describe('of a journal entry', () => {
  test.each<[string, string, string | undefined]>([
    ['the only field', '{"MESSAGE":"m","_HOSTNAME":"s"}', '{"MESSAGE":"m"}'],
    ['the first', '{"_HOSTNAME":"s","MESSAGE":"m"}', '{"MESSAGE":"m"}'],
    ['the first ones', '{"_HOSTNAME":"s","_CMDLINE":"s","MESSAGE":"m"}', '{"MESSAGE":"m"}'],
    ['the last ones', '{"MESSAGE":"m","_HOSTNAME":"s","_CMDLINE":"s"}', '{"MESSAGE":"m"}'],
    ['one between', '{"MESSAGE":"m","_HOSTNAME":null,"PRIORITY":"2"}', '{"MESSAGE":"m","PRIORITY":"2"}'],
    [
      'with blanks, of old versions',
      '{ "MESSAGE" : "m", "_HOSTNAME" : [ 1, 2 ], "PRIORITY" : "2" }',
      '{ "MESSAGE" : "m", "PRIORITY" : "2" }',
    ],
    ['on lines of their own', '{\n\t"_HOSTNAME" : "s",\n\t"MESSAGE" : "m"\n}', '{\n\t"MESSAGE" : "m"\n}'],
    [
      'several entries',
      '{"MESSAGE":"m","_CWD":"s"}\n{"MESSAGE":"n","_CWD":"s"}\n',
      '{"MESSAGE":"m"}\n{"MESSAGE":"n"}\n',
    ],
    ['a list of entries', '[{"MESSAGE":"m","_CWD":1},{"_CWD":{"a":[1]}}]', '[{"MESSAGE":"m"},{}]'],
    ['behind a mark', '\uFEFF\x1e{"_HOSTNAME":"s","MESSAGE":"m"}', '\uFEFF\x1e{"MESSAGE":"m"}'],
    ['one that is cut off', '{"MESSAGE":"m","_CMDLINE":"s \\" s', '{"MESSAGE":"m"'],
    ['a list that is cut off', '{"MESSAGE":"m","_CMDLINE":[1,2', '{"MESSAGE":"m"'],
    ['none', '{"MESSAGE":"a \\"_HOSTNAME\\" is no field","COREDUMP_PACKAGE":"_CMDLINE"}', undefined],
    ['of other JSON none', '{"HOSTNAME":"not ours","CMDLINE":"to touch"}', undefined],
    ['of other text none', 'error: "COREDUMP_FILTER" is set, HOSTNAME=x, MESSAGE = "HOSTNAME"', undefined],
    ['of an application none', '{"message":"m","hostname":"h","cwd":"/"}', undefined],
    [
      'in lower case',
      '{"message":"m","syslog_identifier":"i","hostname":"s"}',
      '{"message":"m","syslog_identifier":"i"}',
    ],
    ['with escapes', '{"\\u004dESSAGE":"m","COREDUMP_\\u0045NVIRON":"s"}', '{"\\u004dESSAGE":"m"}'],
    ['with blanks in names', '{"MESSAGE":"m"," _CWD\u00a0" :"s"}', '{"MESSAGE":"m"}'],
    ['alone', '{"_CMDLINE":"s","PRIORITY":"3"}', '{"PRIORITY":"3"}'],
    ['as GELF', '{"short_message":"m","host":"s","__HOSTNAME":"s","_COREDUMP_CWD":"s"}', '{"short_message":"m"}'],
    ['of audit', '{"MESSAGE":"m","_AUDIT_FIELD_CMD":"s","_AUDIT_FIELD_PROCTITLE":"s"}', '{"MESSAGE":"m"}'],
    ['as Python prints it', "{'MESSAGE': 'm', '_CMDLINE': \"it's s\", 'N': 1}", "{'MESSAGE': 'm', 'N': 1}"],
    ['behind other text', 'entry:\n{"MESSAGE":"m","_CMDLINE":"s"}\n', 'entry:\n{"MESSAGE":"m"}\n'],
    ['of events', 'data: {"MESSAGE":"m","_CMDLINE":"s"}\n\n', 'data: {"MESSAGE":"m"}\n\n'],
    ['behind blanks of Unicode', '\u200b\u00a0{"MESSAGE":"m","_CWD":"s"}', '\u200b\u00a0{"MESSAGE":"m"}'],
    [
      'within a string',
      '{"log":"{\\"MESSAGE\\":\\"m\\", \\"_CWD\\":\\"s\\\\\\\\\\",\\"A\\":1}","B":2}',
      '{"log":"{\\"MESSAGE\\":\\"m\\",\\"A\\":1}","B":2}',
    ],
    [
      'within a string, last',
      '{"log":"{\\"MESSAGE\\":\\"m\\",\\n \\"_CWD\\":[\\"s\\"]}","B":2}',
      '{"log":"{\\"MESSAGE\\":\\"m\\"}","B":2}',
    ],
    [
      'cut off within a string',
      '{"log":"{\\"MESSAGE\\":\\"m\\",\\"_CWD\\":\\"s","B":2}',
      '{"log":"{\\"MESSAGE\\":\\"m\\"","B":2}',
    ],
    [
      'as text within a string',
      '{"MESSAGE":"set:\\n_CMDLINE=s s\\n_PID=1","B":2}',
      '{"MESSAGE":"set:\\n\\n_PID=1","B":2}',
    ],
    ['as lines', '__CURSOR=c\nMESSAGE=m\n_HOSTNAME=s\nPRIORITY=2\n\n', '__CURSOR=c\nMESSAGE=m\nPRIORITY=2\n\n'],
    [
      'of many lines, without blanks before them',
      'Mon [s=1]\n    COREDUMP_ENVIRON=A=s\nHOME=/s\n\nPW=s\n    MESSAGE=m\n',
      'Mon [s=1]\n    MESSAGE=m\n',
    ],
    [
      'of many lines, without any blanks',
      'MESSAGE=m\nCOREDUMP_PROC_STATUS=Name: s\nUid: s\nPRIORITY=2\n',
      'MESSAGE=m\nPRIORITY=2\n',
    ],
    [
      'as indented lines',
      'Mon 2026-11-30 21:00:00 UTC [s=1]\n    MESSAGE=m\n    COREDUMP_ENVIRON=A=s\n                     B=s\n    _PID=1\n',
      'Mon 2026-11-30 21:00:00 UTC [s=1]\n    MESSAGE=m\n    _PID=1\n',
    ],
    ['as YAML', '__CURSOR: s=1\n_HOSTNAME: s\nMESSAGE: m\n', '__CURSOR: s=1\nMESSAGE: m\n'],
    ['in a line of a log', 'Nov 30 21:00:00 h app[1]: COREDUMP_CMDLINE=s s\nx', 'Nov 30 21:00:00 h app[1]: \nx'],
    [
      'as coredumpctl prints it',
      '           PID: 7 (demo)\n           UID: 1000 (s)\n  Command Line: demo --s\n      Hostname: s\n       Message: m\n',
      '           PID: 7 (demo)\n       Message: m\n',
    ],
    ['in UTF-16', Buffer.from('{"MESSAGE":"m","_CWD":"s"}', 'utf16le').toString('utf8'), '{"MESSAGE":"m"}'],
  ])('%s is taken out', (_, payload, left) => {
    expect(withoutPrivateFields(payload)).toBe(left);
  });

  test.each([
    ['ASCII', 'HOME=/s\n_CWD=s\n\nMESSAGE=s\n'],
    ['300 bytes', `${'s'.repeat(299)}\n`],
    ['UTF-8', 'HOME=/s\u00e9\u20ac\u{1f600}\ns'],
    ['a NUL', 's\0s\n'],
    ['nothing', ''],
  ])('the export format with values as bytes: %s', (_, value) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeUInt32LE(bytes.length);
    const [before, after] = ['__CURSOR=c\nMESSAGE=m\n', 'PRIORITY=2\n\n__CURSOR=d\nMESSAGE=n\n\n'];
    const entry = Buffer.concat([Buffer.from(`${before}COREDUMP_ENVIRON\n`), length, bytes, Buffer.from(`\n${after}`)]);
    const left = withoutPrivateFields(decodeText(entry))!;
    expect(left).toStartWith(before);
    expect(left.slice(before.length)).not.toMatch(/s/);
    // Characters that may have been fewer bytes than they were take a part of what follows with them.
    expect(`${before}${after}`).toEndWith(left.slice(before.length));
    if (/^[\0-~]*$/.test(value)) expect(left).toBe(before + after);
  });

  test('other texts stay byte for byte', () => {
    const word = fc.constantFrom(
      ...[
        '"',
        "'",
        '\\',
        '=',
        ':',
        '\n',
        '{',
        '}',
        '[',
        ',',
        ' ',
        '\\n',
        '\0',
        'HOSTNAME',
        'cwd',
        'MESSAGE',
        'ENVIRON',
        'PID',
      ],
    );
    const text = fc
      .array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 40 })
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.json(), fc.string({ unit: 'binary' })), other => {
        if (!/"\s*MESSAGE\s*\\*"\s*(?::|=>)|'\s*MESSAGE\s*\\*'\s*(?::|=>)/.test(other))
          expect(withoutPrivateFields(other)).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  test('no field of a journal is left in any form, and what is left of JSON is JSON', () => {
    const secret = fc.string({ unit: 'binary' }).map(text => `S3CR\u00c9T${text}S3CR\u00c9T`);
    const name = fc.constantFrom(...Object.keys(PRIVATE), 'coredump_environ', '_cmdline', 'COREDUMP_\\u0043WD');
    const value = fc.oneof(secret, fc.array(secret), fc.record({ a: secret }), fc.constant(null));
    const entry = fc
      .tuple(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 4 }), fc.json())
      .map(
        ([fields, message]) =>
          `{"MESSAGE":${JSON.stringify(message)},${fields.map(([key, is]) => `"${key}":${JSON.stringify(is)}`).join(',')},"PRIORITY":"2"}`,
      );
    const inStrings = fc.tuple(entry, fc.nat({ max: 3 })).map(([text, levels]) => {
      let wrapped = text;
      for (let level = 0; level < levels; level++) wrapped = JSON.stringify({ log: wrapped, n: level });
      return wrapped;
    });
    fc.assert(
      fc.property(inStrings, payload => {
        const left = withoutPrivateFields(payload)!;
        expect(left).not.toContain('S3CR');
        let inner = JSON.parse(left);
        while (typeof inner.log === 'string') inner = JSON.parse(inner.log);
        expect(Object.keys(inner)).toEqual(['MESSAGE', 'PRIORITY']);
      }),
      { numRuns: 2_000 },
    );
  });

  test('the rest stays as it is', () => {
    const fields = fc.uniqueArray(fc.constantFrom(...Object.entries({ ...PRIVATE, ...KEPT })), { minLength: 1 });
    fc.assert(
      fc.property(fields, fc.constantFrom(undefined, 1, '\t'), fc.json(), (entries, space, other) => {
        const payload = JSON.stringify({ MESSAGE: other, ...Object.fromEntries(entries) }, null, space);
        const left = withoutPrivateFields(payload);
        const kept = entries.filter(([name]) => !(name in PRIVATE));
        expect(JSON.parse(left ?? payload)).toEqual({ MESSAGE: other, ...Object.fromEntries(kept) });
        expect(left === undefined).toBe(kept.length === entries.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the server', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await testApp({
      TELEMETRICSD_PRIVACY_SCRUB: JSON.stringify([
        { name: 'programs', pattern: '/usr/bin/\\w+', classification: 'a/*/*' },
      ]),
    });
  });
  afterAll(() => server.close());

  const ENTRY = JSON.stringify({ ...PRIVATE, ...KEPT });

  const everythingStored = async () =>
    JSON.stringify([
      await server.database.sql`select payload, encode(payload_raw, 'escape') as raw from records`,
      await server.database.sql`select convert_from(body, 'UTF8') as body from quarantine`,
      await server.database.sql`select data from parsed`,
    ]);

  test.each([
    ['in headers', (classification: string) => post(server.app, { classification, event_id: 'a'.repeat(32) }, ENTRY)],
    [
      'as JSON',
      (classification: string) => postJson(server.app, recordJson({ classification, event_id: 'b'.repeat(32) }, ENTRY)),
    ],
  ])('stores private fields of no entry, and says so: %s', async (_, send) => {
    const { status, json } = await send('telemetricsd/coredump/crash');
    expect([status, json.scrubbed_by]).toEqual([201, ['journal-fields']]);
    expect(JSON.parse(json.payload)).toEqual(KEPT);
    const stored = (await getJson(server.app, `/api/records/${json.id}`)).json;
    expect([stored.payload, stored.scrubbed_by]).toEqual([json.payload, json.scrubbed_by]);
    const { html } = await getPage(server.app, `/telemetryui/records/record_details/${json.id}`);
    expect(html).toContain('Scrubbed by journal-fields');
    expect(html).not.toContain('secret');
    const again = await send('telemetricsd/coredump/crash');
    expect(again.json.id).toBe(json.id);
    const ruled = await send('a/journal/entry');
    expect(ruled.json.scrubbed_by).toEqual(['journal-fields', 'programs']);
    expect(await everythingStored()).not.toContain('secret');
  });

  test.each([
    ['a wrong field', () => post(server.app, { severity: '9' }, ENTRY)],
    ['JSON with a wrong field', () => postJson(server.app, recordJson({ severity: 9 }, ENTRY))],
    ['an entry instead of a record', () => postJson(server.app, ENTRY)],
    ['an entry that is no text', () => postJson(server.app, recordJson({ payload: { ...PRIVATE, ...KEPT } }))],
    ['an entry beside the payload', () => postJson(server.app, recordJson({ severity: 9, entry: PRIVATE }))],
    ['an entry in lower case', () => postJson(server.app, { message_id: 'm', coredump_environ: 'secret' })],
    [
      'an entry of a few fields',
      () => postJson(server.app, { MESSAGE: 'm', ENVIRON: 'secret', OBJECT_CMDLINE: 'secret' }),
    ],
    ['lines of an entry', () => postJson(server.app, 'MESSAGE=m\nCOREDUMP_ENVIRON=secret\n')],
    ['lines as the payload', () => postJson(server.app, recordJson({ severity: 9 }, 'MESSAGE=m\n_CMDLINE=secret\n'))],
    ['an entry with escapes', () => postJson(server.app, '{"MESSAGE":"m","COREDUMP_\\u0045NVIRON":"secret"}')],
    ['JSON that is cut off', () => postJson(server.app, JSON.stringify(recordJson({}, ENTRY)).slice(0, -1))],
  ])('keeps them of no refused request either: %s', async (_, send) => {
    expect((await send()).status).toBe(400);
    expect(await everythingStored()).not.toContain('secret');
  });
});

test('a refused request without an entry is kept as it came', async () => {
  const server = await testApp();
  const body = JSON.stringify(recordJson({ severity: 9, more: { than: 'known' } }));
  await postJson(server.app, body);
  await postJson(server.app, 'no JSON at all');
  const rows = await server.database.sql<
    { body: string }[]
  >`select convert_from(body, 'UTF8') as body from quarantine order by id`;
  expect(rows.map(row => row.body)).toEqual([body, 'no JSON at all']);
  await server.close();
});
