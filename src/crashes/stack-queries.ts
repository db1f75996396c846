import type { Queryable } from '../db/connect.ts';
import { inScope, inWindow, receivedInWindow, type Scope, today } from '../scope.ts';
import type { GuiltyRow } from './queries.ts';
import type { StackFrame, StoredVerdict } from './stack.ts';

export interface DecidedStack {
  id: number;
  frames: StackFrame[];
  verdict: StoredVerdict;
  listVersion: number;
  decidedAt: Date;
}

export interface StackRow extends DecidedStack {
  records: number;
  machines: number;
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
  const { machineId } = filter;
  const rows = await sql<(Omit<StackRow, 'newest'> & { newestId: number | null; newestAt: Date | null })[]>`
    with counted as (
      ${countedStacks(sql, id, filter)} order by 2 desc, 1 limit ${limit} offset ${offset}
    )
    select s.id, s.frames, s.verdict, s.list_version as "listVersion", s.decided_at as "decidedAt", counted.records,
           (select count(distinct c.machine_id) from stack_machines c
             where c.stack_id = s.id and ${machinesInScope(sql, filter)}) as machines,
           newest.id as "newestId", newest.received_at as "newestAt", newest.signals, newest.programs
      from counted
      join stacks s on s.id = counted.stack_id
      left join lateral (
             with sample as (
               select id, received_at, signal, program from crashes c
                where stack_id = s.id and ${receivedInWindow(sql, filter)} and ${inScope(sql, filter)} and ${machineId === undefined ? sql`true` : sql`machine_id = ${machineId}`}
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

export interface StackFilter extends Scope {
  machineId?: string | undefined;
  build?: string | undefined;
}

/** stack_id and records. What one machine reported is known in all, not by day. */
function countedStacks(sql: Queryable, id: number, filter: StackFilter) {
  const { machineId, build } = filter;
  if (machineId !== undefined) {
    return sql`
      select c.stack_id, sum(c.records)::bigint as records
        from stack_machines c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${machinesInScope(sql, filter)}
       group by c.stack_id`;
  }
  return sql`
    select c.stack_id, sum(c.records)::bigint as records
      from stack_counts c join stacks s on s.id = c.stack_id
     where s.guilty_id = ${id} and ${inWindow(sql, filter)}
       and ${build === undefined ? sql`true` : sql`c.build = ${build}`}
     group by c.stack_id`;
}

function machinesInScope(sql: Queryable, filter: StackFilter) {
  const { machineId, build, days } = filter;
  return sql`
    c.last_day > ${today(sql)} - ${days}::int and ${inScope(sql, filter)}
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
