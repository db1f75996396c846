import type { Actor } from '../audit/audit.ts';
import type { Fragment, Queryable, Sql } from '../db/connect.ts';
import { isConnectionFailure, isRetryable } from '../db/sqlstates.ts';
import { dropAliases, settleAliases } from './aliases.ts';
import { chooseGuilty } from './guilty.ts';
import type { FrameName } from './names.ts';
import {
  changeList,
  createListReader,
  entriesById,
  type ListChange,
  listAfter,
  type NeverGuiltyList,
  type ReadList,
} from './never-guilty-list.ts';
import { frameKey, type LookUp } from './never-guilty-matcher.ts';
import { frameKeys, type StackFrame, type StackVerdict } from './stack.ts';
import { insertGuilties, isExposed, shareExposure, withoutGuilty } from './store.ts';

interface StoredStack {
  id: number;
  frames: StackFrame[];
  guiltyId: number | null;
}

const SLICE = 200;

/** For the audit. */
export const RECOMPUTED = { action: 'asked for a recomputation', subject: 'all backtraces' };

/** Decides one stack again, now. */
export async function recomputeStack(sql: Sql, stackId: number) {
  await sql.begin(async tx => {
    const list = await createListReader()(tx);
    const [newest] = await tx<{ id: number }[]>`select coalesce(max(id), 0)::bigint as id from guilties`;
    await decideAgain(tx, await readStacks(tx, tx`id = ${stackId}`), list, newest!.id);
  });
}

/** Changes the list and decides one stack with it at once; the others wait for a recomputation. */
export async function applyChange(sql: Sql, change: ListChange, stackId: number, actor: Actor) {
  await sql.begin(tx => changeList(tx, change, actor));
  await recomputeStack(sql, stackId);
}

/**
 * Changes the list and asks for all stacks to be decided again, both or neither. Also where the list stays as it is but
 * some stacks were decided with an older one; undefined where there is nothing to do.
 */
export async function submitChange(sql: Sql, change: ListChange, actor: Actor) {
  return sql.begin(async tx => {
    const changed = await changeList(tx, change, actor);
    const [stale] = await tx`select from stacks where ${isStale(tx)} limit 1`;
    return changed || stale ? { changed, id: await requestRecomputation(tx) } : undefined;
  });
}

function isStale(sql: Queryable) {
  return sql`list_version < (select version from never_guilty_version)`;
}

/** Asks for all stacks to be decided again in the background; one that waits already covers this, too. Returns its id. */
export async function requestRecomputation(sql: Queryable): Promise<number> {
  const [waiting] = await sql<{ id: number }[]>`
    select id from recomputations where finished_at is null and last_stack_id = 0 order by id desc limit 1`;
  if (waiting) return waiting.id;
  const [row] = await sql<{ id: number }[]>`
    insert into recomputations (total, newest_guilty)
    select (select count(*) from stacks), (select coalesce(max(id), 0) from guilties)
    returning id`;
  return row!.id;
}

export interface Recomputation {
  id: number;
  requestedAt: Date;
  finishedAt: Date | null;
  total: number;
  done: number;
  moved: number;
  error: string | null;
}

export async function findRecomputation(sql: Queryable, id?: number): Promise<Recomputation | undefined> {
  const [row] = await sql<Recomputation[]>`
    select id, requested_at as "requestedAt", finished_at as "finishedAt", total, done, moved, error
      from recomputations where ${id === undefined ? sql`true` : sql`id = ${id}`} order by id desc limit 1`;
  return row;
}

/** Works on one slice of a recomputation that nobody else works on; one that fails is stopped with the error. Returns whether there was one. */
export async function recomputeSlice(sql: Sql, readList: ReadList = createListReader()): Promise<boolean> {
  let jobId: number | undefined;
  try {
    return await sql.begin(async tx => {
      const [job] = await tx<{ id: number; lastStackId: number; newestGuilty: number }[]>`
        select id, last_stack_id as "lastStackId", newest_guilty as "newestGuilty" from recomputations
         where finished_at is null order by id limit 1 for update skip locked`;
      if (!job) return false;
      jobId = job.id;
      const list = await readList(tx);
      const stacks = await readStacks(tx, tx`id > ${job.lastStackId}`);
      const moved = await decideAgain(tx, stacks, list, job.newestGuilty);
      await tx`
        update recomputations
           set done = done + ${stacks.length}, moved = moved + ${moved}, last_stack_id = ${stacks.at(-1)?.id ?? job.lastStackId},
               total = greatest(total, done + ${stacks.length}), finished_at = ${stacks.length < SLICE ? tx`now()` : null}
         where id = ${job.id}`;
      return true;
    });
  } catch (error) {
    const { message } = error as Error;
    if (jobId === undefined || isConnectionFailure(error) || isRetryable(error)) throw error;
    await sql`update recomputations set finished_at = now(), error = ${message.slice(0, 1000)} where id = ${jobId}`;
    return true;
  }
}

function readStacks(tx: Queryable, which: Fragment) {
  return tx<StoredStack[]>`
    select id, frames, guilty_id as "guiltyId" from stacks where ${which} order by id limit ${SLICE} for update`;
}

/** Writes new verdicts, and moves the machines of the guilties that lost or won stacks; returns how many records moved. */
async function decideAgain(
  tx: Queryable,
  stacks: readonly StoredStack[],
  list: NeverGuiltyList,
  newestGuilty: number,
): Promise<number> {
  if (stacks.length === 0) return 0;
  const decided = stacks.map(stack => ({ stack, verdict: chooseGuilty(stack.frames, list.lookUp) as StackVerdict }));
  await insertGuilties(tx, decided);
  const rows = decided.map(({ stack, verdict }) => ({
    id: stack.id,
    frame_keys: frameKeys(stack.frames, list.lookUp),
    verdict: withoutGuilty(verdict),
    function: verdict.guilty?.function ?? null,
    module: verdict.guilty?.module ?? null,
  }));
  const updated = await tx<{ id: number; previous: number | null; current: number | null }[]>`
    with decided as (
      select came.id, came.verdict, came.frame_keys, g.id as guilty_id, known.guilty_id as previous
        from json_to_recordset(${JSON.stringify(rows)}::text::json)
             as came (id bigint, verdict jsonb, frame_keys integer[], function text, module text)
        join stacks known on known.id = came.id
        left join guilties g on md5(g.function || E'\n' || g.module) = md5(came.function || E'\n' || came.module)
    )
    update stacks
       set guilty_id = decided.guilty_id, verdict = decided.verdict, frame_keys = decided.frame_keys,
           moved_from = case when decided.guilty_id = decided.previous then moved_from else decided.previous end,
           list_version = ${list.version}, decided_at = now()
      from decided where stacks.id = decided.id
    returning stacks.id, decided.previous, stacks.guilty_id as current`;
  const moves = updated.filter(({ previous, current }) => previous !== current);
  const lost = distinctIds(moves.map(({ previous }) => previous));
  const won = distinctIds(moves.map(({ current }) => current));
  if (moves.length > 0) {
    await rebuildGuiltyMachines(tx, distinctIds([...lost, ...won]));
    const returned = await dropAliases(tx, won);
    await settleAliases(tx, { lost, returned, newestBefore: newestGuilty });
  }
  return countRecordsOf(
    tx,
    moves.map(move => move.id),
  );
}

function distinctIds(ids: (number | null)[]): number[] {
  return [...new Set(ids)].filter(id => id !== null);
}

async function countRecordsOf(tx: Queryable, stackIds: number[]): Promise<number> {
  const [row] = await tx<{ records: number }[]>`
    select coalesce(sum(records), 0)::bigint as records from stack_counts where stack_id = any(${stackIds}::bigint[])`;
  return row!.records;
}

/** Derives the machines of guilties from those of their stacks. */
async function rebuildGuiltyMachines(tx: Queryable, guiltyIds: number[]) {
  // Analysis under way is waited for; what comes later finds the stacks with their new guilties.
  await shareExposure(tx);
  await tx`lock table guilty_machines in exclusive mode`;
  await tx`delete from guilty_machine_counts where guilty_id = any(${guiltyIds}::bigint[])`;
  await tx`delete from guilty_machines where guilty_id = any(${guiltyIds}::bigint[])`;
  await tx`
    insert into guilty_machines (guilty_id, machine_id, system_name, fleet_id, external, last_day, exposed)
    select s.guilty_id, m.machine_id, m.system_name, m.fleet_id, m.external, max(m.last_day),
           ${isExposed(tx, tx`m.machine_id`, tx`max(m.last_day)`)}
      from stack_machines m join stacks s on s.id = m.stack_id
     where s.guilty_id = any(${guiltyIds}::bigint[])
     group by 1, 2, 3, 4, 5`;
  await tx`
    insert into guilty_machine_counts (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
    select guilty_id, last_day, system_name, fleet_id, external, sum(machines(machine_id)), count(*) filter (where exposed)
      from guilty_machines where guilty_id = any(${guiltyIds}::bigint[])
     group by 1, 2, 3, 4, 5`;
}

/** A guilty that records move from or to; without an id where it is none yet. */
export type MoveEnd = FrameName & { id: number | null };

/** Records and stacks that a change of the list would move from one guilty to another. */
export interface Move {
  from: MoveEnd | null;
  to: MoveEnd | null;
  stacks: number;
  records: number;
}

const PREVIEW_ROWS = 500;

/**
 * What submitting a change of the list would do, without doing it. Looked at are the stacks that hold a changed frame, or that a
 * pattern to be removed has spoken on, and those that were decided with an older list and not again since.
 */
export async function previewChange(sql: Queryable, change: ListChange): Promise<Move[]> {
  const lookUp = await listAfter(sql, change);
  const removed = await entriesById(sql, change.remove);
  const keys = [...change.add, ...removed.filter(entry => !entry.pattern)].map(frameKey);
  const bySteps = removed
    .filter(entry => entry.pattern)
    .map(({ function: name, module }) => ({ steps: [{ entry: { function: name, module } }] }));
  const stacks = sql<{ frames: StackFrame[]; from: MoveEnd | null; records: number }[]>`
    select s.frames,
           case when g.id is not null then jsonb_build_object('id', g.id, 'function', g.function, 'module', g.module) end as from,
           (select coalesce(sum(records), 0)::bigint from stack_counts c where c.stack_id = s.id) as records
      from stacks s left join guilties g on g.id = s.guilty_id
     where s.id in (
             select id from stacks where frame_keys && ${keys}::integer[]
             union
             select id from stacks
              where verdict @> any(array(select jsonb_array_elements(${JSON.stringify(bySteps)}::text::jsonb)))
             union
             select id from stacks where ${isStale(sql)})`;
  const moves = new Map<string, Move>();
  for await (const rows of stacks.cursor(PREVIEW_ROWS)) for (const row of rows) addMove(moves, row, lookUp);
  const found = [...moves.values()].sort((a, b) => b.records - a.records);
  await identify(
    sql,
    found.flatMap(move => move.to ?? []),
  );
  return found;
}

function addMove(
  moves: Map<string, Move>,
  { frames, from, records }: { frames: StackFrame[]; from: MoveEnd | null; records: number },
  lookUp: LookUp,
) {
  const to = chooseGuilty(frames, lookUp).guilty;
  if (from?.function === to?.function && from?.module === to?.module) return;
  const key = JSON.stringify([from?.id, to]);
  const move = moves.get(key) ?? { from, to: to && { ...to, id: null }, stacks: 0, records: 0 };
  move.stacks++;
  move.records += records;
  moves.set(key, move);
}

/** Fills in the ids of guilties that exist. */
async function identify(sql: Queryable, ends: MoveEnd[]) {
  const known = await sql<{ id: number; function: string; module: string }[]>`
    select g.id, g.function, g.module
      from unnest(${ends.map(end => end.function)}::text[], ${ends.map(end => end.module)}::text[]) as wanted (function, module)
      join guilties g on md5(g.function || E'\n' || g.module) = md5(wanted.function || E'\n' || wanted.module)`;
  const ids = new Map(known.map(row => [`${row.function}\n${row.module}`, row.id]));
  for (const end of ends) end.id = ids.get(`${end.function}\n${end.module}`) ?? null;
}
