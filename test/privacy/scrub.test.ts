import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { compileRules } from '../../src/privacy/scrub.ts';
import {
  appOn,
  get,
  getJson,
  getPage,
  post,
  postJson,
  recordJson,
  submit,
  type TestApp,
  testApp,
  testConfig,
} from '../app.ts';

const CRASH = 'org.clearlinux/crash/clr';
const HELLO = 'org.clearlinux/hello/world';
const RULES = [
  { name: 'passwords', classification: '*/crash/*', pattern: '(?i)(password|token)=\\S+', replacement: '$1=[gone]' },
  { name: 'mail', classification: '*/*/*', pattern: '[\\w.+-]+@[\\w-]+\\.[\\w.-]+' },
];
/** Each match is found in linear time, but there are as many as there are letters, and each looks at all the rest. */
const QUADRATIC = { name: 'slow', classification: '*/slow/*', pattern: '.*=|x' };
const EVIL = 'x'.repeat(60_000);

const rules = (...given: object[]) => ({ TELEMETRICSD_PRIVACY_SCRUB: JSON.stringify(given) });

let shared: TestApp;
beforeAll(async () => {
  shared = await testApp(rules(...RULES, QUADRATIC));
});
afterAll(() => shared.close());

const quarantined = async () => {
  const rows = await shared.database.sql<
    { id: number; body: Uint8Array; headers: unknown; scrubbed: string[] | null }[]
  >`
    select id, body, headers, scrubbed from quarantine where evicted_at is null order by id`;
  return rows.map(row => ({ ...row, body: Buffer.from(row.body).toString() }));
};

describe('a payload', () => {
  test('loses what the rules for its classification match, before it is answered and stored', async () => {
    const { status, json } = await post(
      shared.app,
      { classification: CRASH },
      'user=a@b.example Token=t0p password=s3cret\n',
    );
    expect(status).toBe(201);
    expect([json.payload, json.scrubbed_by]).toEqual([
      'user=[scrubbed] Token=[gone] password=[gone]\n',
      ['passwords', 'mail'],
    ]);
    const found = await getJson(shared.app, `/api/records/${json.id}`);
    expect([found.json.payload, found.json.scrubbed_by]).toEqual([json.payload, json.scrubbed_by]);
    const { html } = await getPage(shared.app, `/telemetryui/records/record_details/${json.id}`);
    expect(html).toContain('Scrubbed by passwords, mail');
    expect(html).not.toContain('s3cret');
  });

  test('is left alone where no rule for its classification matches', async () => {
    const { json } = await post(shared.app, { classification: HELLO }, 'password=fine\n');
    expect([json.payload, json.scrubbed_by]).toEqual(['password=fine\n', []]);
    const { html } = await getPage(shared.app, `/telemetryui/records/record_details/${json.id}`);
    expect(html).not.toContain('Scrubbed by');
  });

  test('with NULs is scrubbed in both forms that are stored, and as JSON', async () => {
    const { json } = await post(shared.app, { classification: CRASH }, 'a\0 password=s3cret\n');
    expect(json.payload).toBe('a\0 password=[gone]\n');
    const [row] = await shared.database.sql`select payload, payload_raw from records where id = ${json.id}`;
    expect(row!.payload).toBe('a␀ password=[gone]\n');
    expect(Buffer.from(row!.payload_raw).toString()).toBe('a\0 password=[gone]\n');
    const asJson = await postJson(shared.app, recordJson({ classification: CRASH }, 'Token=ünï\u{1F600} ☃'));
    expect(asJson.json.payload).toBe('Token=[gone] ☃');
  });

  test('is known again as it came: what a rule makes equal stays apart, and a repeated record is one', async () => {
    const sent = (secret: string) =>
      post(shared.app, { classification: CRASH, machine_id: 'same' }, `password=${secret}\n`);
    const first = await sent('one');
    const other = await sent('two');
    const again = await sent('one');
    expect(other.json.id).not.toBe(first.json.id);
    expect(again.json).toEqual(first.json);
    // Whatever the rules are by then.
    const without = await appOn(shared.database, testConfig());
    const later = await post(without.app, { classification: CRASH, machine_id: 'same' }, 'password=one\n');
    expect([later.json.id, later.json.payload]).toEqual([first.json.id, 'password=[gone]\n']);
  });

  test('is scrubbed together with many others, each by its own rules', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        post(
          shared.app,
          { classification: n % 2 ? CRASH : HELLO, machine_id: `m${n}` },
          `${n} password=p${n} m${n}@x.org`,
        ),
      ),
    );
    for (const [n, { json }] of answers.entries())
      expect(json.payload).toBe(n % 2 ? `${n} password=[gone] [scrubbed]` : `${n} password=p${n} [scrubbed]`);
  });
});

describe('a rule that takes too long on a payload', () => {
  test('holds up nobody else; the record goes to quarantine without its payload', async () => {
    const began = performance.now();
    const slow = post(shared.app, { classification: 'a/slow/b', machine_id: 'slow' }, EVIL);
    let slowMs = 0;
    let longest = 0;
    let others = 0;
    let done = false;
    const finished = slow.finally(() => {
      done = true;
      slowMs = performance.now() - began;
    });
    while (!done) {
      const started = performance.now();
      const { status } = await post(shared.app, { classification: HELLO, machine_id: `other${others++}` }, 'quick');
      expect(status).toBe(201);
      longest = Math.max(longest, performance.now() - started);
      await Bun.sleep(5);
    }
    // One that waits for the slow one waits for nearly all of its time.
    expect(longest).toBeLessThan(0.9 * slowMs);
    expect(others).toBeGreaterThan(3);
    const { status, json } = await finished;
    expect([status, json.message]).toEqual([
      400,
      'payload: the rule "slow" of privacy.scrub takes too long on this payload, which is withheld',
    ]);
    const kept = (await quarantined()).at(-1)!;
    expect([kept.body, kept.scrubbed]).toEqual(['(withheld by privacy.scrub)', ['slow']]);
    const { html } = await getPage(shared.app, `/telemetryui/quarantine/${kept.id}`);
    expect(html).toContain('Scrubbed by slow');
  });

  test('costs those that are scrubbed with it nothing but time', async () => {
    const payloads = Array.from({ length: 10 }, (_, n) => (n === 4 ? EVIL : `${n} xx`));
    const answers = await Promise.all(
      payloads.map((payload, n) =>
        post(shared.app, { classification: 'a/slow/b', machine_id: `together${n}` }, payload),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(payloads.map((_, n) => (n === 4 ? 400 : 201)));
    expect(answers[9]!.json.payload).toBe('9 [scrubbed][scrubbed]');
  });

  test('its record can be replayed, without the payload', async () => {
    const entry = (await quarantined()).at(-1)!;
    await submit(shared.app, '/telemetryui/quarantine/replays', { id: String(entry.id) });
    expect((await quarantined()).some(({ id }) => id === entry.id)).toBe(false);
    const { json } = await getJson(shared.app, '/api/records?limit=1');
    expect(json.records[0]).toMatchObject({ payload: '(withheld by privacy.scrub)', scrubbed_by: ['slow'] });
  });

  test('keeps nothing of it in strict mode', async () => {
    const config = testConfig({ ...rules(QUADRATIC), TELEMETRICSD_COLLECTOR_REFUSE: 'strict' });
    const { app } = await appOn(shared.database, config);
    const before = await quarantined();
    expect((await post(app, { classification: 'a/slow/b', machine_id: 'strict' }, EVIL)).status).toBe(400);
    expect(await quarantined()).toEqual(before);
  });
});

describe('a refused request', () => {
  const cases: [what: string, send: () => Promise<unknown>, kept: string | object][] = [
    [
      'in the header format is scrubbed by the rules for its classification',
      () => post(shared.app, { classification: CRASH, severity: '9' }, 'password=s3cret'),
      'password=[gone]',
    ],
    [
      'of a classification that no rule is for is kept but for the rules for all',
      () => post(shared.app, { severity: '9' }, 'password=s3cret a@b.example'),
      'password=s3cret [scrubbed]',
    ],
    [
      'with a wrong classification is scrubbed by all rules',
      () => post(shared.app, { classification: 'nonsense' }, 'password=s3cret a@b.example'),
      '[scrubbed][gone] [scrubbed]',
    ],
    [
      'as JSON keeps its fields, without what is not known',
      () =>
        postJson(shared.app, {
          ...recordJson({ classification: CRASH, severity: '9' }, 'password=s3cret'),
          extra: 's3cret',
        }),
      { ...recordJson({ classification: CRASH, severity: '9' }, 'password=[gone]') },
    ],
    [
      'whose JSON has no payload keeps nothing',
      () => postJson(shared.app, recordJson({ payload: { password: 's3cret' } })),
      '(withheld by privacy.scrub)',
    ],
    [
      'that makes no sense keeps nothing',
      () => postJson(shared.app, '{"payload": "password=s3cret'),
      '(withheld by privacy.scrub)',
    ],
  ];
  test.each(cases)('%s', async (_, send, expected) => {
    await send();
    const { body } = (await quarantined()).at(-1)!;
    expect(typeof expected === 'string' ? body : JSON.parse(body)).toEqual(expected);
  });

  test('says what is wrong with it in no words of its own', async () => {
    await postJson(shared.app, 's3cret: 1');
    const [row] = await shared.database.sql`select reason from quarantine order by id desc limit 1`;
    expect(row!.reason).toStartWith('body: not JSON (Unexpected identifier) and no record_format_version header');
  });

  test('that is stored once the cause is mended tells what scrubbed it', async () => {
    const { sql } = shared.database;
    await sql`alter table records add constraint no_poison check (payload not like '%poison%')`;
    expect((await post(shared.app, { classification: CRASH }, 'poison password=s3cret')).status).toBe(400);
    await sql`alter table records drop constraint no_poison`;
    await submit(shared.app, '/telemetryui/quarantine/replays', { id: String((await quarantined()).at(-1)!.id) });
    const { json } = await getJson(shared.app, '/api/records?limit=1');
    expect(json.records).toMatchObject([{ payload: 'poison password=[gone]', scrubbed_by: ['passwords'] }]);
  });
});

test('exports hold what is stored', async () => {
  await post(shared.app, { classification: CRASH, machine_id: 'exported' }, 'password=s3cret');
  const csv = await (await get(shared.app, '/telemetryui/records/export/records-x.csv?machine_id=exported')).text();
  expect(csv).toContain('password=[gone]');
});

describe('the rules', () => {
  const wrong: [rule: object, key: string, allowed: string][] = [
    [{ name: 'a b', pattern: 'x' }, 'name', '1 to 40 letters, digits, "-" and "_"'],
    [
      { name: 'a', pattern: '(x' },
      'pattern',
      'a regular expression in RE2 syntax (error parsing regexp: missing closing ): `(x`)',
    ],
    [
      { name: 'a', pattern: '(?=x)' },
      'pattern',
      'a regular expression in RE2 syntax (error parsing regexp: invalid or unsupported Perl syntax: `(?=`)',
    ],
    [{ name: 'a', pattern: 'x*' }, 'pattern', 'a regular expression that does not match the empty text'],
    [
      { name: 'a', pattern: 'x', classification: 'crash' },
      'classification',
      'three parts with "/" between them, each a text or "*", such as "*/kernel/panic"',
    ],
    [{ name: 'a', pattern: 'x', replacement: 'y'.repeat(101) }, 'replacement', 'at most 100 characters'],
  ];
  test.each(wrong)('%j is a mistake in the configuration that names it', (rule, key, allowed) => {
    try {
      loadConfig({ env: rules(RULES[0]!, rule) });
      throw new Error('no mistake was found');
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems).toMatchObject([{ key: `privacy.scrub[1].${key}`, allowed }]);
    }
  });

  test('have names of their own', () => {
    expect(() => loadConfig({ env: rules(RULES[0]!, RULES[0]!) })).toThrow('every name once (item 0 is the same)');
  });

  test('find what JavaScript finds, where that finds an end', () => {
    const patterns = [
      '(?i)(password|token)=\\S+',
      '[\\w.+-]+@[\\w-]+\\.[\\w.-]+',
      '\\b\\d{1,3}(?:\\.\\d{1,3}){3}\\b',
      '(?m)^user: .*$',
      'a|ab|☃+',
    ];
    const word = fc.constantFrom(
      'password=',
      'TOKEN=',
      'a@b.c',
      '10.0.0.1',
      '\nuser: ',
      '\n',
      ' ',
      'ab',
      '☃☃',
      '\u{1F600}',
      '\0',
      'x',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...patterns),
        fc.array(word).map(words => words.join('')),
        (pattern, payload) => {
          const scrub = compileRules([{ name: 'a', classification: '*/*/*', pattern, replacement: '[$&]' }]);
          const [, flags = '', source] = /^(?:\(\?(\w+)\))?(.*)$/s.exec(pattern)!;
          const expected = payload.replaceAll(new RegExp(source!, `g${flags}`), '[$&]');
          const scrubbed = scrub({ payload, rules: [0] }, () => {});
          expect(scrubbed).toEqual({ kind: 'scrubbed', payload: expected, by: expected === payload ? [] : ['a'] });
        },
      ),
    );
  });

  test('find what JavaScript gives up on', () => {
    const scrub = compileRules([{ name: 'a', classification: '*/*/*', pattern: '(?:a+)+c|SECRET', replacement: '' }]);
    expect(scrub({ payload: `${'a'.repeat(60)}SECRET`, rules: [0] }, () => {})).toMatchObject({
      payload: 'a'.repeat(60),
    });
  });

  test('may not make payloads grow without bound', () => {
    const scrub = compileRules([{ name: 'a', classification: '*/*/*', pattern: '.', replacement: 'y'.repeat(100) }]);
    expect(scrub({ payload: 'x'.repeat(100_000), rules: [0] }, () => {})).toMatchObject({ kind: 'failed', rule: 'a' });
  });
});
