import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { shellActor } from '../../src/audit/audit.ts';
import { createDemangler } from '../../src/crashes/demangle/demangle.ts';
import { changeList } from '../../src/crashes/never-guilty-list.ts';
import { claimCrashes } from '../../src/crashes/queue.ts';
import { LOOKUPS_BY_INDEX } from '../../src/db/connect.ts';
import { getJson, getPage, post, postJson, recordHeaders, recordJson, submit } from '../app.ts';
import { eventually, type Program, workspace } from '../executable/program.ts';
import { analyseBatch } from './analyse-batch.ts';
import { backtrace, type CrashApp, crashApp, crashHeaders, miscounted } from './crash-app.ts';

let crashes: CrashApp;
beforeAll(async () => {
  crashes = await crashApp();
});
afterAll(() => crashes.close());

describe('which records are analysed', () => {
  test.each<[setting: string | undefined, classification: string, analysed: boolean]>([
    [undefined, 'org.clearlinux/crash/clr', true],
    [undefined, 'org.clearlinux/kernel/bug', true],
    [undefined, 'org.clearlinux/kernel/stackoverflow', true],
    [undefined, 'org.clearlinux/kernel/warning', true],
    [undefined, 'org.clearlinux/kernel/panic', true],
    [undefined, 'org.example/kernel/panic', true],
    [undefined, 'crash/kernel/bug', true],
    [undefined, 'org.clearlinux/crash/unknown', false],
    [undefined, 'org.clearlinux/crash/clr-build', false],
    [undefined, 'org.clearlinux/hello/world', false],
    ['*/crash/*', 'org.example/crash/python', true],
    ['*/crash/*', 'org.clearlinux/kernel/bug', false],
    ['org.example/*/*,*/*/oops', 'org.example/a/b', true],
    ['org.example/*/*,*/*/oops', 'other/a/oops', true],
    ['org.example/*/*,*/*/oops', 'other/a/b', false],
  ])('with %p, %s: %p', async (setting, classification, analysed) => {
    const app = setting === undefined ? crashes : await crashApp({ TELEMETRICSD_CRASHES_CLASSIFICATIONS: setting });
    try {
      const id = await app.crash(['guilty()'], { classification, system_name: 'any-os' });
      const before = await getJson(app.app, `/api/records/${id}`);
      expect(before.json).toMatchObject({ processed: !analysed, guilty: null, frames: null, explanation: null });
      await app.analyse();
      const { json } = await getJson(app.app, `/api/records/${id}`);
      const guilty = analysed ? { id: expect.any(Number), function: 'guilty()', module: '/usr/bin/app' } : null;
      expect(json).toMatchObject({ processed: true, guilty });
    } finally {
      if (app !== crashes) await app.close();
    }
  });
});

const MANGLED = backtrace(
  ['raise() - [libc.so.6] - ../raise.c:26', '_ZN4shop4Cart3addEi() - [/usr/bin/shop]+0x10'],
  'shop',
  6,
);

describe('what is stored', () => {
  test.each([
    ['headers', () => post(crashes.app, crashHeaders({ system_name: 'fedora', build: '40.1-rc' }), MANGLED)],
    ['JSON', () => postJson(crashes.app, recordJson(crashHeaders({ system_name: '', build: '9.10' }), MANGLED))],
  ])('of a record in the format with %s', async (_, send) => {
    const { status, json: answer } = await send();
    if (status === 400) throw new Error(JSON.stringify(answer));
    await crashes.analyse();
    const { json } = await getJson(crashes.app, `/api/records/${answer.id}`);
    expect(json).toMatchObject({
      processed: true,
      payload: MANGLED,
      guilty: { function: 'shop::Cart::add(int)', module: '/usr/bin/shop' },
      frames: [
        {
          number: 0,
          function: 'raise()',
          mangled: null,
          module: 'libc.so.6',
          source: '../raise.c:26',
          outcome: 'never-guilty',
        },
        {
          number: 1,
          function: 'shop::Cart::add(int)',
          mangled: '_ZN4shop4Cart3addEi()',
          module: '/usr/bin/shop',
          outcome: 'chosen',
        },
      ],
      explanation: { rule: 'first known frame', guilty_frame: 1, list_version: 1 },
    });
    const [row] = await crashes.sql`select program, pid, signal, reason from crashes where id = ${answer.id}`;
    expect(row).toEqual({ program: 'shop', pid: 512, signal: 6, reason: null });
  });

  test('the reason of an oops', async () => {
    const payload =
      'Crash Report:\nReason: BUG: unable to handle page fault\nTainted : G\n#0 dump_stack - [kernel]\n#1 ext4_write - [ext4]\n';
    const { json } = await post(crashes.app, crashHeaders({ classification: 'org.clearlinux/kernel/bug' }), payload);
    await crashes.analyse();
    const [row] = await crashes.sql`select program, pid, signal, reason from crashes where id = ${json.id}`;
    expect(row).toEqual({ program: null, pid: null, signal: null, reason: 'BUG: unable to handle page fault' });
    expect((await getJson(crashes.app, `/api/records/${json.id}`)).json.guilty).toMatchObject({
      function: 'ext4_write',
      module: 'ext4',
    });
  });

  test.each([
    ['NULs', 'Process: a\0b\nPID: 1\nSignal: 6\n\nBacktrace (TID 1):\n#0 f\0g() - [m\0n]\n', 'f␀g()'],
    ['other characters', 'Process: ü💥\u0007\n#0 <b>"&\'名() - [/x\u200b]\n', '<b>"&\'名()'],
    ['huge numbers', 'PID: 99999999999\nSignal: 70000\n#999999999 f() - [m]\n', 'f()'],
    ['lines that end with CR', 'x\r\n#0 f() - [m]\r\n', 'f()'],
    ['no frames', 'Process: /usr/bin/app\nno backtrace here\n', null],
    [
      'frames of many threads only in part',
      'Backtrace (TID 1):\n#0 first() - [m]\nBacktrace (TID 2):\n#0 other() - [m]\n',
      'first()',
    ],
    ['a name of 20,000 characters', `x\n#0 ${'n'.repeat(5_000)}() - [m]\n`, `${'n'.repeat(5_000)}()`],
  ])('of a payload with %s', async (_, payload, guilty) => {
    const { status, json: answer } = await post(crashes.app, crashHeaders(), payload);
    expect(status).toBe(201);
    await crashes.analyse();
    const { json } = await getJson(crashes.app, `/api/records/${answer.id}`);
    expect(json).toMatchObject({ processed: true, payload, guilty: guilty === null ? null : { function: guilty } });
    expect((await getPage(crashes.app, `/telemetryui/records/record_details/${answer.id}`)).status).toBe(200);
    if (json.guilty)
      expect(
        (await getPage(crashes.app, `/telemetryui/crashes/guilty_details/${json.guilty.id}/backtraces`)).status,
      ).toBe(200);
  });

  test('the same stack once, however often it came and whatever its offsets', async () => {
    const frames = (offset: string) => [
      `repeated()${' - [/usr/bin/app]'}+${offset}`,
      `main() - [/usr/bin/app]+${offset}`,
    ];
    const machines = ['a', 'a', 'b', 'c'].map(letter => letter.repeat(32));
    const ids: number[] = [];
    for (const [n, machine_id] of machines.entries())
      ids.push(
        await crashes.crash(frames(`0x${n}`), { machine_id, build: n < 2 ? '9.9' : '9.10', system_name: 'repeated' }),
      );
    await crashes.analyse();
    const stacks = await crashes.sql`select distinct stack_id from crashes where id = any(${ids}::bigint[])`;
    expect(stacks).toHaveLength(1);
    const { json } = await getJson(crashes.app, '/api/guilties?os=repeated');
    expect(json.guilties).toMatchObject([
      {
        function: 'repeated()',
        records: 4,
        machines: 3,
        records_by_build: [
          { os: 'repeated', build: '9.10', records: 2 },
          { os: 'repeated', build: '9.9', records: 2 },
        ],
        first_build: '9.9',
        last_build: '9.10',
      },
    ]);
    expect(await miscounted(crashes.sql)).toEqual({});
  });

  test('why it was decided so, with the list of then, also when the list has changed since', async () => {
    const id = await crashes.crash(['changing()', 'main()']);
    await crashes.analyse();
    const [{ version } = {}] = await crashes.sql`select version from never_guilty_version`;
    const change = { add: [{ function: 'changing()', module: '/usr/bin/app' }], remove: [] };
    expect(await crashes.sql.begin(tx => changeList(tx, change, shellActor()))).toBeTrue();
    const { json } = await getJson(crashes.app, `/api/records/${id}`);
    expect(json.guilty.function).toBe('changing()');
    expect(json.explanation).toMatchObject({ rule: 'first known frame', guilty_frame: 0, list_version: version });
  });

  test('nothing of a record that is purged before its turn', async () => {
    const [gone, kept] = [await crashes.crash(['gone()']), await crashes.crash(['kept()'])];
    await crashes.sql`delete from records where id = ${gone}`;
    await crashes.analyse();
    expect(await crashes.sql`select id from crashes where id in (${gone}, ${kept})`).toEqual([{ id: kept }] as never);
    expect(await crashes.sql`select from work_queue where kind = 'crash'`).toHaveLength(0);
  });
});

describe('a record that makes its analysis fail', () => {
  test('is set aside after three attempts, shown, and retried from there; the others of its batch are stored at once', async () => {
    const app = await crashApp();
    try {
      await app.sql`alter table crashes add constraint poison check (program <> 'poison')`;
      const ids: number[] = [];
      for (let n = 0; n < 9; n++) ids.push(await app.crash([`f${n}()`], {}, n === 4 ? 'poison' : 'app'));
      const poison = ids[4]!;
      await app.analyseOnce();
      const queued = () => app.sql`select record_id as id, attempts from work_queue where kind = 'crash' order by 1`;
      expect([...(await queued())]).toEqual([{ id: poison, attempts: 1 }]);
      expect((await app.sql`select from crashes`).count).toBe(8);
      expect((await getPage(app.app, '/telemetryui/crashes/failed')).html).toContain('No analysis has failed');

      await app.analyse();
      expect([...(await queued())]).toEqual([{ id: poison, attempts: 3 }]);
      const failed = (await getPage(app.app, '/telemetryui/crashes/failed')).html;
      expect(failed).toContain('violates check constraint');
      expect(failed).toContain(`record_details/${poison}"`);
      expect((await getPage(app.app, '/telemetryui/crashes')).html).toContain('1 crash record could not be analysed');
      expect((await getPage(app.app, `/telemetryui/records/record_details/${poison}`)).html).toContain(
        'The analysis failed',
      );
      const { json } = await getJson(app.app, `/api/records/${poison}`);
      expect(json).toMatchObject({
        processed: false,
        guilty: null,
        error: expect.stringContaining('check constraint'),
      });

      await app.sql`alter table crashes drop constraint poison`;
      await app.analyse();
      expect(await queued()).toHaveLength(1);
      const back = '/telemetryui/crashes/failed';
      const retried = await submit(app.app, '/telemetryui/crashes/retries', { id: String(poison), back });
      expect([retried.status, retried.headers.get('location')]).toEqual([303, back]);
      await app.analyse();
      expect(await queued()).toHaveLength(0);
      expect((await getJson(app.app, `/api/records/${poison}`)).json.guilty).toMatchObject({ function: 'f4()' });
      expect(await miscounted(app.sql)).toEqual({});
    } finally {
      await app.close();
    }
  });

  test('counts as an attempt before it is made; what nobody brought to an end is taken over, alone', async () => {
    const app = await crashApp();
    try {
      const ids = [await app.crash(['a()']), await app.crash(['b()']), await app.crash(['c()'])];
      const claim = async () =>
        (await claimCrashes(app.sql, 100, { again: true })).map(record => record.recordId).sort();
      const runOut = () => app.sql`update work_queue set claimed_until = now() - interval '1 s'`;
      expect(await claim()).toEqual(ids);
      expect(await app.sql`select from work_queue where attempts = 1`).toHaveLength(3);
      expect(await claim()).toEqual([]);
      await runOut();
      expect([await claim(), await claim(), await claim(), await claim()]).toEqual([
        [ids[0]!],
        [ids[1]!],
        [ids[2]!],
        [],
      ]);
      await runOut();
      expect([await claim(), await claim()]).toEqual([[ids[0]!], [ids[1]!]]);
      await runOut();
      await app.analyse();
      expect((await app.sql`select id from crashes`).map(row => row.id)).toEqual([ids[2]!]);
      const { html } = await getPage(app.app, '/telemetryui/crashes/failed');
      expect(html).toContain('Try 2 records again');
      expect(html).toContain('most likely the process was killed');
      await submit(app.app, '/telemetryui/crashes/retries', { all: '1', back: '//elsewhere.example' });
      await app.analyse();
      expect(await app.sql`select from crashes`).toHaveLength(3);
    } finally {
      await app.close();
    }
  });
});

/**
 * Crash records of five days, queued as ingestion would, without the time that ingestion takes. Batches that are worked on
 * at the same time share machines and guilties that are new, on different days.
 */
async function queueRecords({ sql }: CrashApp, records: number, stacks: number) {
  await sql`
    with crash as (
      insert into records (received_at, machine_id, fleet_id, external, severity, record_format_version, classification, system_name,
                           build, arch, kernel_version, host_type, captured_at, payload)
      select date_trunc('milliseconds', now()) - make_interval(days => 4 - n / 400 % 5), md5((n / 1600 * 10 + n / 40 % 10)::text), 1, n % 11 = 0, 3, 4,
             'org.clearlinux/crash/clr', 'os-' || n % 2, '4.' || n % 13, 'x86_64', '6.1', 'vendor|' || n % 4, now(),
             format(E'Process: app\nPID: %s\nSignal: 11\n\n#0 abort() - [libc.so.6]\n#1 _ZN3foo%sEv() - [/bin/app]\n#2 main() - [/bin/app-%s]\n',
                    n, length('f' || n % 40) || ('f' || n % 40) || 'E', n % ${stacks}::int)
        from generate_series(0, ${records}::int - 1) n
      returning id, machine_id, received_at
    )
    insert into work_queue (kind, record_id, machine_id, received_at) select 'crash', id, machine_id, received_at from crash`;
}

test('two instances share 10,000 records: each is analysed once, all counters equal counts', async () => {
  const app = await crashApp();
  const demanglers = [createDemangler(), createDemangler()];
  try {
    await queueRecords(app, 10_000, 60);
    const shares = await Promise.all(
      demanglers.map(async (demangler, n) => {
        const sql = app.database.client(`instance ${n}`, { connections: 1, settings: LOOKUPS_BY_INDEX });
        let claimed = 0;
        for (let more = 1; more > 0; claimed += more) more = await analyseBatch(sql, demangler);
        return claimed;
      }),
    );
    expect(Math.min(...shares)).toBeGreaterThan(1_000);
    expect(shares[0]! + shares[1]!).toBe(10_000);
    const [row] = await app.sql`
      select (select count(*) from crashes) as crashes, (select count(distinct id) from crashes) as "distinct",
             (select sum(records)::bigint from stack_counts) as counted, (select count(*) from stacks) as stacks,
             (select count(*) from work_queue) as queued`;
    expect(row).toEqual({ crashes: 10_000, distinct: 10_000, counted: 10_000, stacks: 120, queued: 0 });
    expect(await miscounted(app.sql)).toEqual({});
  } finally {
    await Promise.all(demanglers.map(demangler => demangler.close()));
    await app.close();
  }
});

describe('the running program', () => {
  const { start, path } = workspace();

  test('analyses within seconds; killed right after storing many, it leaves none out and does none twice', async () => {
    const stateDir = path('crashing');
    let program = await start({ stateDir });
    const first = await postCrash(program, 'woken()');
    const analysed = await eventually(
      'it is analysed',
      async () => {
        const json = await record(program, first);
        return json.processed && json;
      },
      30_000,
    );
    expect(analysed.guilty).toMatchObject({ function: 'woken()' });

    const ids = await Promise.all(Array.from({ length: 600 }, (_, n) => postCrash(program, `f${n % 50}()`)));
    await program.kill();
    program = await start({ stateDir });
    const sql = program.sql();
    // Claims of the killed one run out by themselves; here they do at once.
    await sql`update work_queue set claimed_until = now() - interval '1 s'`;
    await eventually('all are analysed', async () => (await sql`select from work_queue limit 1`).count === 0);
    const [row] = await sql`
      select count(*) as crashes, count(distinct id) as "distinct", count(*) filter (where id = any(${ids}::bigint[])) as posted,
             (select sum(records)::bigint from stack_counts) as counted
        from crashes`;
    expect(row).toEqual({ crashes: 601, distinct: 601, posted: 600, counted: 601 });
    expect(await miscounted(sql)).toEqual({});
    await sql.end({ timeout: 5 });
    expect((await program.stop()).code).toBe(0);
  });

  async function postCrash({ port }: Program, name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${port}/v3/collector`, {
      method: 'POST',
      headers: recordHeaders(crashHeaders({ 'X-Telemetry-TID': '6907c830-eed9-4ce9-81ae-76daf8d88f0f' })),
      body: backtrace([name, 'main()']),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { id: number }).id;
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON that the tests look into
  async function record({ port }: Program, id: number): Promise<any> {
    return (await fetch(`http://127.0.0.1:${port}/api/records/${id}`)).json();
  }
});
