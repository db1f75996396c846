import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { shellActor } from '../../src/audit/audit.ts';
import { createDemangler } from '../../src/crashes/demangle/demangle.ts';
import type { FrameName } from '../../src/crashes/names.ts';
import { listNeverGuilty } from '../../src/crashes/never-guilty-list.ts';
import { previewChange, recomputeSlice, requestRecomputation, submitChange } from '../../src/crashes/recompute.ts';
import { LOOKUPS_BY_INDEX, type Sql } from '../../src/db/connect.ts';
import { migrate } from '../../src/db/migrate.ts';
import { getJson, getPage, submit } from '../app.ts';
import { quietLog } from '../database.ts';
import { analyseBatch } from './analyse-batch.ts';
import { type CrashApp, crashApp, miscounted } from './crash-app.ts';

const MODULE = '/usr/bin/app';

let app: CrashApp;
let sql: Sql;
beforeEach(async () => {
  app = await crashApp();
  sql = app.sql;
});
afterEach(() => app.close());

const frame = (name: string): FrameName => ({ function: name, module: MODULE });
const adding = (...names: string[]) => ({ add: names.map(frame), remove: [] });

/** How many records each guilty has. */
async function guilties(): Promise<Record<string, number>> {
  const rows = await sql<{ name: string | null; records: number }[]>`
    select g.function as name, sum(c.records)::bigint as records
      from stack_counts c join stacks s on s.id = c.stack_id left join guilties g on g.id = s.guilty_id group by 1 order by 1`;
  return Object.fromEntries(rows.map(row => [row.name ?? 'none', row.records]));
}

/** Two stacks that begin in a(), one in b(), one in c(): 2, 1, 3 and 1 records. */
async function someCrashes() {
  const ids: number[] = [];
  for (const [frames, times] of [
    [['a()', 'b()', 'main()'], 2],
    [['a()', 'd()', 'main()'], 1],
    [['b()', 'main()'], 3],
    [['c()', 'a()', 'main()'], 1],
  ] as const) {
    for (let n = 0; n < times; n++) ids.push(await app.crash([...frames], { machine_id: `${n}`.repeat(32) }));
  }
  await app.analyse();
  return ids;
}

/** Stacks decided for a(), with one record each, as the analysis would have stored them but for the guilty's machines. */
async function stacks(count: number) {
  await sql`
    with made as (
      insert into stacks (hash, frames, guilty_id, verdict, list_version, decided_at)
      select md5(n::text)::uuid,
             jsonb_build_array(
               jsonb_build_object('number', 0, 'function', 'a()', 'module', ${MODULE}::text, 'unknown', false, 'unreliable', false),
               jsonb_build_object('number', 1, 'function', 'f' || n % 7 || '()', 'module', ${MODULE}::text, 'unknown', false, 'unreliable', false)),
             (select id from guilties where function = 'a()'), '{"frame": 0, "steps": [], "rule": "first known frame"}', 1, now()
        from generate_series(1, ${count}::int) n
      returning id
    ), record as (
      insert into records (received_at, machine_id, fleet_id, external, severity, record_format_version, classification, system_name,
                           build, arch, kernel_version, host_type, captured_at, payload)
      select date_trunc('milliseconds', now()) - make_interval(days => n % 3), md5((n % 90)::text), 1, false, 3, 4, 'org.clearlinux/crash/clr', 'os',
             '1', 'x86_64', '6.1', '', now(), ''
        from generate_series(1, ${count}::int) n
      returning id, machine_id, received_at
    ), crash as (
      insert into crashes (machine_id, received_at, id, stack_id, fleet_id, system_name, build)
      select machine_id, received_at, record.id, made.id, 1, 'os', '1'
        from (select *, row_number() over (order by id) as n from record) record
        join (select *, row_number() over (order by id) as n from made) made using (n)
      returning *
    ), platforms as (
      insert into stack_platforms (day, stack_id, fleet_id, external, system_name, host_type, records)
      select (received_at at time zone 'UTC')::date, stack_id, 1, false, 'os', '', count(*) from crash group by 1, 2
    ), builds as (
      insert into stack_builds (stack_id, fleet_id, system_name, build, first_day, last_day)
      select stack_id, 1, 'os', '1', min((received_at at time zone 'UTC')::date), max((received_at at time zone 'UTC')::date) from crash group by 1
    ), counted as (
      insert into stack_counts (day, stack_id, fleet_id, external, system_name, build, records)
      select (received_at at time zone 'UTC')::date, stack_id, 1, false, 'os', '1', count(*) from crash group by 1, 2
    )
    insert into stack_machines (stack_id, machine_id, fleet_id, external, system_name, build, records, first_day, last_day)
    select stack_id, machine_id, 1, false, 'os', '1', count(*), min((received_at at time zone 'UTC')::date), max((received_at at time zone 'UTC')::date) from crash group by 1, 2`;
}

describe('the never-guilty list', () => {
  test('has built-in entries from the start; one that was removed stays away when the database is migrated again', async () => {
    const before = await listNeverGuilty(sql);
    expect(before.length).toBeGreaterThan(100);
    expect(before.every(entry => entry.builtIn)).toBeTrue();
    const abort = before.find(entry => entry.function === 'abort()')!;
    await submitChange(sql, { add: [frame('mine()')], remove: [abort.id] }, shellActor());
    await migrate(app.database.client('migrate', { connections: 1 }), quietLog);
    const after = await listNeverGuilty(sql);
    expect(after).toHaveLength(before.length);
    expect(after.some(entry => entry.id === abort.id)).toBeFalse();
    expect(after.filter(entry => !entry.builtIn).map(entry => entry.function)).toEqual(['mine()']);
  });

  test('knows a function only with its module, and each only once', async () => {
    await someCrashes();
    await submitChange(sql, { add: [{ function: 'a()', module: '/other' }], remove: [] }, shellActor());
    await app.recompute();
    expect(await guilties()).toEqual({ 'a()': 3, 'b()': 3, 'c()': 1 });
    expect(
      await submitChange(sql, { add: [{ function: 'a()', module: '/other' }], remove: [] }, shellActor()),
    ).toBeUndefined();
  });
});

describe('what a preview says is what submitting then does', () => {
  test.each<[string, string[], Record<string, number>]>([
    ['one that frames a stack', ['a()'], { 'b()': 5, 'c()': 1, 'd()': 1 }],
    ['several at once', ['a()', 'b()'], { 'main()': 5, 'c()': 1, 'd()': 1 }],
    ['all of a stack: the last of them stays', ['b()', 'main()'], { 'a()': 3, 'main()': 3, 'c()': 1 }],
    ['one that is behind every guilty', ['main()'], { 'a()': 3, 'b()': 3, 'c()': 1 }],
    ['one that no stack has', ['never seen()'], { 'a()': 3, 'b()': 3, 'c()': 1 }],
  ])('adding %s', async (_, names, expected) => {
    await someCrashes();
    const moves = await previewChange(sql, adding(...names));
    const before = await guilties();
    for (const { from, to, records } of moves) {
      before[from!.function]! -= records;
      before[to!.function] = (before[to!.function] ?? 0) + records;
    }
    expect(Object.fromEntries(Object.entries(before).filter(([, records]) => records > 0))).toEqual(expected);
    await submitChange(sql, adding(...names), shellActor());
    await app.recompute();
    expect(await guilties()).toEqual(expected);
    const moved = moves.reduce((sum, move) => sum + move.records, 0);
    expect((await getJson(app.app, '/api/recomputations')).json.recomputation).toMatchObject({
      state: 'finished',
      records_moved: moved,
      stacks: 4,
      stacks_done: 4,
    });
    expect(await miscounted(sql)).toEqual({});
  });

  test('also to a guilty that there was none of before, and back when it is removed', async () => {
    await someCrashes();
    expect(await previewChange(sql, adding('a()'))).toEqual([
      {
        from: expect.objectContaining(frame('a()')),
        to: { id: expect.any(Number), ...frame('b()') },
        stacks: 1,
        records: 2,
      },
      { from: expect.objectContaining(frame('a()')), to: { id: null, ...frame('d()') }, stacks: 1, records: 1 },
    ]);
    await submitChange(sql, adding('a()'), shellActor());
    await app.recompute();
    const entry = (await listNeverGuilty(sql)).find(row => row.function === 'a()')!;
    const back = await previewChange(sql, { add: [], remove: [entry.id] });
    expect(back.map(({ from, to, records }) => [from!.function, to!.function, records])).toEqual([
      ['b()', 'a()', 2],
      ['d()', 'a()', 1],
    ]);
    await submitChange(sql, { add: [], remove: [entry.id] }, shellActor());
    await app.recompute();
    expect(await guilties()).toEqual({ 'a()': 3, 'b()': 3, 'c()': 1 });
    expect(await miscounted(sql)).toEqual({});
  });

  test('also of what was applied to one record before', async () => {
    const [record] = await someCrashes();
    const applied = await submit(app.app, '/telemetryui/crashes/guilty_edit/apply', {
      record: String(record),
      frame: '0',
    });
    expect(await applied.text()).toContain('Recomputed: this record moved.');
    expect(await guilties()).toEqual({ 'a()': 1, 'b()': 5, 'c()': 1 });
    expect(await miscounted(sql)).toEqual({});
    const preview = await (
      await submit(app.app, '/telemetryui/crashes/guilty_edit/preview', { record: String(record) })
    ).text();
    expect(preview).toContain('1 record with 1 stack would move');
    expect(preview).toContain('Recompute all records?');
    const submitted = await submit(app.app, '/telemetryui/crashes/guilty_edit/submit', { record: String(record) });
    expect(submitted.headers.get('location')).toMatch(/\/recomputations\/\d+$/);
    await app.recompute();
    expect(await guilties()).toEqual({ 'b()': 5, 'c()': 1, 'd()': 1 });
    expect(await previewChange(sql, adding())).toEqual([]);
  });
});

describe('recomputing all', () => {
  test('goes on where it was interrupted, in another instance, and ends as if machines were counted anew', async () => {
    await app.crash(['a()']);
    await app.analyse();
    await stacks(900);
    const submitted = await submitChange(sql, adding('a()'), shellActor());
    const first = app.database.client('first', { connections: 1, settings: LOOKUPS_BY_INDEX });
    expect([await recomputeSlice(first), await recomputeSlice(first)]).toEqual([true, true]);
    await first.end({ timeout: 0 });
    const progress = async () => (await getJson(app.app, `/api/recomputations/${submitted!.id}`)).json;
    expect(await progress()).toMatchObject({ state: 'running', stacks: 901, stacks_done: 400 });
    expect((await getPage(app.app, `/telemetryui/crashes/recomputations/${submitted!.id}`)).html).toContain(
      '400 of 901 stacks',
    );
    await app.recompute();
    expect(await progress()).toMatchObject({ state: 'finished', stacks_done: 901, records_moved: 900, error: null });
    expect(await miscounted(sql)).toEqual({});
    expect(await sql`select from stacks where list_version <> 2`).toHaveLength(0);
    expect(await recomputeSlice(sql)).toBeFalse();
  });

  test('is asked for once while it waits, and again while it runs', async () => {
    await stacks(300);
    const first = await requestRecomputation(sql);
    expect(await requestRecomputation(sql)).toBe(first);
    await recomputeSlice(sql);
    const second = await requestRecomputation(sql);
    expect(second).not.toBe(first);
    await app.recompute();
    expect((await getJson(app.app, `/api/recomputations/${second}`)).json).toMatchObject({
      state: 'finished',
      stacks_done: 300,
    });
  });

  test('is stopped by an error, told on its page, and can be asked for again', async () => {
    await someCrashes();
    await sql`alter table guilties add constraint poison check (function <> 'd()')`;
    const submitted = await submitChange(sql, adding('a()'), shellActor());
    await app.recompute();
    const path = `recomputations/${submitted!.id}`;
    expect((await getJson(app.app, `/api/${path}`)).json).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('poison'),
    });
    expect((await getPage(app.app, `/telemetryui/crashes/${path}`)).html).toContain('Stopped by an error');
    expect(await guilties()).toEqual({ 'a()': 3, 'b()': 3, 'c()': 1 });
    await sql`alter table guilties drop constraint poison`;
    expect((await submit(app.app, '/telemetryui/crashes/recomputations', {})).status).toBe(303);
    await app.recompute();
    expect(await guilties()).toEqual({ 'b()': 5, 'c()': 1, 'd()': 1 });
  });

  test('while crashes are analysed and the list changes, no stack keeps a decision of an old list', async () => {
    const demangler = createDemangler();
    const worker = app.database.client('worker', { connections: 1, settings: LOOKUPS_BY_INDEX });
    const other = app.database.client('other', { connections: 1, settings: LOOKUPS_BY_INDEX });
    let busy = true;
    const recomputing = (async () => {
      while (busy || (await recomputeSlice(other))) await recomputeSlice(other);
    })();
    for (let round = 0; round < 8; round++) {
      for (let n = 0; n < 25; n++)
        await app.crash([`g${round % 4}()`, `g${(round + 1) % 4}()`, `f${n % 5}()`], {
          machine_id: `${n % 3}`.repeat(32),
        });
      await Promise.all([
        analyseBatch(worker, demangler),
        submitChange(
          sql,
          round < 4
            ? adding(`g${round}()`)
            : {
                add: [],
                remove: (await listNeverGuilty(sql))
                  .filter(row => row.function === `g${round % 4}()`)
                  .map(row => row.id),
              },
          shellActor(),
        ),
      ]);
    }
    while ((await analyseBatch(worker, demangler)) > 0);
    busy = false;
    await recomputing;
    await app.recompute();
    const [{ version } = {}] = await sql`select version from never_guilty_version`;
    expect(version).toBe(9);
    expect(await sql`select from stacks where list_version <> ${version}`).toHaveLength(0);
    expect(await miscounted(sql)).toEqual({});
    await demangler.close();
  });
});
