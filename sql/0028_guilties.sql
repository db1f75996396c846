-- In a pattern, * stands for any text or none in function and module, and \* for a star.
alter table never_guilty add column pattern boolean not null default false;
drop index never_guilty_frame;
create unique index never_guilty_frame on never_guilty (md5(function || E'\n' || module), pattern);

-- The guilty that all stacks of this one moved to: its address leads there. Checked when a transaction ends, since a backup is
-- restored in any order.
alter table guilties
  add column alias_of bigint references guilties on delete set null deferrable initially deferred check (alias_of <> id);
create index guilties_alias_of on guilties (alias_of) where alias_of is not null;

alter table stacks
  add column moved_from bigint, -- the guilty that it had before this one; null: it never had another
  add column frame_keys integer[] not null default '{}'; -- of its frames' names as they are compared: hashes to find it by
create index stacks_moved_from on stacks (moved_from) where moved_from is not null;
create index stacks_frame_keys on stacks using gin (frame_keys);
drop index stacks_frames;

-- The newest guilty when it was asked for: those made since are hidden if all guilties that they replace were.
alter table recomputations add column newest_guilty bigint not null default 0;

-- Reports of the kernel without frames all shared one stack that had no guilty. They are taken out of what was counted of it, and
-- analysed again as if they had just come. Counts of records that are gone stay.
do $$
declare
  frameless constant bigint[] := array(select id from stacks where frames = '[]');
  d date;
  crashed counted_crash[];
begin
  for d in
    select distinct (received_at at time zone 'UTC')::date from crashes where stack_id = any(frameless) order by 1
  loop
    with gone as (
      delete from crashes c using records r
       where c.stack_id = any(frameless)
         and c.received_at >= d::timestamp at time zone 'UTC' and c.received_at < (d + 1)::timestamp at time zone 'UTC'
         and r.received_at >= d::timestamp at time zone 'UTC' and r.received_at < (d + 1)::timestamp at time zone 'UTC'
         and (r.machine_id, r.received_at, r.id) = (c.machine_id, c.received_at, c.id)
      returning c.stack_id, c.machine_id, c.received_at, c.id, r.fleet_id, r.external, r.system_name, r.build, r.host_type
    ), queued as (
      insert into work_queue (kind, record_id, machine_id, received_at)
      select 'crash', id, machine_id, received_at from gone order by id
          on conflict do nothing
    ), machines as (
      update stack_machines known
         set records = known.records - counted.records
        from (select stack_id, machine_id, system_name, build, fleet_id, external, count(*) as records
                from gone group by 1, 2, 3, 4, 5, 6) counted
       where (known.stack_id, known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
           = (counted.stack_id, counted.machine_id, counted.system_name, counted.build, counted.fleet_id, counted.external)
    )
    select coalesce(array_agg(row(stack_id, fleet_id, external, system_name, build, host_type)::counted_crash), '{}')
      into crashed from gone;
    perform take_from_stack_counters(d, crashed);
  end loop;
  delete from stack_machines where stack_id = any(frameless) and records <= 0;
end
$$;

-- Erases what is known of a machine id besides its records, and the backtraces that only it has reported, unless it has sent
-- others meanwhile: these keep what belongs to them. Waits at most 2 s for its locks (55P03 then: try again later).
create or replace function forget_traces(m text) returns void language plpgsql as $$
declare
  today constant date := (now() at time zone 'UTC')::date;
  made boolean;
  seen date[];
  had bigint[];
  alone bigint[];
  blamed bigint[];
begin
  perform set_config('lock_timeout', '2s', true);
  delete from quarantine where machine_id = m;
  -- Analysis must not find what is about to go.
  lock table guilties, stacks in share row exclusive mode;
  -- Batches write the row of their day: no record comes meanwhile.
  insert into record_days (day, first_id, last_id) values (today, 9007199254740991, 0) on conflict (day) do nothing;
  made := found;
  perform from record_days where day >= today - 1 order by day for update;
  if exists (select from records where machine_id = m) then
    if made then
      delete from record_days where day = today;
    end if;
    return;
  end if;
  delete from recent_records where machine_id = m;
  delete from work_queue where machine_id = m;

  with gone as (
    delete from machines_last_seen where machine_id = m returning last_day, system_name, build, fleet_id, external
  ), counted as (
    insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
    select last_day, system_name, build, fleet_id, external, -1 from gone order by 1, 2, 3, 4, 5
        on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines
  )
  select array_agg(distinct last_day) into seen from gone;
  delete from machine_counts where machines <= 0 and last_day = any(seen);
  delete from machine_check_machines where machine_id = m;

  delete from crashes where machine_id = m;
  delete from parsed where machine_id = m;
  with gone as (
    delete from stack_machines where machine_id = m returning stack_id
  )
  select array_agg(distinct stack_id) into had from gone;
  with gone as (
    delete from guilty_machines where machine_id = m returning guilty_id, last_day, system_name, fleet_id, external
  ), counted as (
    insert into guilty_machine_counts as known (guilty_id, last_day, system_name, fleet_id, external, machines)
    select guilty_id, last_day, system_name, fleet_id, external, -1 from gone order by 1, 2, 3, 4, 5
        on conflict (guilty_id, last_day, system_name, fleet_id, external) do update set machines = known.machines + excluded.machines
  )
  select array_agg(distinct guilty_id) into blamed from gone;
  delete from guilty_machine_counts where machines <= 0 and guilty_id = any(blamed);

  alone := array(
    select id from stacks
     where id = any(had)
       and not exists (select from stack_machines where stack_id = stacks.id)
       and not exists (select from crashes where stack_id = stacks.id));
  delete from stack_counts where stack_id = any(alone);
  delete from stack_platforms where stack_id = any(alone);
  delete from stack_builds where stack_id = any(alone);
  delete from stacks where id = any(alone);
  -- Those with a comment or hidden ones stay: someone has judged them. What leads to one that goes, goes with it.
  delete from guilties
   where (id = any(blamed) or alias_of = any(blamed)) and comment = '' and hidden_at is null
     and not exists (select from stacks where guilty_id = coalesce(guilties.alias_of, guilties.id))
     and not exists (select from guilty_machines where guilty_id = coalesce(guilties.alias_of, guilties.id))
     and not exists (select from guilty_machine_counts where guilty_id = coalesce(guilties.alias_of, guilties.id));
  if made then
    delete from record_days where day = today;
  end if;
end
$$;
