import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
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
};
const KEPT = {
  __CURSOR: 's=1;i=2',
  MESSAGE: 'Process 7 (demo) of user 0 dumped core.\n\nStack trace of thread 7:\n#0  0x01 demo_run (demo + 0x1)',
  MESSAGE_ID: 'fc2e22bc6ee647b6b90729ab34a250b1',
  COREDUMP_EXE: '/usr/bin/demo',
  COREDUMP_SIGNAL: '11',
  COREDUMP_PACKAGE_JSON: '{"demo":{"name":"demo"},"COREDUMP_ENVIRON":"a text, no field"}',
  SYSLOG_RAW: [255, 1],
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
    ['none', '{"MESSAGE":"a \\"_HOSTNAME\\":\\"no field\\"","COREDUMP_PACKAGE":"_CMDLINE"}', undefined],
    ['of other JSON none', '{"HOSTNAME":"not ours","CMDLINE":"to touch"}', undefined],
    ['of other text none', 'hostname=x\ncwd: y\nThe process had the _CMDLINE=1 and "_HOSTNAME" in it', undefined],
    ['behind other text', 'crash:\n{"MESSAGE":"m","_CMDLINE":"s"} end', 'crash:\n{"MESSAGE":"m"} end'],
    ['of server-sent events', 'data: {"MESSAGE":"m","COREDUMP_ENVIRON":"s"}\n\n', 'data: {"MESSAGE":"m"}\n\n'],
    ['with letters escaped', '{"MESSAGE":"m","COREDUMP_\\u0045NVIRON":"s","_\\u0043MDLINE":"s"}', '{"MESSAGE":"m"}'],
    [
      'in small letters',
      '{"message":"m","coredump_environ":"s","_cmdline":"s","hostname":"h"}',
      '{"message":"m","hostname":"h"}',
    ],
    ['with a blank in its name', '{"MESSAGE":"m","COREDUMP_ENVIRON ":"s"}', '{"MESSAGE":"m"}'],
    ['without a mark', '{"_HOSTNAME":"s","_CMDLINE":"s","PRIORITY":"3"}', '{"PRIORITY":"3"}'],
    ['as GELF', '{"short_message":"x","_COREDUMP_ENVIRON":"s","_CMDLINE":"s"}', '{"short_message":"x"}'],
    ['behind blanks that JSON does not know', '\u00a0\u200b{"MESSAGE":"m","_CWD":"s"}', '\u00a0\u200b{"MESSAGE":"m"}'],
    [
      'of a user',
      '{"MESSAGE":"m","COREDUMP_USERNAME":"s","COREDUMP_ROOT":"s","COREDUMP_FILENAME":"s"}',
      '{"MESSAGE":"m"}',
    ],
    ['of a record with JSON none', '{"message":"m","machine_id":"1","environ":"e"}', undefined],
    ['on lines', 'MESSAGE=m\nCOREDUMP_ENVIRON=s\nHOME=/s\n\nA=s\nPRIORITY=2\n_HOSTNAME=s\n', 'MESSAGE=m\nPRIORITY=2\n'],
    ['as bytes behind a line', '_CMDLINE\n\x05\0\0\0\0\0\0\0s\ns=s\nMESSAGE=m\n', 'MESSAGE=m\n'],
    ['on indented lines', 'Mon [s=1]\n    _HOSTNAME=s\n    MESSAGE=m\n', 'Mon [s=1]\n    MESSAGE=m\n'],
    ['as YAML', 'MESSAGE: m\nCOREDUMP_CMDLINE: s\n', 'MESSAGE: m\n'],
  ])('%s is taken out', (_, payload, left) => {
    expect(withoutPrivateFields(payload)).toBe(left);
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
    ['an entry in small letters', () => postJson(server.app, '{"coredump_environ":"secret"}')],
    ['an entry with letters escaped', () => postJson(server.app, '{"COREDUMP_\\u0045NVIRON":"secret"}')],
    [
      'an entry with other fields',
      () => postJson(server.app, '{"MESSAGE":"x","OBJECT_CMDLINE":"secret","_PROC_MAPS":"secret"}'),
    ],
    [
      'an entry as processes have it',
      () => postJson(server.app, '{"MESSAGE":"x","ENVIRON":"secret","HOSTNAME":"secret"}'),
    ],
    ['an entry on lines', () => postJson(server.app, 'MESSAGE=x\nCOREDUMP_ENVIRON=secret\n')],
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
