import { createDemangler } from '../../src/crashes/demangle/demangle.ts';
import { recomputeSlice } from '../../src/crashes/recompute.ts';
import type { Queryable, Sql } from '../../src/db/connect.ts';
import { post, type TestApp, testApp } from '../app.ts';
import { analyseBatch } from './analyse-batch.ts';

export const CRASH = 'org.clearlinux/crash/clr';

export interface CrashApp extends TestApp {
  sql: Sql;
  /** Posts a crash with these frames; returns its record's id. */
  crash(frames: string[], changes?: Record<string, string>, program?: string): Promise<number>;
  /** Analyses until nothing waits, as the worker does. */
  analyse(): Promise<void>;
  /** One batch; returns how many records were claimed. */
  analyseOnce(sql?: Sql): Promise<number>;
  /** Recomputes until nothing is left to do. */
  recompute(): Promise<void>;
}

/** The application on its own database, with an analysis that runs when the test asks for it. */
export async function crashApp(env: Record<string, string> = {}): Promise<CrashApp> {
  const app = await testApp(env);
  const demangler = createDemangler();
  const { sql } = app.database;
  const analyseOnce = (on = sql) => analyseBatch(on, demangler);
  return {
    ...app,
    sql,
    async crash(frames, changes = {}, program) {
      const { status, json } = await post(app.app, crashHeaders(changes), backtrace(frames, program));
      if (status !== 201) throw new Error(`refused with ${status}: ${JSON.stringify(json)}`);
      return json.id;
    },
    analyseOnce,
    async analyse() {
      while ((await analyseOnce()) > 0);
    },
    async recompute() {
      while (await recomputeSlice(sql));
    },
    async close() {
      await demangler.close();
      await app.close();
    },
  };
}

let events = 0;

export function crashHeaders(changes: Record<string, string | undefined> = {}) {
  return { classification: CRASH, severity: '3', event_id: (++events).toString(16).padStart(32, '0'), ...changes };
}

/** A payload of the crash probe. Frames are numbered, and get a module if they name none. */
export function backtrace(frames: string[], program = '/usr/bin/app', signal = 11) {
  const lines = frames.map((frame, n) => `#${n} ${frame.includes(' - [') ? frame : `${frame} - [/usr/bin/app]`}`);
  return [`Process: ${program}`, 'PID: 512', `Signal: ${signal}`, '', 'Backtrace (TID 512):', ...lines, ''].join('\n');
}

const DERIVED = (sql: Queryable) => ({
  stack_counts: [
    sql`select day, stack_id, fleet_id, external, system_name, build, records from stack_counts`,
    sql`select (c.received_at at time zone 'UTC')::date, stack_id, r.fleet_id, external, r.system_name, r.build, count(*)
          from crashes c join records r using (machine_id, received_at, id) group by 1, 2, 3, 4, 5, 6`,
  ],
  stack_builds: [
    sql`select stack_id, fleet_id, system_name, build, first_day, last_day from stack_builds`,
    sql`select stack_id, r.fleet_id, r.system_name, r.build, min((c.received_at at time zone 'UTC')::date), max((c.received_at at time zone 'UTC')::date)
          from crashes c join records r using (machine_id, received_at, id) group by 1, 2, 3, 4`,
  ],
  stack_platforms: [
    sql`select day, stack_id, fleet_id, external, system_name, host_type, records from stack_platforms`,
    sql`select (c.received_at at time zone 'UTC')::date, stack_id, r.fleet_id, external, r.system_name, host_type, count(*)
          from crashes c join records r using (machine_id, received_at, id) group by 1, 2, 3, 4, 5, 6`,
  ],
  stack_machines: [
    sql`select stack_id, machine_id, fleet_id, external, system_name, build, records, first_day, last_day from stack_machines`,
    sql`select stack_id, machine_id, r.fleet_id, external, r.system_name, r.build, count(*), min((c.received_at at time zone 'UTC')::date),
               max((c.received_at at time zone 'UTC')::date)
          from crashes c join records r using (machine_id, received_at, id) group by 1, 2, 3, 4, 5, 6`,
  ],
  guilty_machines: [
    sql`select guilty_id, machine_id, fleet_id, external, system_name, last_day from guilty_machines`,
    sql`select guilty_id, machine_id, r.fleet_id, external, r.system_name, max((c.received_at at time zone 'UTC')::date)
          from crashes c join records r using (machine_id, received_at, id) join stacks s on s.id = stack_id
         where guilty_id is not null group by 1, 2, 3, 4, 5`,
  ],
  guilty_machine_counts: [
    sql`select last_day, guilty_id, fleet_id, external, system_name, machines, exposed from guilty_machine_counts where machines <> 0`,
    sql`select last_day, guilty_id, fleet_id, external, system_name, count(*),
               count(*) filter (where exists (
                 select from records r
                  where r.machine_id = g.machine_id and r.classification like '%/heartbeat/ping'
                    and ((r.received_at at time zone 'UTC')::date - date '1970-01-01') / 3 = (g.last_day - date '1970-01-01') / 3))
          from guilty_machines g where machine_id <> '' group by 1, 2, 3, 4, 5`,
  ],
  crashes: [
    sql`select id, fleet_id, system_name, build from crashes`,
    sql`select id, r.fleet_id, r.system_name, r.build from crashes c join records r using (machine_id, received_at, id)`,
  ],
});

/** Rows of each derived table that differ from the analysed records; none if all is well. */
export async function miscounted(sql: Sql) {
  const wrong: Record<string, number> = {};
  for (const [table, [kept, derived]] of Object.entries(DERIVED(sql))) {
    const [row] = await sql<{ differences: number }[]>`
      with kept as (${kept!}), derived as (${derived!})
      select (select count(*) from (select * from kept except all select * from derived) surplus)
           + (select count(*) from (select * from derived except all select * from kept) missing) as differences`;
    if (row!.differences > 0) wrong[table] = row!.differences;
  }
  return wrong;
}
