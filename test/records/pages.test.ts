import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { getPage, headerBytes, OTHER_TID, post, type TestApp, testApp } from '../app.ts';

const LIST = '/telemetryui/records';
let server: TestApp;
let empty: TestApp;
beforeAll(async () => {
  server = await testApp();
  empty = await testApp();
});
afterAll(async () => {
  await server.close();
  await empty.close();
});

const list = (query: string | Record<string, string>) => getPage(server.app, `${LIST}?${new URLSearchParams(query)}`);

/** The machines of a page's table, from top to bottom. */
const machinesIn = (html: string) =>
  [...html.matchAll(/href="\/telemetryui\/records\?machine_id=([^"]*)"><span class="cut/g)].map(([, id]) =>
    decodeURIComponent(id!),
  );

const linkTo = (html: string, rel: 'prev' | 'next') =>
  new RegExp(`href="([^"]+)" rel="${rel}"`).exec(html)?.[1]?.replaceAll('&amp;', '&');

describe('the list', () => {
  const ALL = ['outside', 'debian', 'kernel', 'crash', 'hello'];
  beforeAll(async () => {
    const fleet: Record<string, string>[] = [
      { machine_id: 'hello' },
      { machine_id: 'crash', classification: 'org.clearlinux/crash/clr', severity: '3', build: '43020' },
      { machine_id: 'kernel', classification: 'org.clearlinux/kernel/bug', severity: '4' },
      { machine_id: 'debian', system_name: 'debian', build: '12.5', 'X-Telemetry-TID': OTHER_TID },
      { machine_id: 'outside', 'X-CLR-External': 'true' },
    ];
    for (const changes of fleet) await post(server.app, changes, `payload of ${changes.machine_id}`);
  });

  const filters: [Record<string, string>, string[], string][] = [
    [{}, ALL, '5 records found'],
    [{ os: 'debian' }, ['debian'], '1 record found'],
    [{ os: 'clear-linux-os', build: '"43020"' }, ['crash'], '1 record found'],
    [{ classification: 'org.clearlinux/kernel/*' }, ['kernel'], '1 record found'],
    [{ severity: '1' }, ['outside', 'debian', 'hello'], '3 records found'],
    [{ source: 'external' }, ['outside'], '1 record found'],
    [{ source: 'internal', severity: '4' }, ['kernel'], '1 record found'],
    [{ fleet: 'servers' }, ['debian'], '1 record found'],
    [{ machine_id: 'crash' }, ['crash'], '1 record found'],
    [{ severity: '2' }, [], 'No record matches these filters'],
    [{ os: '', severity: '', per_page: '' }, ALL, '5 records found'],
  ];
  test.each(filters)('filtered by %j', async (query, machines, said) => {
    const { status, html } = await list(query);
    expect([status, machinesIn(html)]).toEqual([200, machines]);
    expect(html).toContain(said);
  });

  test('shows source, time, severity, classification, OS, version and payload', async () => {
    const { html } = await list({ machine_id: 'crash' });
    for (const text of ['internal', 'class="sev high"', 'org.clearlinux/crash/clr', 'clear-linux-os', '43020']) {
      expect(html).toContain(text);
    }
    expect(html).toContain('payload of crash');
    expect(html).toMatch(/<time datetime="\d{4}-[^"]+" title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"/);
  });

  test('keeps the filter in its form and offers to take each away', async () => {
    const { html } = await list({ severity: '1', source: 'internal', build: '12.5' });
    expect(html).toContain('value="12.5"');
    expect(html).toContain('<option value="internal" selected=""');
    const chips = [...html.matchAll(/class="chip" href="([^"]+)"/g)].map(([, link]) => link!.replaceAll('&amp;', '&'));
    expect(chips).toEqual([
      `${LIST}?severity=1&source=internal`,
      `${LIST}?build=12.5&source=internal`,
      `${LIST}?build=12.5&severity=1`,
    ]);
  });

  const wrong: [name: string, value: string, message: string][] = [
    ['severity', '9', 'expected an integer from 1 to 4'],
    ['severity', '²', 'expected an integer from 1 to 4'],
    ['machine_id', 'm'.repeat(33), 'expected at most 32 printable characters'],
    ['machine_id', 'a\0b', 'expected at most 32 printable characters'],
    ['build', 'b'.repeat(257), 'expected at most 256 printable characters'],
    ['classification', 'c'.repeat(2001), 'expected at most 2000 printable characters'],
    ['classification', 'c'.repeat(141), 'expected at most 140 characters in each classification'],
    ['os', 'o'.repeat(80), 'expected at most 79 printable characters'],
    ['source', 'both', 'expected &quot;internal&quot; or &quot;external&quot;'],
    ['fleet', 'f'.repeat(41), 'expected at most 40 printable characters'],
    ['per_page', '0', 'expected an integer from 1 to 1000'],
    ['per_page', '1001', 'expected an integer from 1 to 1000'],
  ];
  test('says at the field what is wrong with a filter', async () => {
    for (const [name, value, message] of wrong) {
      const { status, html } = await list({ [name]: value });
      expect([name, value, status]).toEqual([name, value, 400]);
      expect(html).toContain(`<span id="f-${name}-error" class="field-error">${message}</span>`);
      expect(html).toContain('Nothing was searched');
    }
  });

  test('refuses positions that are none', async () => {
    for (const name of ['before_id', 'after_id']) {
      for (const value of ['abc', '²', '9007199254740992', '\0']) {
        const { status, html } = await list({ [name]: value });
        expect(status).toBe(400);
        expect(html).toContain(`role="alert">${name}: expected `);
      }
    }
  });

  test('is answered to HEAD', async () => {
    for (const path of [LIST, `${LIST}/record_details/1`, '/telemetryui/quarantine', '/telemetryui/connect']) {
      const url = `http://localhost:8080${path}`;
      const answer = await server.app.request(url, { method: 'HEAD', headers: { Host: 'localhost:8080' } });
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, '']);
    }
  });
});

describe('paging', () => {
  const NUMBERS = Array.from({ length: 120 }, (_, n) => `p-${n}`);
  beforeAll(async () => {
    for (const machine_id of NUMBERS) await post(server.app, { machine_id, system_name: 'paged', build: '1' });
  });

  test('leads through everything to the end and back', async () => {
    const pages: string[][] = [];
    let { html } = await list({ os: 'paged' });
    expect(linkTo(html, 'prev')).toBeUndefined();
    pages.push(machinesIn(html));
    for (let next = linkTo(html, 'next'); next; next = linkTo(html, 'next')) {
      ({ html } = await getPage(server.app, next));
      pages.push(machinesIn(html));
    }
    expect(pages.map(page => page.length)).toEqual([50, 50, 20]);
    expect(pages.flat()).toEqual(NUMBERS.toReversed());

    const back: string[][] = [];
    for (let previous = linkTo(html, 'prev'); previous; previous = linkTo(html, 'prev')) {
      ({ html } = await getPage(server.app, previous));
      back.push(machinesIn(html));
    }
    expect(back.slice(0, 2)).toEqual([pages[1]!, pages[0]!]);
  });

  test('has the size that is asked for', async () => {
    for (const per_page of ['1', '7', '200', '1000']) {
      const { html } = await list({ os: 'paged', per_page });
      expect(machinesIn(html)).toHaveLength(Math.min(120, Number(per_page)));
      expect(linkTo(html, 'next')?.includes(`per_page=${per_page}&before_id=`)).toBe(
        Number(per_page) < 120 ? true : undefined,
      );
    }
  });

  test('past the end says so', async () => {
    const { status, html } = await list({ before_id: '1' });
    expect(status).toBe(200);
    expect(html).toContain('No older records');
  });
});

describe('the details', () => {
  test('show every field, linked to the lists of its like', async () => {
    const { json } = await post(server.app, {
      machine_id: 'detailed',
      classification: 'org.clearlinux/crash/clr',
      severity: '3',
      cpu_model: headerBytes('Intel® Core™'),
      'X-CLR-External': 'true',
    });
    const { html } = await getPage(server.app, `${LIST}/record_details/${json.id}`);
    const links = [
      'machine_id=detailed',
      'classification=org.clearlinux%2Fcrash%2Fclr',
      'severity=3',
      'os=clear-linux-os&amp;build=43010',
      'source=external',
      'fleet=default',
    ];
    for (const link of links) expect(html).toContain(`href="${LIST}?${link}"`);
    const { payload, severity, external, machine_type, ...shown } = json;
    for (const text of Object.values(shown)) {
      if (typeof text === 'string') expect(html).toContain(text);
    }
    for (const text of [machine_type, 'high', 'external', 'hello\n', `href="/api/records/${json.id}"`]) {
      expect(html).toContain(text);
    }
  });

  test('lead to the records of the same machine before and after', async () => {
    const ids: number[] = [];
    for (const payload of ['1', '2', '3']) {
      ids.push((await post(server.app, { machine_id: 'neighbours' }, payload)).json.id);
      await post(server.app, { machine_id: 'somebody else' }, payload);
    }
    const [first, middle, last] = await Promise.all(
      ids.map(async id => (await getPage(server.app, `${LIST}/record_details/${id}`)).html),
    );
    const path = (id: number | undefined) => `${LIST}/record_details/${id}`;
    expect([linkTo(first!, 'next'), linkTo(first!, 'prev')]).toEqual([undefined, path(ids[1])]);
    expect([linkTo(middle!, 'next'), linkTo(middle!, 'prev')]).toEqual([path(ids[0]), path(ids[2])]);
    expect([linkTo(last!, 'next'), linkTo(last!, 'prev')]).toEqual([path(ids[1]), undefined]);
  });

  test('say which fields a format does not have', async () => {
    const changes = { record_format_version: '1', system_name: undefined, payload_format_version: undefined };
    const { json } = await post(server.app, { ...changes, machine_id: 'format 1' });
    const { html } = await getPage(server.app, `${LIST}/record_details/${json.id}`);
    expect(html.match(/not given/g)).toHaveLength(6);
    expect((await list({ machine_id: 'format 1' })).html).toContain('unnamed');
  });

  test.each([
    ['999999', 404],
    ['9007199254740991', 404],
    ['9007199254740992', 400],
    ['2147483648', 404],
    ['abc', 400],
    ['²', 400],
    ['%00', 400],
  ])('of %s are %d', async (id, status) => {
    const answer = await getPage(server.app, `${LIST}/record_details/${id}`);
    expect(answer.status).toBe(status);
    expect(answer.html).toStartWith('<!doctype html>');
  });
});

const HOSTILE = `<script>alert(1)</script>`;
const QUOTES = `" onmouseover="alert(1)`;
const PATHS = [
  LIST,
  '/telemetryui/quarantine',
  '/telemetryui/connect',
  '/telemetryui/connect?since=0',
  '/telemetryui/none',
];

describe('hostile values', () => {
  test.each([HOSTILE, QUOTES, "' onfocus='alert(1)", '</textarea><img src=x onerror=alert(1)>', '{{7*7}}<%= 7*7 %>'])(
    'are shown and never run: %s',
    async value => {
      const inName = value.replaceAll('/', '|');
      const changes = {
        machine_id: value.slice(0, 32),
        classification: `${inName}/${inName}/${inName}`,
        host_type: value,
        kernel_version: `6.1${value}`,
        board_name: value,
        cpu_model: value,
        bios_version: value,
        system_name: value,
        build: '1',
      };
      const { status, json } = await post(server.app, changes, `${value}\n${value}`);
      expect(status).toBe(201);
      await post(server.app, { ...changes, severity: value, 'User-Agent': value }, value);
      const query = { os: value, build: value, classification: value, machine_id: changes.machine_id, severity: value };
      const [{ reason, id }] = await server.database.sql<[{ reason: string; id: number }]>`
        select reason, id from quarantine order by id desc limit 1`;
      const paths = [
        ...PATHS,
        `${LIST}/record_details/${json.id}`,
        `${LIST}?${new URLSearchParams(query)}`,
        `${LIST}?${new URLSearchParams({ os: json.system_name })}`,
        `/telemetryui/quarantine?${new URLSearchParams({ reason })}`,
        `/telemetryui/quarantine/${id}`,
        `/telemetryui/quarantine/${encodeURIComponent(value)}`,
        `/telemetryui/${encodeURIComponent(value)}`,
        `/telemetryui/connect?since=${encodeURIComponent(value)}`,
      ];
      for (const path of paths) expectInert((await getPage(server.app, path)).html);
      expect((await getPage(server.app, paths[5]!)).html).toContain(
        Bun.escapeHTML(value).replaceAll('&#x27;', '&#39;'),
      );
    },
  );

  /** Scripts come from our own files alone; nothing else runs, styles or leads elsewhere. */
  function expectInert(html: string) {
    const tags = html.match(/<[a-zA-Z][^\s>]*(?:\s+[^\s=>]+(?:="[^"]*")?)*\s*\/?>/g) ?? [];
    expect(tags.length).toBeGreaterThan(20);
    for (const tag of tags) {
      const attributes = [...tag.matchAll(/\s([^\s=>]+)(?:="[^"]*")?/g)].map(([, name]) => name!.toLowerCase());
      expect(attributes.filter(name => name.startsWith('on') || name === 'style' || name === 'srcdoc')).toEqual([]);
      if (/^<script/i.test(tag)) expect(tag).toMatch(/^<script src="\/static\/[\w.-]+\?v=\w+" defer(="")?>$/);
      expect(tag).not.toMatch(/^<(style|iframe|object|embed|base|textarea)\b/i);
      expect(tag).not.toMatch(/="\s*javascript:/i);
    }
    const scripts = [...html.matchAll(/<script[^>]*>([^<]*)/gi)].map(([, content]) => content);
    expect(scripts.filter(Boolean)).toEqual([]);
    expect(html).not.toContain('<img src=x');
  }
});

describe('before the first record', () => {
  test('the list leads to connecting machines', async () => {
    const { status, html } = await getPage(empty.app, LIST);
    expect(status).toBe(200);
    expect(html).toContain('No records yet');
    expect(html).toContain('href="/telemetryui/connect"');
    expect(html).toContain('0 records found');
  });

  test('an address that does not exist is a page of status 404', async () => {
    const { status, html } = await getPage(empty.app, '/telemetryui/nothing');
    expect(status).toBe(404);
    expect(html).toContain('There is nothing at /telemetryui/nothing.');
    expect(html).toContain(`href="${LIST}"`);
  });
});
