import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { get, getPage, OTHER_TID, post as postRecord, submit } from '../app.ts';
import { type CrashApp, crashApp, crashHeaders } from './crash-app.ts';

const CRASHES = '/telemetryui/crashes';
const HOSTILE = `<script>alert("1")</script>'&<T>::f()`;

let app: CrashApp;
let ids: Record<string, number>;
let record: number;

const machine = (letter: string) => letter.repeat(32);

beforeAll(async () => {
  app = await crashApp();
  const post = async (
    name: string,
    machines: string,
    changes: Record<string, string> = {},
    frames = ['main()', '_start()'],
  ) => {
    let id = 0;
    for (const letter of machines)
      id = await app.crash([name, ...frames], {
        machine_id: machine(letter),
        system_name: 'ubuntu',
        build: '24.04',
        ...changes,
      });
    return id;
  };
  record = await post('often()', 'aaaaab', { build: '24.04.1' }, ['abort() - [libc.so.6]', 'main()', '_start()']);
  await post('often()', 'a');
  await post('wide()', 'abcd');
  await post(HOSTILE, 'abc');
  await post('fleet()', 'ee', { 'X-Telemetry-TID': OTHER_TID });
  await post('elsewhere()', 'f', { system_name: 'fedora', build: '41' });
  for (let n = 0; n < 8; n++) await post(`rare${n}()`, 'g');
  await app.analyse();
  const rows = await app.sql<{ id: number; function: string }[]>`select id, function from guilties`;
  ids = Object.fromEntries(rows.map(row => [row.function, row.id]));
});
afterAll(() => app.close());

async function page(path: string, status = 200): Promise<string> {
  const answer = await getPage(app.app, `${CRASHES}${path}`);
  expect([path, answer.status]).toEqual([path, status]);
  return answer.html;
}

async function post(path: string, fields: Record<string, string>) {
  const response = await submit(app.app, `${CRASHES}${path}`, fields);
  return { status: response.status, location: response.headers.get('location'), html: await response.text() };
}

/** The text of a page as it is read. */
function textOf(html: string) {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ');
}

/** The guilties of a list of top crashes, in order. */
function ranking(html: string) {
  const table = /<table class="top-crashes">.*?<\/table>/s.exec(html)?.[0] ?? '';
  return [...table.matchAll(/guilty_details\/(\d+)(?:\?[^"]*)?"><span class="cut mono" title="([^"]*)"/g)].map(
    match => match[2],
  );
}

describe('top crashes', () => {
  test.each<[path: string, expected: string[], says: string]>([
    ['', ['often()', 'wide()', 'hostile', 'fleet()', 'elsewhere()'], 'Top crashes of the last 7 days'],
    ['?os=ubuntu', ['often()', 'wide()', 'hostile', 'fleet()'], 'Top crashes of the last 7 days on ubuntu'],
    ['?sort=machines', ['wide()', 'hostile', 'often()', 'fleet()'], 'Top crashes of the last 7 days'],
    ['/overall?days=35', ['often()', 'wide()', 'hostile', 'fleet()'], 'the last 35 days'],
    ['/24.04.1', ['often()'], 'build 24.04.1'],
    ['/24.04?days=1&os=ubuntu', ['wide()', 'hostile', 'fleet()'], 'the last day on ubuntu, build 24.04'],
    ['?os=fedora', ['elsewhere()'], 'on fedora'],
    ['?fleet=servers', ['fleet()'], 'fleet servers'],
    ['?fleet=servers&sort=machines&days=3', ['fleet()'], 'the last 3 days, fleet servers'],
  ])('%s', async (path, expected, says) => {
    const html = await page(path);
    const shown = ranking(html).map(name => (name!.includes('script') ? 'hostile' : name!));
    expect(shown.filter(name => !name.startsWith('rare')).slice(0, expected.length)).toEqual(expected);
    expect(textOf(html)).toContain(says);
  });

  test('ten to a page, with numbers per build and the builds seen', async () => {
    const html = await page('?os=ubuntu');
    expect(ranking(html)).toHaveLength(10);
    const [, next] = /href="([^"]*offset=10)" rel="next"/.exec(html)!;
    const lower = await getPage(app.app, next!.replaceAll('&amp;', '&'));
    expect(ranking(lower.html)).toHaveLength(2);
    expect(lower.html).toContain('rel="prev"');
    const [first] = /<tr><td class="num soft">1<\/td>.*?<\/tr>/s.exec(html)!;
    expect(textOf(first).replaceAll(/ edit.*/g, '')).toContain('24.04 – 24.04.1');
    expect([...first.matchAll(/<td class="num[^"]*"[^>]*>.*?<\/td>/gs)].map(cell => textOf(cell[0]).trim())).toEqual([
      '1',
      '7',
      '2',
      'too few machines',
      '6',
      '1',
    ]);
  });

  test.each([
    ['?days=0', 'days'],
    ['?sort=name', 'sort'],
    ['?offset=-1', 'Offset: got'],
    ['?days=x&offset=x', 'Days: got'],
    [`/${'b'.repeat(257)}`, 'Build: got'],
  ])('%s is refused with a message', async (path, says) => {
    const html = await page(path, 400);
    expect(textOf(html)).toContain('expected');
    expect(html).toContain(says);
    expect(ranking(html)).toEqual([]);
  });
});

test.each([
  ['/guilty_details/999999', 404],
  ['/guilty_details/x', 404],
  ['/guilty_details/999999/backtraces', 404],
  ['/recomputations/999999', 404],
  ['/guilty_edit/?record=999999', 404],
  ['/guilty_edit/?record=x', 400],
  ['/failed?offset=x', 400],
  ['/guilty_edit/hidden?offset=-1', 400],
])('%s: %d', async (path, status) => {
  expect(await page(path, status)).toContain('<html lang="en">');
});

describe('a guilty', () => {
  test('its numbers, builds, machines, hardware and systems', async () => {
    const text = textOf(await page(`/guilty_details/${ids['often()']}`));
    for (const part of [
      'often()',
      '/usr/bin/app',
      '7 records, 2 machines',
      '24.04.1',
      machine('a'),
      'By hardware',
      'vendor · product · 1.0',
      'By OS',
      'ubuntu',
    ])
      expect(text).toContain(part);
  });

  test('each number of its chart and its hardware leads to the records behind it, here and in the API', async () => {
    const html = await page(`/guilty_details/${ids['often()']}`);
    const links = [...html.matchAll(/href="(\/telemetryui\/records\?[^"]*)">(\d+)?/g)];
    expect(links.some(([, , n]) => n !== undefined)).toBe(true);
    for (const [, link, n] of links) {
      const { html: listed } = await getPage(app.app, link!.replaceAll('&amp;', '&'));
      expect(new Set(listed.match(/record_details\/\d+/g)).size).toBe(Number(n ?? 7));
    }
    const answer = await get(app.app, `/api/records?guilty=${ids['often()']}`);
    expect(((await answer.json()) as { records: unknown[] }).records).toHaveLength(7);
  });

  test('its backtraces: each stack once, the guilty marked, why, links to the record and to editing', async () => {
    const html = await page(`/guilty_details/${ids['often()']}/backtraces`);
    const text = textOf(html);
    expect(text).toContain('2 different stacks in 7 records');
    expect(html.match(/<article class="stack"/g)).toHaveLength(2);
    expect(html.match(/◆ guilty/g)).toHaveLength(2);
    expect(text).toContain('Stack 1 · 6 of 7 records from 2 machines');
    expect(text).toContain(
      'Guilty is the first frame with a reliable symbol that is not on the never-guilty list; decided with version 1 of the never-guilty list on',
    );
    expect(html).toContain(`record_details/${record}"`);
    expect(html).toContain(`guilty_edit/?record=${record}"`);
    const [, records] = /href="([^"]*)">Records with this stack/.exec(html)!;
    const listed = (await getPage(app.app, records!.replaceAll('&amp;', '&'))).html;
    expect(new Set(listed.match(/record_details\/\d+/g)).size).toBe(6);
    expect(textOf(await page(`/guilty_details/${ids['often()']}/backtraces?machine_id=${machine('b')}`))).toContain(
      '1 different stack in 1 record',
    );
    expect(textOf(await page(`/guilty_details/${ids['often()']}/backtraces?build=1`))).toContain('No backtrace here');
  });

  test('says of a backtrace and a machine that their records were purged', async () => {
    for (let n = 0; n < 2; n++) await app.crash(['purged()'], { system_name: 'purged', build: '7' });
    await app.analyse();
    const [row] = await app.sql`select guilty_id from stacks where frames @> '[{"function": "purged()"}]'`;
    await app.sql`delete from crashes where system_name = 'purged'`;
    await app.sql`delete from records where system_name = 'purged'`;
    const backtraces = textOf(await page(`/guilty_details/${row!.guilty_id}/backtraces`));
    expect(backtraces).toContain('1 different stack in 2 records');
    expect(backtraces).toContain('Its records were purged; their number is kept.');
    expect(backtraces).toContain('◆ guilty');
    expect(textOf(await page(`/guilty_details/${row!.guilty_id}`))).toContain(
      '7 2 100 % 1 too few machines records purged',
    );
  });

  test.each<[string, string[], string]>([
    [
      'never guilty',
      ['raise() - [libc.so.6]', 'abort() - [libc.so.6]'],
      'Every frame is on the never-guilty list, so guilty is the last of them',
    ],
    ['unknown', ['abort() - [libc.so.6]', '???', '???'], 'so guilty is the first without one'],
    ['none', [], 'The payload holds no frames, so there is no guilty'],
  ])('the explanation where frames are %s', async (_, frames, says) => {
    const id = await app.crash(frames, { system_name: 'explained' });
    expect(textOf((await getPage(app.app, `/telemetryui/records/record_details/${id}`)).html)).toContain(
      'waits to be analysed',
    );
    await app.analyse();
    const text = textOf((await getPage(app.app, `/telemetryui/records/record_details/${id}`)).html);
    expect(text).toContain(says);
    expect(text).toContain('decided with version');
  });
});

describe('the explanation of each frame', () => {
  const textOfRecord = async (id: number) =>
    textOf((await getPage(app.app, `/telemetryui/records/record_details/${id}`)).html);

  test('names the entry of the list that spoke', async () => {
    const frames = [
      'raise() - [libc.so.6]',
      '__GI_abort() - [/lib/libc-2.31.so]',
      'core::panicking::panic',
      'explained()',
    ];
    const id = await app.crash(frames, { system_name: 'explained' });
    await app.analyse();
    const text = await textOfRecord(id);
    expect(text).toContain('#0 never guilty raise()');
    expect(text).toContain('#1 never guilty by abort() in libc.so.6 __GI_abort()');
    expect(text).toContain('#2 never guilty by core::panicking::* in any module core::panicking::panic');
    expect(text).toContain('#3 ◆ guilty explained()');
    const { html } = await getPage(app.app, `/telemetryui/records/record_details/${id}`);
    const [, entry] = /href="([^"]*)">by <span class="mono">core::panicking/.exec(html)!;
    expect(textOf((await getPage(app.app, entry!.replaceAll('&amp;', '&'))).html)).toContain(
      'core::panicking::* pattern: * stands for any text any module built in',
    );
    const json = (await (await get(app.app, `/api/records/${id}`)).json()) as { frames: object[] };
    expect(json.frames[2]).toMatchObject({
      outcome: 'never-guilty',
      entry: { function: 'core::panicking::*', module: '*' },
    });
  });

  test('says where the crash is below a handler, and what is no function', async () => {
    const id = await app.crash(['on_crash()', '__restore_rt() - [libc.so.6]', '<TASK>', 'below()'], {
      system_name: 'explained',
    });
    await app.analyse();
    const text = await textOfRecord(id);
    expect(text).toContain('#0 handler on_crash()');
    expect(text).toContain('#2 no function <TASK>');
    expect(text).toContain('Frame #1 is where the handler of a signal returns to');
    const json = (await (await get(app.app, `/api/records/${id}`)).json()) as { explanation: object };
    expect(json.explanation).toMatchObject({ trap: { frame: 1, kind: 'signal' }, guilty_frame: 3 });
  });

  test('says that a frame was made from the reason', async () => {
    const payload = 'Crash Report:\nReason: WARNING: CPU: 1 PID: 2 at fs/demo.c:3 demo_sync+0x1/0x2 [demo]\n';
    const { json } = await postRecord(
      app.app,
      crashHeaders({ classification: 'org.clearlinux/kernel/warning' }),
      payload,
    );
    await app.analyse();
    const text = await textOfRecord(json.id);
    expect(text).toContain('Guilty: demo_sync demo');
    expect(text).toContain('reason ◆ guilty demo_sync demo fs/demo.c:3');
    expect(text).toContain('The report holds no backtrace, so guilty is what its reason names');
    expect(textOf(await page(`/guilty_edit/?record=${json.id}`))).toContain('reason ◆ guilty demo_sync');
    const [crash] =
      await app.sql`select guilty_id from crashes c join stacks s on s.id = c.stack_id where c.id = ${json.id}`;
    expect(textOf(await page(`/guilty_details/${crash!.guilty_id}/backtraces`))).toContain('reason ◆ guilty demo_sync');
  });
});

describe('comments and hiding', () => {
  test.each([
    ['80 characters', 'c'.repeat(80), 303],
    ['markup', '<b>"it\'s" & known</b>', 303],
    ['nothing', '', 303],
    ['81 characters', 'd'.repeat(81), 400],
    ['a control character', 'd\u0007', 400],
  ])('a comment of %s', async (_, comment, status) => {
    const answer = await post('/comments', { id: String(ids['wide()']), comment, back: CRASHES });
    expect(answer.status).toBe(status as number);
    if (status === 400) expect(textOf(answer.html)).toContain('Comment: got');
    const [row] = await app.sql`select comment from guilties where id = ${ids['wide()']!}`;
    expect(row!.comment === comment).toBe(status === 303);
    if (comment && status === 303) expect(textOf(await page(''))).toContain(comment);
  });

  test.each([
    ['/comments', { comment: 'x' }, 400, 'Id: got nothing'],
    ['/comments', { id: 'x', comment: 'x' }, 400, 'Id: got "x"'],
    ['/comments', { id: '999999', comment: 'x' }, 404, 'There is no guilty 999999'],
    ['/hidings', {}, 400, 'Id: got nothing'],
    ['/hidings', { id: '999999' }, 404, 'There is no guilty 999999'],
    ['/unhidings', { id: '' }, 400, 'Id: got'],
    ['/retries', { id: '-1' }, 400, 'Id: got'],
    ['/guilty_edit/add', { function: 'f()' }, 400, 'expected function and module'],
    ['/guilty_edit/remove', {}, 400, 'expected the id of an entry'],
    ['/guilty_edit/remove', { id: '999999' }, 404, 'not on the list'],
    ['/guilty_edit/apply', { frame: '0' }, 400, 'Record: missing'],
    ['/guilty_edit/apply', { record: '1', frame: 'x' }, 400, 'Frame: got'],
    ['/guilty_edit/submit', { record: '999999', frame: '0' }, 404, 'There is no record 999999'],
  ])('POST %s %j is refused with %d', async (path, fields, status, says) => {
    const answer = await post(path, fields as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(textOf(answer.html)).toContain(says);
  });

  test.each([
    [`${CRASHES}?days=3`, true],
    [`${CRASHES}/guilty_details/1?os=a%20b`, true],
    [CRASHES, true],
    ['https://elsewhere.example/', false],
    ['//elsewhere.example/telemetryui/crashes', false],
    [`${CRASHES}.elsewhere.example`, false],
    ['javascript:alert(1)', false],
    [`${CRASHES}/漢`, false],
    [`${CRASHES}/a b`, false],
  ])('back to %s: %p', async (back, ours) => {
    const answer = await post('/comments', { id: String(ids['wide()']), comment: 'back', back });
    expect([answer.status, answer.location]).toEqual([303, ours ? back : CRASHES]);
  });

  test.each([
    ['keeps the comment that was just typed', { comment: ' typed, then hidden ' }, 'typed, then hidden'],
    ['keeps the old comment where none is sent', {}, 'old'],
    ['takes a comment away that was emptied', { comment: '' }, ''],
  ])('hiding %s', async (_, sent, expected) => {
    const id = String(ids['wide()']);
    await post('/comments', { id, comment: 'old' });
    expect((await post('/hidings', { id, ...(sent as Record<string, string>) })).status).toBe(303);
    const [row] = await app.sql`select comment, hidden_at is not null as hidden from guilties where id = ${id}`;
    expect(row).toEqual({ comment: expected, hidden: true });
    await post('/unhidings', { id });
    const [shown] = await app.sql`select comment, hidden_at is not null as hidden from guilties where id = ${id}`;
    expect(shown).toEqual({ comment: expected, hidden: false });
  });

  test('a comment and hiding are one form, on the list and on its own page', async () => {
    for (const path of ['', `/guilty_details/${ids['wide()']}`]) {
      const forms = [...(await page(path)).matchAll(/<form[^>]*action="[^"]*\/comments".*?<\/form>/gs)];
      expect(forms.length).toBeGreaterThan(0);
      for (const [form] of forms) expect(form).toContain('formaction="/telemetryui/crashes/hidings"');
    }
  });

  test('the hidden that crashed in a window, on an OS or a build are listed apart', async () => {
    const id = String(ids['elsewhere()']);
    await post('/hidings', { id });
    for (const [query, n] of [
      ['?days=7', 1],
      ['?os=fedora', 1],
      ['?os=ubuntu', 0],
      ['?build=41', 1],
      ['?build=24.04', 0],
      ['?fleet=servers', 0],
      ['', 1],
    ] as const) {
      const text = textOf(await page(`/guilty_edit/hidden${query}`));
      if (n) expect([query, text]).toEqual([query, expect.stringContaining('1 hidden guilty')]);
      else expect([query, text]).toEqual([query, expect.stringContaining('Nothing is hidden')]);
    }
    expect(await page('?os=ubuntu')).not.toContain('Hidden (');
    expect(await page('/41')).toContain('Hidden (1)');
    await post('/unhidings', { id });
  });

  test('a hidden guilty is left out, listed as hidden, and can be shown again', async () => {
    expect(textOf(await page('/guilty_edit/hidden'))).toContain('Nothing is hidden');
    const id = String(ids['wide()']);
    expect((await post('/hidings', { id, back: CRASHES })).status).toBe(303);
    const top = await page('');
    expect(ranking(top)).not.toContain('wide()');
    expect(top).toContain('Hidden (1)');
    const hidden = textOf(await page('/guilty_edit/hidden'));
    expect(hidden).toContain('wide()');
    expect(textOf(await page(`/guilty_details/${id}`))).toContain('Hidden: it is left out');
    await post('/unhidings', { id, back: `${CRASHES}/guilty_edit/hidden` });
    expect(ranking(await page(''))).toContain('wide()');
  });
});

describe('the never-guilty list', () => {
  test('shows what is built in, and finds functions seen', async () => {
    const all = await page('/guilty_edit/add');
    expect(textOf(all)).toMatch(/Version 1: ([\d,]+) functions, \1 built in and 0 added by analysts/);
    const found = textOf(await page('/guilty_edit/add?q=OFTEN'));
    expect(found).toMatch(/often\(\) \/usr\/bin\/app 2 Add…/);
    expect(found).toContain('No entry of the list matches');
    expect(textOf(await page('/guilty_edit/add?q=abort()'))).toContain('on the list');
    expect(textOf(await page('/guilty_edit/add?q=%25'))).toContain('0 functions');
    for (const path of ['/guilty_edit/remove', '/guilty_edit/reset'])
      expect(await page(path)).toContain('Never-guilty list');
    expect((await get(app.app, `${CRASHES}/guilty_edit/`)).headers.get('location')).toBe(`${CRASHES}/guilty_edit/add`);
  });

  test('a hundred entries to a page, those of analysts first', async () => {
    const first = await page('/guilty_edit/add');
    expect(first.match(/>Remove…/g)).toHaveLength(100);
    const [, next] = /href="([^"]*offset=100)" rel="next"/.exec(first)!;
    const second = (await getPage(app.app, next!.replaceAll('&amp;', '&'))).html;
    expect(second).toContain('rel="prev"');
    expect(second.match(/>Remove…/g)).toHaveLength(100);
    expect(await page('/guilty_edit/add?q=libc.so.6&offset=100')).toContain('guilty_edit/add?q=libc.so.6"');
    expect(await page('/guilty_edit/add?offset=x', 400)).toContain('expected');
  });

  test('taking a pattern off moves what it has spoken on', async () => {
    await app.crash(['core::panicking::panic', 'behind()'], { system_name: 'patterns' });
    await app.analyse();
    const id = (await app.sql`select id from never_guilty where function = 'core::panicking::*'`)[0]!.id;
    const preview = textOf((await post('/guilty_edit/remove', { id: String(id) })).html);
    expect(preview).toContain('− core::panicking::*');
    expect(preview).toMatch(/behind\(\) \/usr\/bin\/app core::panicking::panic \/usr\/bin\/app 1 1/);
  });

  test('a frame that is ticked, or a function found, is added by the name that all builds have', async () => {
    const id = await app.crash(['_ZN3app4only17h0123456789abcdefE()', 'main()'], { system_name: 'patterns' });
    await app.analyse();
    const preview = await post('/guilty_edit/preview', { record: String(id), frame: '0' });
    expect(textOf(preview.html)).toContain('+ app::only /usr/bin/app 1 record with 1 stack would move');
    const found = await post('/guilty_edit/add', { function: 'app::only::h0123456789abcdef', module: '/usr/bin/app' });
    expect(textOf(found.html)).toContain('+ app::only /usr/bin/app 1 record with 1 stack would move');
  });

  test('from a record: entry points are not offered, what is on the list is ticked', async () => {
    const html = await page(`/guilty_edit/?record=${record}`);
    const choices = [...html.matchAll(/<input type="checkbox"[^>]*>/g)].map(([input]) => input.includes('disabled'));
    expect(choices).toEqual([false, true, false]);
    expect(textOf(html)).toContain('not offered');
    // Entry points can't be smuggled in either.
    await post('/guilty_edit/apply', { record: String(record), frame: '3' });
    expect(textOf(await page('/guilty_edit/add'))).toContain('0 added by analysts');
  });

  test('frames that the list can not hold are not offered', async () => {
    const id = await app.crash([`${'n'.repeat(5_000)}()`, 'nowhere() - []', 'main()'], { system_name: 'odd' });
    await app.analyse();
    expect((await page(`/guilty_edit/?record=${id}`)).match(/type="checkbox"/g)).toHaveLength(1);
    for (const frame of ['0', '1'])
      expect((await post('/guilty_edit/apply', { record: String(id), frame })).status).toBe(200);
    expect(textOf(await page('/guilty_edit/add'))).toContain('0 added by analysts');
  });

  test('a preview changes nothing until it is submitted', async () => {
    const preview = await post('/guilty_edit/preview', { record: String(record), frame: '0' });
    expect(preview.status).toBe(200);
    expect(textOf(preview.html)).toContain('7 records with 2 stacks would move to another guilty');
    expect(preview.html).toContain(`name="frame" value="0"`);
    expect(textOf((await post('/guilty_edit/add', { function: 'nowhere()', module: 'm' })).html)).toContain(
      'No record would move',
    );
    expect(textOf(await page('/guilty_edit/add'))).toContain('Version 1:');

    const submitted = await post('/guilty_edit/submit', { record: String(record), frame: '0' });
    expect([submitted.status, submitted.location]).toEqual([
      303,
      expect.stringContaining(`${CRASHES}/recomputations/`),
    ]);
    expect(textOf(await page('/guilty_edit/add'))).toContain('Crash records are being recomputed');
    await app.recompute();
    const progress = textOf((await getPage(app.app, submitted.location!)).html);
    expect(progress).toContain('Finished');
    expect(progress).toContain('7 records moved to another guilty');
    expect(ranking(await page(''))[0]).toBe('main()');
    const moved = await get(app.app, `${CRASHES}/guilty_details/${ids['often()']}?days=3`);
    const heir = moved.headers.get('location')!;
    expect([moved.status, heir]).toEqual([302, expect.stringMatching(/guilty_details\/\d+\?days=3$/)]);
    expect(textOf((await getPage(app.app, heir)).html)).toMatch(/main\(\).*Also counted here.*often\(\)/);

    const onList = (await page('/guilty_edit/add?q=often')).split('On the list and matching')[1]!;
    const removing = /name="id" value="(\d+)"/.exec(onList)![1]!;
    expect(textOf((await post('/guilty_edit/remove', { id: removing })).html)).toContain(
      '7 records with 2 stacks would move',
    );
    expect((await post('/guilty_edit/remove', { id: removing, confirmed: 'yes' })).status).toBe(303);
    await app.recompute();
    expect(ranking(await page(''))[0]).toBe('often()');
    expect(textOf(await page(`/guilty_details/${ids['often()']}`))).toMatch(/often\(\).*Also counted here.*main\(\)/);
    expect((await get(app.app, heir)).headers.get('location')).toContain(`/guilty_details/${ids['often()']}?`);
  });
});

test('names of functions are text on every page, and no page holds script or style of its own', async () => {
  const hostile = ids[HOSTILE]!;
  const [row] =
    await app.sql`select c.id from crashes c join stacks s on s.id = stack_id where guilty_id = ${hostile} limit 1`;
  await post('/comments', { id: String(hostile), comment: '"><script>alert(2)</script>', back: CRASHES });
  await post('/hidings', { id: String(hostile) });
  const hidden = await page('/guilty_edit/hidden');
  await post('/unhidings', { id: String(hostile) });
  const pages = [hidden, (await post('/guilty_edit/preview', { record: String(row!.id), frame: '0' })).html];
  const paths = [
    '',
    `/guilty_details/${hostile}`,
    `/guilty_details/${hostile}/backtraces`,
    `/guilty_edit/?record=${row!.id}`,
    '/guilty_edit/add?q=%3Cscript%3E',
    '/failed',
    '/%3Cscript%3E',
    '?os=%3Cscript%3E',
    '/recomputations/1',
  ];
  for (const path of paths) {
    const response = await get(app.app, `${CRASHES}${path}`);
    expect(response.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
    pages.push(await response.text());
  }
  for (const html of pages) {
    expect(html).not.toMatch(/<script(?![^>]* src=")[^>]*>|<style|\son[a-z]+=|\sstyle="|javascript:/i);
    expect(html).not.toContain('<script>alert');
  }
  expect(pages.filter(html => html.includes('&lt;script&gt;')).length).toBeGreaterThan(6);
});

test('empty pages say what would fill them', async () => {
  const empty = await crashApp();
  try {
    const text = async (path: string) => textOf((await getPage(empty.app, `${CRASHES}${path}`)).html);
    expect(await text('')).toContain('No crash in the last 7 days');
    expect(await text('')).toContain('org.clearlinux/crash/clr');
    expect(await text('/failed')).toContain('No analysis has failed');
    expect(await text('/guilty_edit/hidden')).toContain('Nothing is hidden');
    expect(await text('/guilty_edit/add?q=x_nothing')).toContain('No entry of the list matches');
    await empty.crash(['f()']);
    expect(await text('')).toContain('1 crash record is waiting to be analysed');
    await empty.analyse();
    const [row] = await empty.sql`select id from guilties`;
    await submit(empty.app, `${CRASHES}/hidings`, { id: String(row!.id) });
    expect(await text('')).toContain('Everything here is hidden');
    expect(await text('?offset=10')).toContain('This is the end of the list');
  } finally {
    await empty.close();
  }
});
