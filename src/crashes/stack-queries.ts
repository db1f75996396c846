import type { Queryable } from '../db/connect.ts';
import { firstDay, inScope, receivedInWindow, type Scope, today } from '../time/scope.ts';
import type { GuiltyRow } from './queries.ts';
import type { StackFrame, StoredVerdict } from './stack.ts';

export interface DecidedStack {
  id: number;
  frames: StackFrame[];
  verdict: StoredVerdict;
  listVersion: number;
  decidedAt: Date;
}

interface StackRow extends DecidedStack {
  records: number;
  machines: number;
  /** Null where its records are gone. */
  newest: { id: number; receivedAt: Date } | null;
  signals: { signal: string; records: number }[];
  programs: { program: string; records: number }[];
}

const STACK_SAMPLE = 500;

/**
 * The stacks of a guilty in a window, most records first, of one machine or build where given. Signals and programs are
 * counted over the newest 500 records of each in it.
 */
export async function guiltyStacks(
  sql: Queryable,
  id: number,
  { limit, offset, ...filter }: StackFilter & { limit: number; offset: number },
): Promise<StackRow[]> {
  const rows = await sql<(Omit<StackRow, 'newest'> & { newestId: number | null; newestAt: Date | null })[]>`
    with counted as (
      ${countedStacks(sql, id, filter)} order by 2 desc, 1 limit ${limit} offset ${offset}
    )
    select s.id, s.frames, s.verdict, s.list_version as "listVersion", s.decided_at as "decidedAt", counted.records,
           (select count(distinct nullif(c.machine_id, '')) from stack_machines c
             where c.stack_id = s.id and c.last_day > ${today(sql)} - ${filter.days}::int and ${matches(sql, filter)}) as machines,
           newest.id as "newestId", newest.received_at as "newestAt", newest.signals, newest.programs
      from counted
      join stacks s on s.id = counted.stack_id
      left join lateral (
             with sample as (
               select id, received_at, signal, program from crashes c
                where stack_id = s.id and ${receivedInWindow(sql, filter)} and ${matches(sql, filter)}
                order by id desc limit ${STACK_SAMPLE}
             )
             select (select max(id) from sample) as id, (select max(received_at) from sample) as received_at,
                    (select coalesce(jsonb_agg(jsonb_build_object('signal', signal::text, 'records', n) order by n desc), '[]')
                       from (select signal, count(*) as n from sample where signal is not null group by 1) by_signal) as signals,
                    (select coalesce(jsonb_agg(jsonb_build_object('program', program, 'records', n) order by n desc), '[]')
                       from (select program, count(*) as n from sample where program is not null group by 1) by_program) as programs
           ) newest on true
     order by counted.records desc, s.id`;
  return rows.map(({ newestId, newestAt, ...row }) => ({
    ...row,
    newest: newestId === null ? null : { id: newestId, receivedAt: newestAt! },
  }));
}

interface StackFilter extends Scope {
  machineId?: string | undefined;
  build?: string | undefined;
}

/** stack_id and records. What came from one machine is told by its crashes: the counters of machines know no days. */
function countedStacks(sql: Queryable, id: number, filter: StackFilter) {
  if (filter.machineId !== undefined) {
    return sql`
      select c.stack_id, count(*) as records
        from crashes c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${receivedInWindow(sql, filter)} and ${matches(sql, filter)}
       group by c.stack_id`;
  }
  return sql`
    select c.stack_id, sum(c.records)::bigint as records
      from stack_counts c join stacks s on s.id = c.stack_id
     where s.guilty_id = ${id} and c.day >= ${firstDay(sql, filter)} and ${matches(sql, filter)}
     group by c.stack_id`;
}

/** Conditions on crashes, or on a counter table, called c. */
function matches(sql: Queryable, { machineId, build, ...scope }: StackFilter) {
  return sql`
    ${inScope(sql, scope)}
    and ${machineId === undefined ? sql`true` : sql`c.machine_id = ${machineId}`}
    and ${build === undefined ? sql`true` : sql`c.build = ${build}`}`;
}

export async function countStacks(sql: Queryable, id: number, filter: StackFilter) {
  const [row] = await sql<{ stacks: number; records: number }[]>`
    select count(*) as stacks, coalesce(sum(records), 0)::bigint as records from (${countedStacks(sql, id, filter)}) counted`;
  return row!;
}

/** The stack of one crash record and its guilty. */
export async function stackOfRecord(sql: Queryable, record: { id: number; machineId: string; receivedAt: Date }) {
  const [row] = await sql<(DecidedStack & { guilty: GuiltyRow | null })[]>`
    select s.id, s.frames, s.verdict, s.list_version as "listVersion", s.decided_at as "decidedAt",
           case when g.id is not null then
             jsonb_build_object('id', g.id, 'function', g.function, 'module', g.module, 'comment', g.comment, 'hidden', g.hidden_at is not null)
           end as guilty
      from crashes c
      join stacks s on s.id = c.stack_id
      left join guilties g on g.id = s.guilty_id
     where c.machine_id = ${record.machineId} and c.received_at = ${record.receivedAt} and c.id = ${record.id}`;
  return row;
}
