import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { shellActor } from '../../src/audit/audit.ts';
import { listNeverGuilty } from '../../src/crashes/never-guilty-list.ts';
import { requestRecomputation, submitChange } from '../../src/crashes/recompute.ts';
import type { Sql } from '../../src/db/connect.ts';
import { newGuilties } from '../../src/overview/queries.ts';
import { forgetMachine } from '../../src/privacy/forget.ts';
import { pruneCounters } from '../../src/retention/counters.ts';
import { get, getJson, getPage, submit } from '../app.ts';
import { type CrashApp, crashApp, miscounted } from './crash-app.ts';

const CRASHES = '/telemetryui/crashes';
const MODULE = '/usr/bin/app';

let app: CrashApp;
let sql: Sql;
beforeAll(async () => {
  app = await crashApp();
  sql = app.sql;
});
afterAll(() => app.close());
beforeEach(async () => {
  await sql`truncate records, crashes, stacks, guilties, recomputations, stack_counts, stack_builds, stack_platforms, stack_machines,
                     guilty_machines, guilty_machine_counts, recent_records`;
});

interface Before {
  comment?: string;
  hidden?: boolean;
}

/** Puts the stack of a record under a guilty of this name, as an older version had named it; returns the guilty's id. */
async function namedBefore(record: number, name: string, { comment = '', hidden = false }: Before = {}) {
  const [row] = await sql<{ id: number }[]>`
    insert into guilties as known (function, module, comment, hidden_at)
    values (${name}, ${MODULE}, ${comment}, ${hidden ? sql`now()` : null})
        on conflict (md5(function || E'\n' || module)) do update set comment = known.comment
    returning id`;
  await sql`update stacks set guilty_id = ${row!.id} where id = (select stack_id from crashes where id = ${record})`;
  return row!.id;
}

/** Guilties that nothing is put down to have never been there, and machines are those of the stacks. */
async function asIfAlways() {
  await sql`delete from guilties where not exists (select from stacks where guilty_id = guilties.id)`;
  await sql`delete from guilty_machines`;
  await sql`delete from guilty_machine_counts`;
  await sql`
    insert into guilty_machines (guilty_id, machine_id, system_name, fleet_id, external, last_day, exposed)
    select s.guilty_id, m.machine_id, m.system_name, m.fleet_id, m.external, max(m.last_day), false
      from stack_machines m join stacks s on s.id = m.stack_id group by 1, 2, 3, 4, 5`;
  await sql`
    insert into guilty_machine_counts (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
    select guilty_id, last_day, system_name, fleet_id, external, count(*), 0 from guilty_machines group by 1, 2, 3, 4, 5`;
}

async function decideAgain() {
  await requestRecomputation(sql);
  await app.recompute();
}

interface Standing {
  id: number;
  comment: string;
  hidden: boolean;
  alias: string | null;
  stacks: number;
}

/** All guilties by their functions. */
async function standing(): Promise<Record<string, Standing>> {
  const rows = await sql<(Standing & { function: string })[]>`
    select g.id, g.function, g.comment, g.hidden_at is not null as hidden, heir.function as alias,
           (select count(*) from stacks where guilty_id = g.id) as stacks
      from guilties g left join guilties heir on heir.id = g.alias_of`;
  return Object.fromEntries(rows.map(({ function: name, ...row }) => [name, row]));
}

const rust = (hash: string) => `_ZN3app4scan17h${hash}E()`;
const [HASH_A, HASH_B] = ['0123456789abcdef', 'fedcba9876543210'];

/** Two builds of one function, which were two guilties. */
async function twoBuilds(a: Before, b: Before) {
  const records = [
    await app.crash([rust(HASH_A)], { machine_id: 'a' }),
    await app.crash([rust(HASH_B)], { machine_id: 'b' }),
  ];
  await app.analyse();
  const ids = [
    await namedBefore(records[0]!, `app::scan::h${HASH_A}`, a),
    await namedBefore(records[1]!, `app::scan::h${HASH_B}`, b),
  ];
  await asIfAlways();
  return { records, ids };
}

describe('guilties that were one function in two builds become one', () => {
  test('old addresses lead to it, with their query; the API and searches take old ids', async () => {
    const { ids } = await twoBuilds({ comment: 'known' }, {});
    await decideAgain();
    const now = await standing();
    const heir = now['app::scan']!;
    expect(heir).toMatchObject({ comment: 'known', hidden: false, alias: null, stacks: 2 });
    expect(now[`app::scan::h${HASH_A}`]).toMatchObject({ comment: '', alias: 'app::scan', stacks: 0 });
    expect(await miscounted(sql)).toEqual({});
    for (const id of ids) {
      for (const rest of ['?days=3', '/backtraces?build=1&days=3', '']) {
        const answer = await get(app.app, `${CRASHES}/guilty_details/${id}${rest}`);
        expect([answer.status, answer.headers.get('location')]).toEqual([
          302,
          `${CRASHES}/guilty_details/${heir.id}${rest}`,
        ]);
      }
      expect((await getJson(app.app, `/api/guilties/${id}`)).json).toMatchObject({
        id: heir.id,
        records: 2,
        machines: 2,
      });
      expect((await getJson(app.app, `/api/guilties/${id}/backtraces`)).json).toMatchObject({ stacks: 2, records: 2 });
      expect((await getJson(app.app, `/api/records?guilty=${id}`)).json.records).toHaveLength(2);
    }
    expect((await getJson(app.app, `/api/guilties/${heir.id}`)).json.aliases).toEqual(
      ids.map((id, n) => ({ id, function: `app::scan::h${[HASH_A, HASH_B][n]}`, module: MODULE, comment: '' })),
    );
    const { html } = await getPage(app.app, `${CRASHES}/guilty_details/${heir.id}`);
    expect(html).toContain('Also counted here: what was put down to 2 other names');
    expect(html).toContain(HASH_A);
    await submit(app.app, `${CRASHES}/comments`, { id: String(ids[1]), comment: 'said under an old id' });
    expect((await standing())['app::scan']).toMatchObject({ comment: 'said under an old id' });
  });

  test('the backtrace keeps the whole names', async () => {
    const { records } = await twoBuilds({}, {});
    await decideAgain();
    const { html } = await getPage(app.app, `/telemetryui/records/record_details/${records[1]}`);
    expect(html).toContain(`app::scan::h${HASH_B}`);
  });

  test.each<[a: Before, b: Before, comment: string, hidden: boolean]>([
    [{ hidden: true }, { hidden: true }, '', true],
    [{ hidden: true, comment: 'noise' }, {}, 'noise', false],
    [{}, { comment: 'later' }, 'later', false],
    [{ comment: 'first' }, { comment: 'second' }, 'first', false],
  ])('of %j and %j it gets %j, hidden: %p', async (a, b, comment, hidden) => {
    await twoBuilds(a, b);
    await decideAgain();
    const now = await standing();
    expect(now['app::scan']).toMatchObject({ comment, hidden });
    if (a.comment && b.comment) expect(now[`app::scan::h${HASH_B}`]!.comment).toBe(b.comment);
    const { html } = await getPage(app.app, `${CRASHES}/guilty_edit/hidden`);
    expect(html.match(/<td class="guilty-cell">/g) ?? []).toHaveLength(hidden ? 1 : 0);
  });

  test('it is hidden also where a new crash is put down to it before they are', async () => {
    await twoBuilds({ hidden: true }, { hidden: true });
    await requestRecomputation(sql);
    await app.crash([rust('a'.repeat(7) + HASH_A.slice(7))]);
    await app.analyse();
    await app.recompute();
    expect((await standing())['app::scan']).toMatchObject({ hidden: true, stacks: 3 });
  });

  test('one that was there already stays as it was, and keeps its own comment', async () => {
    const { ids } = await twoBuilds({ hidden: true, comment: 'theirs' }, { hidden: true });
    await app.crash([rust('b'.repeat(7) + HASH_A.slice(7))]);
    await app.analyse();
    await sql`update guilties set comment = 'mine' where function = 'app::scan'`;
    await decideAgain();
    expect((await standing())['app::scan']).toMatchObject({ hidden: false, comment: 'mine', stacks: 3 });
    expect((await getJson(app.app, `/api/guilties/${ids[0]}`)).json.aliases).toMatchObject([{ comment: 'theirs' }, {}]);
  });

  test('one that was hidden before any crash was put down to it stays hidden', async () => {
    await twoBuilds({}, {});
    await sql`insert into guilties (function, module, hidden_at) values ('app::scan', ${MODULE}, now())`;
    await decideAgain();
    expect((await standing())['app::scan']).toMatchObject({ hidden: true, stacks: 2 });
  });

  test('nothing of it is new: neither where it was known before, nor where it came yesterday', async () => {
    await twoBuilds({}, {});
    const fresh = async () => (await newGuilties(sql, 10)).map(row => row.function);
    expect(await fresh()).toHaveLength(2);
    await decideAgain();
    expect(await fresh()).toEqual([]);
    await app.crash(['quite_new()']);
    await app.analyse();
    expect(await fresh()).toEqual(['quite_new()']);
  });
});

describe('a change of the list', () => {
  const adding = (...names: string[]) => ({ add: names.map(name => ({ function: name, module: MODULE })), remove: [] });

  async function change(...names: string[]) {
    await submitChange(sql, adding(...names), shellActor());
    await app.recompute();
  }

  async function takeBack() {
    const ids = (await listNeverGuilty(sql)).filter(entry => !entry.builtIn).map(entry => entry.id);
    await submitChange(sql, { add: [], remove: ids }, shellActor());
    await app.recompute();
  }

  test('that scatters the stacks of a guilty leaves what was said where it was', async () => {
    await app.crash(['wrap()', 'a()']);
    await app.crash(['wrap()', 'b()']);
    await app.analyse();
    await sql`update guilties set comment = 'scattered'`;
    await change('wrap()');
    expect(await standing()).toMatchObject({
      'wrap()': { comment: 'scattered', alias: null, stacks: 0 },
      'a()': { comment: '', stacks: 1 },
      'b()': { comment: '', stacks: 1 },
    });
    await takeBack();
  });

  test('that is taken back takes everything back, also what was said meanwhile', async () => {
    for (const frames of [
      ['wrap()', 'a()'],
      ['wrap()', 'x()', 'a()'],
    ])
      await app.crash(frames);
    await app.analyse();
    await sql`update guilties set comment = 'before', hidden_at = now()`;
    await change('wrap()', 'x()');
    expect(await standing()).toMatchObject({
      'wrap()': { comment: '', alias: 'a()' },
      'a()': { comment: 'before', hidden: true, stacks: 2 },
    });
    await sql`update guilties set comment = 'meanwhile', hidden_at = null where function = 'a()'`;
    await takeBack();
    expect(await standing()).toMatchObject({
      'wrap()': { comment: 'meanwhile', hidden: false, alias: null, stacks: 2 },
      'a()': { comment: '', alias: 'wrap()', stacks: 0 },
    });
    expect(await miscounted(sql)).toEqual({});
  });

  test('after another leads from the first name to the last; a crash that is put down to a name again gives it back its page', async () => {
    const first = await app.crash(['one()', 'two()', 'three()']);
    await app.analyse();
    await change('one()');
    await change('two()');
    const now = await standing();
    expect([now['one()']!.alias, now['two()']!.alias]).toEqual(['three()', 'three()']);
    expect((await getJson(app.app, `/api/guilties/${now['one()']!.id}`)).json.function).toBe('three()');
    expect((await getJson(app.app, `/api/records/${first}`)).json.guilty.function).toBe('three()');
    await app.crash(['one()']);
    await app.analyse();
    expect((await standing())['one()']).toMatchObject({ alias: null, stacks: 1 });
    expect((await get(app.app, `${CRASHES}/guilty_details/${now['one()']!.id}`)).status).toBe(200);
    await takeBack();
  });

  test('applied to one record alone moves what was said of a guilty that has no other', async () => {
    const record = await app.crash(['only()', 'a()']);
    await app.analyse();
    await sql`update guilties set comment = 'said'`;
    await submit(app.app, `${CRASHES}/guilty_edit/apply`, { record: String(record), frame: '0' });
    expect(await standing()).toMatchObject({ 'only()': { alias: 'a()', comment: '' }, 'a()': { comment: 'said' } });
    await takeBack();
  });

  test('a name that leads elsewhere is forgotten with the only machine that reported it', async () => {
    await app.crash(['secret()', 'a()'], { machine_id: 'alone' });
    await app.crash(['shared()', 'b()'], { machine_id: 'alone' });
    await app.crash(['shared()', 'b()'], { machine_id: 'other' });
    await app.analyse();
    await change('secret()', 'shared()');
    await forgetMachine(sql, 'alone', app.config, () => {});
    expect(await standing()).toMatchObject({ 'b()': { stacks: 1 }, 'shared()': { alias: 'b()' } });
    expect(Object.keys(await standing())).toHaveLength(2);
    await takeBack();
  });

  test('a name that leads elsewhere stays as long as where it leads to', async () => {
    await app.crash(['gone()', 'a()']);
    await app.analyse();
    await change('gone()');
    await pruneCounters(sql, 400);
    expect(await standing()).toMatchObject({ 'gone()': { alias: 'a()' } });
    for (const table of [
      'crashes',
      'stack_counts',
      'stack_builds',
      'stack_platforms',
      'stack_machines',
      'guilty_machines',
      'guilty_machine_counts',
    ])
      await sql`delete from ${sql(table)}`;
    await pruneCounters(sql, 400);
    await pruneCounters(sql, 400);
    expect(await standing()).toEqual({});
    await takeBack();
  });
});
