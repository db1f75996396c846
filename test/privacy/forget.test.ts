import { afterAll, beforeAll, expect, test } from 'bun:test';
import { countedClassifications } from '../../src/counters/classifications.ts';
import { countMachinesOfDays, rebuildCounters, rebuildMachineCounts } from '../../src/counters/count.ts';
import type { Sql } from '../../src/db/connect.ts';
import { tableNames } from '../../src/db/tables.ts';
import { findTraces, forgetMachine, isUnknownMachine } from '../../src/privacy/forget.ts';
import { purge } from '../../src/retention/purge.ts';
import { getJson, getPage, OTHER_TID, post } from '../app.ts';
import { type CrashApp, crashApp } from '../crashes/crash-app.ts';
import { quietLog } from '../database.ts';
import { passDays } from '../time.ts';

const GONE = 'gone0123456789abcdef0123456789ab';
const OTHER = 'other123456789abcdef0123456789ab';
const THIRD = 'third123456789abcdef0123456789ab';

let server: CrashApp;
/** The same, but for what the machine sends that is forgotten in the other. */
let without: CrashApp;
beforeAll(async () => {
  [server, without] = await Promise.all([crashApp(), crashApp()]);
});
afterAll(() => Promise.all([server.close(), without.close()]));

const forget = (on = server, machineId = GONE) => forgetMachine(on.sql, machineId, on.config, () => {});

/** Everything that is counted, with names in the place of ids. */
async function counted({ sql }: { sql: Sql }) {
  const tables = [...tableNames('counts'), 'stacks', 'guilties', 'quarantine'];
  const found: Record<string, unknown[]> = {};
  for (const table of tables) {
    const rows = await sql<{ row: Record<string, unknown> }[]>`select to_jsonb(t) as row from ${sql(table)} t`;
    found[table] = rows.map(({ row }) => row);
  }
  const names = new Map<string, string>([
    ...found.stacks!.map(row => [`stack_id ${(row as { id: number }).id}`, (row as { hash: string }).hash] as const),
    ...found.guilties!.map(
      row => [`guilty_id ${(row as { id: number }).id}`, (row as { function: string }).function] as const,
    ),
  ]);
  const changing = new Set(['id', 'decided_at', 'first_at', 'last_at', 'fingerprint', 'headers']);
  for (const table of tables) {
    found[table] = found[table]!.map(row => Object.entries(row as object).filter(([column]) => !changing.has(column)))
      .map(row => JSON.stringify(row.map(([column, value]) => [column, names.get(`${column} ${value}`) ?? value])))
      .filter(row => !row.includes('["machines",0]'))
      .sort();
  }
  return found;
}

/** Derives everything that is counted of records from them again. */
async function rebuild({ sql, config }: CrashApp) {
  const days = await sql<{ day: string }[]>`select day::text from record_days where first_id <= last_id order by day`;
  for (const { day } of days) {
    await sql.begin(async tx => {
      await rebuildCounters(tx, day, config);
      await countMachinesOfDays(tx, day, day);
    });
  }
  await sql.begin(rebuildMachineCounts);
}

async function tablesOfMachines(sql: Sql): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select c.relname as name
      from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attname = 'machine_id'
     order by 1`;
  return tables.map(({ name }) => name);
}

async function tablesThatHold(sql: Sql, machineId: string): Promise<string[]> {
  const held: string[] = [];
  for (const table of await tablesOfMachines(sql))
    if ((await sql`select from ${sql(table)} where machine_id = ${machineId} limit 1`).length > 0) held.push(table);
  return held;
}

let events = 0;

/** A bit of everything on one day. */
async function report(on: CrashApp, machine_id: string, build: string) {
  const headers = (changes: Record<string, string | undefined>) => ({
    machine_id,
    build,
    event_id: (++events).toString(16).padStart(32, '0'),
    ...changes,
  });
  await post(on.app, headers({}));
  await post(on.app, headers({ 'X-Telemetry-TID': OTHER_TID, 'X-CLR-External': 'true', system_name: 'debian' }));
  await post(on.app, headers({ classification: 'org.clearlinux/mce/corrected', cpu_model: `cpu ${build}` }));
  await post(
    on.app,
    headers({ classification: 'org.clearlinux/swupd-client/update' }),
    `swupd\n\ncurrent_version=1\nserver_version=${build}\n`,
  );
  await post(on.app, headers({ severity: '9' }), `refused of ${machine_id}`);
  await post(on.app, headers({ classification: 'org.clearlinux/heartbeat/ping' }));
  await on.crash(['shared_by_all()', 'main()'], headers({ host_type: `vendor|${build}|1` }) as Record<string, string>);
  await on.crash([`only_on_${build}()`], headers({}) as Record<string, string>);
  await on.analyse();
}

test('a forgotten machine is as if it had never reported', async () => {
  for (const day of [1, 2, 3]) {
    for (const on of [server, without]) {
      await report(on, OTHER, String(10 + day));
      if (on === server) await report(on, GONE, String(11 + day));
      await report(on, THIRD, '12');
      await passDays(on.sql, 3);
    }
  }
  await server.crash(['it_alone()'], { machine_id: GONE });
  await server.analyse();
  await server.crash(['still_waiting()'], { machine_id: GONE });

  const places = await tablesOfMachines(server.sql);
  expect(await tablesThatHold(server.sql, GONE)).toEqual(places);
  const traces = await findTraces(server.sql, GONE);
  expect(traces).toMatchObject({
    records: 23,
    crashes: 7,
    ownStacks: 2,
    queued: 1,
    parsed: 11,
    recent: 23,
    machineChecks: 3,
    signals: 10,
    quarantined: 3,
  });
  expect(isUnknownMachine(await forget())).toBe(true);
  expect(await counted(server)).toEqual(await counted(without));
  expect(isUnknownMachine(await findTraces(server.sql, GONE))).toBe(true);
  expect(await tablesThatHold(server.sql, GONE)).toEqual([]);
  const { json } = await getJson(server.app, `/api/records?machine_id=${GONE}`);
  expect(json.records).toEqual([]);
  const { html } = await getPage(server.app, '/telemetryui/crashes');
  expect(html).not.toContain('it_alone');
  // Nothing to do the second time, and counting again changes nothing.
  await forget();
  await rebuild(server);
  expect(await counted(server)).toEqual(await counted(without));
});

test('a machine that reports again begins anew', async () => {
  const sent = { machine_id: GONE, event_id: 'a'.repeat(32) };
  const first = await post(server.app, sent);
  await forget();
  const again = await post(server.app, sent);
  expect(again.json.id).toBeGreaterThan(first.json.id);
  await forget();
});

test('what comes between the last of its records and its traces is still analysed and known when it comes again', async () => {
  const headers = { machine_id: GONE, event_id: 'b'.repeat(32) };
  const first = await server.crash(['between()', 'main()'], headers);
  await server.sql`select forget_traces(${GONE})`;
  const again = await server.crash(['between()', 'main()'], headers);
  expect(again).toEqual(first);
  await server.analyse();
  expect(await findTraces(server.sql, GONE)).toMatchObject({ records: 1, crashes: 1, recent: 1, lastSeen: 2 });
  expect(isUnknownMachine(await forget())).toBe(true);
});

test('after each slice the counters are those of what is left, however it is interrupted', async () => {
  await report(server, GONE, '13');
  await report(server, GONE, '14');
  const today = new Date().toISOString().slice(0, 10);
  for (const slice of [1, 2, 4, 3]) {
    await server.sql`select forget_records(${GONE}, ${today}::date, ${slice}, ${countedClassifications(server.sql, server.config)})`;
    const { machine_check_machines: _, ...after } = await counted(server);
    await rebuild(server);
    const { machine_check_machines: __, ...rebuilt } = await counted(server);
    expect(after).toEqual(rebuilt);
  }
  await forget();
  expect(await counted(server)).toEqual(await counted(without));
});

test('records are taken and analysed meanwhile', async () => {
  const others = Array.from({ length: 40 }, (_, n) => `busy${n % 8}`);
  for (let n = 0; n < 5; n++) await report(server, GONE, String(20 + n));
  const posting = (async () => {
    for (const machine of others) {
      const answer = await post(server.app, {
        machine_id: machine,
        event_id: (++events).toString(16).padStart(32, '0'),
      });
      expect(answer.status).toBe(201);
      await server.crash(['shared_by_all()', 'main()'], { machine_id: machine });
      await server.analyse();
    }
  })();
  expect(isUnknownMachine(await forget())).toBe(true);
  await posting;
  for (const machine of new Set(others)) expect(isUnknownMachine(await forget(server, machine))).toBe(true);
  expect(await counted(server)).toEqual(await counted(without));
});

test('a machine whose records retention has taken is forgotten, too', async () => {
  await report(server, GONE, '15');
  await passDays(server.sql, 42);
  await purge(server.database.client('purge'), server.config, quietLog);
  expect(await findTraces(server.sql, GONE)).toMatchObject({ records: 0, machineChecks: 1 });
  expect(isUnknownMachine(await forget())).toBe(true);
});
