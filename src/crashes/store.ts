import type { Fragment, Queryable } from '../db/connect.ts';
import { finishWork } from '../db/work-queue.ts';
import { dropAliases } from './aliases.ts';
import type { StackFrame, StackVerdict } from './stack.ts';

/** A crash record that was analysed, with what is counted of it. */
export interface AnalysedCrash {
  recordId: number;
  machineId: string;
  receivedAt: Date;
  fleetId: number;
  external: boolean;
  systemName: string;
  build: string;
  hostType: string;
  program: string | null;
  pid: number | null;
  signal: number | null;
  reason: string | null;
  stack: AnalysedStack;
}

export interface AnalysedStack {
  /** 32 hexadecimal digits over its frames. */
  hash: string;
  frames: StackFrame[];
  /** See `frameKeys`. */
  frameKeys: number[];
  verdict: StackVerdict;
}

/**
 * Stores analysed crashes and counts them, in the transaction that takes them off the queue: each is counted once, however
 * often it was worked on. Everywhere in key order, so that instances can't deadlock.
 */
export async function storeCrashes(tx: Queryable, crashes: AnalysedCrash[], listVersion: number) {
  const taken = await finishWork(
    tx,
    'crash',
    crashes.map(crash => crash.recordId),
  );
  const stored = crashes.filter(crash => taken.has(crash.recordId));
  if (stored.length === 0) return;
  const stacks = new Map(stored.map(({ stack }) => [stack.hash, stack]));
  await insertGuilties(tx, [...stacks.values()]);
  await dropAliases(tx, await insertStacks(tx, [...stacks.values()], listVersion));
  await insertCrashes(tx, stored);
  await countCrashes(tx, stored);
}

export async function insertGuilties(tx: Queryable, stacks: { verdict: StackVerdict }[]) {
  const guilties = stacks.flatMap(({ verdict }) => (verdict.guilty ? [verdict.guilty] : []));
  await tx`
    insert into guilties (function, module)
    select distinct function, module
      from unnest(${guilties.map(guilty => guilty.function)}::text[], ${guilties.map(guilty => guilty.module)}::text[])
           as came (function, module)
     where not exists (
             select from guilties known
              where md5(known.function || E'\n' || known.module) = md5(came.function || E'\n' || came.module))
     order by 1, 2
        on conflict do nothing`;
}

/** Returns the guilties of those that were not there before. */
async function insertStacks(tx: Queryable, stacks: AnalysedStack[], listVersion: number): Promise<number[]> {
  const rows = stacks.map(({ hash, frames, frameKeys, verdict }) => ({
    hash,
    frames,
    frame_keys: frameKeys,
    verdict: withoutGuilty(verdict),
    function: verdict.guilty?.function ?? null,
    module: verdict.guilty?.module ?? null,
  }));
  const inserted = await tx<{ guiltyId: number | null }[]>`
    insert into stacks (hash, frames, frame_keys, guilty_id, verdict, list_version, decided_at)
    select came.hash::uuid, came.frames, came.frame_keys, g.id, came.verdict, ${listVersion}, now()
      from json_to_recordset(${JSON.stringify(rows)}::text::json)
           as came (hash text, frames jsonb, frame_keys integer[], verdict jsonb, function text, module text)
      left join guilties g on md5(g.function || E'\n' || g.module) = md5(came.function || E'\n' || came.module)
     where not exists (select from stacks known where known.hash = came.hash::uuid)
     order by came.hash
        on conflict (hash) do nothing
    returning guilty_id as "guiltyId"`;
  return [...new Set(inserted.flatMap(({ guiltyId }) => guiltyId ?? []))];
}

/** The guilty is a column of its own. */
export function withoutGuilty({ guilty: _, ...verdict }: StackVerdict) {
  return verdict;
}

async function insertCrashes(tx: Queryable, crashes: AnalysedCrash[]) {
  const rows = crashes.map(
    ({ recordId, machineId, receivedAt, fleetId, systemName, build, program, pid, signal, reason, stack }) => ({
      id: recordId,
      machine_id: machineId,
      received_at: receivedAt,
      hash: stack.hash,
      fleet_id: fleetId,
      system_name: systemName,
      build,
      program,
      pid,
      signal,
      reason,
    }),
  );
  await tx`
    insert into crashes (machine_id, received_at, id, stack_id, fleet_id, system_name, build, program, pid, signal, reason)
    select came.machine_id, came.received_at, came.id, stacks.id, came.fleet_id, came.system_name, came.build, came.program, came.pid,
           came.signal, came.reason
      from json_to_recordset(${JSON.stringify(rows)}::text::json)
           as came (id bigint, machine_id text, received_at timestamptz, hash text, fleet_id smallint, system_name text, build text,
                    program text, pid integer, signal smallint, reason text)
      join stacks on stacks.hash = came.hash::uuid
        on conflict do nothing`;
}

async function countCrashes(tx: Queryable, crashes: AnalysedCrash[]) {
  const rows = crashes.map(crash => ({
    hash: crash.stack.hash,
    machine_id: crash.machineId,
    received_at: crash.receivedAt,
    fleet_id: crash.fleetId,
    external: crash.external,
    system_name: crash.systemName,
    build: crash.build,
    host_type: crash.hostType,
  }));
  const counted = tx`
    counted as materialized (
      select stacks.id as stack_id, stacks.guilty_id, (came.received_at at time zone 'UTC')::date as day, came.machine_id, came.fleet_id,
             came.external, came.system_name, came.build, came.host_type
        from json_to_recordset(${JSON.stringify(rows)}::text::json)
             as came (hash text, machine_id text, received_at timestamptz, fleet_id smallint, external boolean, system_name text,
                      build text, host_type text)
        join stacks on stacks.hash = came.hash::uuid
    )`;
  await tx`
    with ${counted}, days as (
      insert into stack_counts as known (day, stack_id, system_name, build, fleet_id, external, records)
      select day, stack_id, system_name, build, fleet_id, external, count(*)
        from counted group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
          on conflict (day, stack_id, system_name, build, fleet_id, external) do update
         set records = known.records + excluded.records
    ), builds as (
      insert into stack_builds as known (stack_id, system_name, build, fleet_id, first_day, last_day)
      select stack_id, system_name, build, fleet_id, min(day), max(day)
        from counted group by 1, 2, 3, 4 order by 1, 2, 3, 4
          on conflict (stack_id, system_name, build, fleet_id) do update
         set first_day = least(known.first_day, excluded.first_day), last_day = greatest(known.last_day, excluded.last_day)
       where excluded.first_day < known.first_day or excluded.last_day > known.last_day
    ), platforms as (
      insert into stack_platforms as known (day, stack_id, system_name, host_type, fleet_id, external, records)
      select day, stack_id, system_name, host_type, fleet_id, external, count(*)
        from counted group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
          on conflict (stack_id, day, system_name, host_type, fleet_id, external) do update
         set records = known.records + excluded.records
    )
    insert into stack_machines as known (stack_id, machine_id, system_name, build, fleet_id, external, records, first_day, last_day)
    select stack_id, machine_id, system_name, build, fleet_id, external, count(*), min(day), max(day)
      from counted group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
        on conflict (stack_id, machine_id, system_name, build, fleet_id, external) do update
       set records = known.records + excluded.records, first_day = least(known.first_day, excluded.first_day),
           last_day = greatest(known.last_day, excluded.last_day)`;
  await shareExposure(tx);
  const seen = tx`
    ${counted}, seen as materialized (
      select guilty_id, machine_id, system_name, fleet_id, external, max(day) as day
        from counted where guilty_id is not null group by 1, 2, 3, 4, 5
    )`;
  await tx`
    with ${seen}, appeared as (
      insert into guilty_machines (guilty_id, machine_id, system_name, fleet_id, external, last_day, exposed)
      select guilty_id, machine_id, system_name, fleet_id, external, day, ${isExposed(tx, tx`seen.machine_id`, tx`seen.day`)}
        from seen order by 1, 2, 3, 4, 5
          on conflict do nothing
      returning guilty_id, machine_id, system_name, fleet_id, external, last_day, exposed
    ), changes as (
      select guilty_id, last_day, system_name, fleet_id, external, machines(machine_id) as machines, exposed from appeared
    )
    ${applyMachineChanges(tx)}`;
  // A statement of its own: what another instance has just inserted is only seen by what begins after waiting for it.
  await tx`
    with ${seen}, stale as materialized (
      select known.guilty_id, known.machine_id, known.system_name, known.fleet_id, known.external, known.last_day, known.exposed, seen.day
        from guilty_machines known
        join seen using (guilty_id, machine_id, system_name, fleet_id, external)
       where known.last_day < seen.day
       order by 1, 2, 3, 4, 5
         for update of known
    ), moved as (
      update guilty_machines known
         set last_day = stale.day, exposed = ${isExposed(tx, tx`stale.machine_id`, tx`stale.day`)}
        from stale
       where (known.guilty_id, known.machine_id, known.system_name, known.fleet_id, known.external)
           = (stale.guilty_id, stale.machine_id, stale.system_name, stale.fleet_id, stale.external)
      returning known.guilty_id, known.machine_id, known.system_name, known.fleet_id, known.external, known.last_day, known.exposed,
                stale.last_day as previous_day, stale.exposed as was_exposed
    ), changes as (
      select guilty_id, last_day, system_name, fleet_id, external, machines(machine_id) as machines, exposed from moved
      union all
      select guilty_id, previous_day, system_name, fleet_id, external, -machines(machine_id), was_exposed from moved
    )
    ${applyMachineChanges(tx)}`;
}

function applyMachineChanges(tx: Queryable) {
  return tx`
    insert into guilty_machine_counts as known (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
    select guilty_id, last_day, system_name, fleet_id, external, sum(machines), sum(machines * exposed::integer)
      from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (guilty_id, last_day, system_name, fleet_id, external) do update
       set machines = known.machines + excluded.machines, exposed = known.exposed + excluded.exposed`;
}

/** Heartbeats are not counted meanwhile, nor before the transaction ends: which machines of guilties are exposed depends on both. */
export async function shareExposure(tx: Queryable) {
  await tx`select pg_advisory_xact_lock_shared(exposure_lock())`;
}

/** Whether a machine id sent a heartbeat in the period of a day. */
export function isExposed(tx: Queryable, machineId: Fragment, day: Fragment) {
  return tx`
    exists (select from exposed_machines e where e.period = period_of(${day}) and e.machine_id = ${machineId})`;
}
