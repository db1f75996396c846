import { afterEach, expect, test } from 'bun:test';
import { analyseBatch } from '../../src/crashes/analyse.ts';
import { createDemangler } from '../../src/crashes/demangle/demangle.ts';
import { recomputeSlice } from '../../src/crashes/recompute.ts';
import { LOOKUPS_BY_INDEX, type Sql } from '../../src/db/connect.ts';
import { migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migrations.ts';
import { newGuilties } from '../../src/overview/queries.ts';
import { quietLog, type TestDatabase, testDatabase } from '../database.ts';
import { miscounted } from './crash-app.ts';

let database: TestDatabase | undefined;
afterEach(() => database?.close());

/** A crash as the version before had analysed it. */
interface OldCrash {
  payload: string;
  /** With `written`, where a name was demangled. */
  frames: { function: string; module: string; written?: string }[];
  guilty: string | null;
  machine: string;
  daysAgo: number;
  comment?: string;
}

const oops = (reason: string) => `Crash Report:\nReason: ${reason}\nKernel Version : 6.6.13\n`;
const user = (...frames: string[]) => `Process: app\nPID: 1\nSignal: 6\n\nBacktrace (TID 1):\n${frames.join('\n')}\n`;
const HUB = 'WARNING: CPU: 0 PID: 99 at drivers/usb/core/hub.c:1234 hub_port_reset+0x4a/0x5b0 [usbcore]';
const FREED = 'BUG: KASAN: slab-use-after-free in sk_demo+0x91/0x260';

const FRAMELESS: OldCrash[] = [
  { payload: oops(HUB), frames: [], guilty: null, machine: 'a', daysAgo: 3 },
  { payload: oops(HUB.replaceAll('99', '7')), frames: [], guilty: null, machine: 'a', daysAgo: 0 },
  { payload: oops(HUB), frames: [], guilty: null, machine: 'b', daysAgo: 0 },
  { payload: oops(FREED), frames: [], guilty: null, machine: 'b', daysAgo: 0 },
  { payload: oops('irq 16: nobody cared'), frames: [], guilty: null, machine: 'b', daysAgo: 1 },
  { payload: 'Process: app\nno backtrace\n', frames: [], guilty: null, machine: 'a', daysAgo: 0 },
];
const NAMED_OTHERWISE: OldCrash[] = ['0123456789abcdef', 'fedcba9876543210'].map((hash, n) => ({
  payload: user(`#0 _ZN3app4scan17h${hash}E() - [/bin/app]`),
  frames: [{ function: `app::scan::h${hash}`, module: '/bin/app', written: `_ZN3app4scan17h${hash}E()` }],
  guilty: `app::scan::h${hash}`,
  machine: 'ab'[n]!,
  daysAgo: n,
  comment: n === 0 ? 'known' : '',
}));
const STARTED: OldCrash = {
  payload: user('#0 ??? - [/bin/app]', '#1 start_thread() - [libc.so.6]'),
  frames: [
    { function: '???', module: '/bin/app' },
    { function: 'start_thread()', module: 'libc.so.6' },
  ],
  guilty: 'start_thread()',
  machine: 'a',
  daysAgo: 0,
};

async function insertOld(sql: Sql, crashes: OldCrash[]) {
  for (const { payload, frames, guilty, machine, daysAgo, comment = '' } of crashes) {
    const whole = frames.map((frame, number) => ({
      number,
      ...frame,
      unknown: frame.function === '???',
      unreliable: false,
    }));
    const blamed = frames.find(frame => frame.function === guilty);
    await sql`
      with guilty as (
        insert into guilties (function, module, comment)
        select ${guilty}::text, ${blamed?.module ?? ''}::text, ${comment} where ${guilty !== null}
        returning id
      ), stack as (
        insert into stacks (hash, frames, guilty_id, verdict, list_version, decided_at)
        values (md5(${JSON.stringify(whole)})::uuid, ${JSON.stringify(whole)}::text::jsonb, (select id from guilty),
                '{"frame": 0, "steps": [{"frame": 0, "outcome": "chosen"}], "rule": "first known frame"}', 1, now())
            on conflict (hash) do update set list_version = 1
        returning id
      ), record as (
        insert into records (received_at, machine_id, fleet_id, external, severity, record_format_version, classification, system_name,
                             build, arch, kernel_version, host_type, captured_at, payload)
        values (date_trunc('milliseconds', now()) - make_interval(days => ${daysAgo}), ${machine}, 1, false, 3, 4,
                'org.clearlinux/kernel/warning', 'os', '1', 'x86_64', '6.6', '', now(), ${payload})
        returning *
      )
      insert into crashes (machine_id, received_at, id, stack_id, fleet_id, system_name, build, reason)
      select machine_id, received_at, record.id, stack.id, 1, 'os', '1', ${/Reason: (.*)/.exec(payload)?.[1] ?? null}
        from record, stack`;
  }
  const day = sql`(received_at at time zone 'UTC')::date`;
  await sql`
    insert into stack_counts (day, stack_id, fleet_id, external, system_name, build, records)
    select ${day}, stack_id, 1, false, 'os', '1', count(*) from crashes group by 1, 2`;
  await sql`
    insert into stack_platforms (day, stack_id, fleet_id, external, system_name, host_type, records)
    select ${day}, stack_id, 1, false, 'os', '', count(*) from crashes group by 1, 2`;
  await sql`
    insert into stack_builds (stack_id, fleet_id, system_name, build, first_day, last_day)
    select stack_id, 1, 'os', '1', min(${day}), max(${day}) from crashes group by 1`;
  await sql`
    insert into stack_machines (stack_id, machine_id, fleet_id, external, system_name, build, records, last_day)
    select stack_id, machine_id, 1, false, 'os', '1', count(*), max(${day}) from crashes group by 1, 2`;
  await sql`
    insert into guilty_machines (guilty_id, machine_id, fleet_id, external, system_name, last_day)
    select guilty_id, machine_id, 1, false, 'os', max(last_day)
      from stack_machines m join stacks s on s.id = m.stack_id where guilty_id is not null group by 1, 2`;
  await sql`
    insert into guilty_machine_counts (guilty_id, last_day, fleet_id, external, system_name, machines)
    select guilty_id, last_day, 1, false, 'os', count(*) from guilty_machines group by 1, 2`;
}

async function upgraded(crashes: OldCrash[], before: (sql: Sql) => Promise<unknown> = async () => {}) {
  database = await testDatabase({ migrated: false });
  const writer = database.client('migrate', { connections: 1, settings: LOOKUPS_BY_INDEX });
  await migrate(
    writer,
    quietLog,
    MIGRATIONS.filter(({ number }) => number < 28),
  );
  await insertOld(writer, crashes);
  await before(writer);
  await migrate(writer, quietLog);
  return writer;
}

async function goOn(sql: Sql) {
  const demangler = createDemangler();
  while ((await analyseBatch(sql, demangler)) > 0);
  while (await recomputeSlice(sql));
  await demangler.close();
}

const guiltyOfEach = async (sql: Sql) =>
  [
    ...(await sql<{ name: string | null; records: number; stacks: number; comment: string | null }[]>`
      select g.function || ' [' || g.module || ']' as name, g.comment, count(*) as records, count(distinct s.id) as stacks
        from crashes c join stacks s on s.id = c.stack_id left join guilties g on g.id = s.guilty_id
       group by 1, 2 order by 1`),
  ].map(({ name, records, stacks, comment }) => [name, records, stacks, comment]);

test('reports without frames are analysed again, all other stacks decided again, and nothing old is new', async () => {
  const sql = await upgraded([...FRAMELESS, ...NAMED_OTHERWISE, STARTED]);
  expect((await sql`select from work_queue where kind = 'crash'`).count).toBe(FRAMELESS.length);
  expect((await sql`select from crashes`).count).toBe(3);
  expect(await miscounted(sql)).toEqual({});
  await goOn(sql);
  expect(await guiltyOfEach(sql)).toEqual([
    ['??? [/bin/app]', 1, 1, ''],
    ['??? [kernel]', 1, 1, ''],
    ['app::scan [/bin/app]', 2, 2, 'known'],
    ['hub_port_reset [usbcore]', 3, 1, ''],
    ['sk_demo [kernel]', 1, 1, ''],
    [null, 1, 1, null],
  ]);
  expect(await miscounted(sql)).toEqual({});
  // The first report of sk_demo and of no function came today or yesterday; the others were there before.
  const fresh = (await newGuilties(sql, 10)).map(row => row.function).sort();
  expect(fresh).toEqual(['???', 'sk_demo']);
  const [{ version } = {}] = await sql`select version from never_guilty_version`;
  expect(version).toBe(2);
  expect(await sql`select from stacks where list_version <> ${version}`).toHaveLength(0);
});

test('what records that are gone were counted as stays', async () => {
  const sql = await upgraded(FRAMELESS, async old => {
    await old`delete from records where machine_id = 'a'`;
    await old`delete from crashes where machine_id = 'a'`;
  });
  await goOn(sql);
  const [row] = await sql`
    select (select sum(records)::int from stack_counts) as counted, (select count(*)::int from crashes) as crashes,
           (select sum(records)::int from stack_machines where machine_id = 'a') as gone,
           (select count(*)::int from stack_machines where machine_id = 'b' and records <= 0) as empty`;
  expect(row).toEqual({ counted: 6, crashes: 3, gone: 3, empty: 0 });
});

test('an entry of the list that was removed stays away; what analysts added themselves stays theirs, and once', async () => {
  const sql = await upgraded([], async old => {
    await old`delete from never_guilty where function = 'dump_stack' and module = 'kernel'`;
    await old`insert into never_guilty (function, module) values ('kthread', 'kernel'), ('mine()', 'm')`;
  });
  const entries = await sql`
    select function, built_in from never_guilty where function in ('dump_stack', 'kthread', 'mine()') order by function`;
  expect([...entries]).toEqual([
    { function: 'kthread', built_in: false },
    { function: 'mine()', built_in: false },
  ]);
  expect(await sql`select from recomputations`).toHaveLength(0);
});
