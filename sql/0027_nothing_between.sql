-- What may come between two steps of retention, of forgetting and of gathering a month is left as it is: nothing of it is lost.

-- Locks the days of a month against writing (55P03 where that takes longer than 100 ms), and makes the tables that they are to be copied
-- to. `month` is its first day. Returns the days that have partitions.
create or replace function open_records_month(month date) returns setof date language plpgsql as $$
declare
  kind text;
  d date;
  days constant date[] := array(
    select day::date from generate_series(month, month + interval '1 month' - interval '1 day', '1 day') day
     where to_regclass(days_table('records', day::date)) is not null);
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    foreach d in array days loop
      execute format('lock table %I in share mode', days_table(kind, d));
    end loop;
    -- The check spares the reading of all rows when it becomes a partition, which holds up ingestion; its indexes likewise.
    execute format('create table %I (like %I including all, constraint month check (received_at >= %L and received_at < %L))',
                   months_table(kind, month), kind, since, until);
  end loop;
  return query select unnest(days);
end
$$;

drop function close_records_month(date);

-- Puts the tables of a month in place of its days, with what had landed in DEFAULT. Waits at most 100 ms for each lock. 55P03 as well
-- where there are others than these days by now: an import has made them.
create function close_records_month(month date, days date[]) returns void language plpgsql as $$
declare
  kind text;
  d date;
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  lock table records, crashes, parsed in access exclusive mode;
  if exists (
    select from generate_series(month, month + interval '1 month' - interval '1 day', '1 day') day
     where to_regclass(days_table('records', day::date)) is not null and day::date <> all(days)
  ) then
    raise lock_not_available using message = 'a day of the month was made meanwhile';
  end if;
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    foreach d in array days loop
      execute format('drop table %I', days_table(kind, d));
    end loop;
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', since, until, months_table(kind, month));
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, months_table(kind, month), since, until);
    execute format('alter table %I drop constraint month', months_table(kind, month));
  end loop;
end
$$;

-- Drops the partitions of a gathered month together with its queued work, unless records came meanwhile to other days than these, or
-- beyond their ids, or are still to be counted (false then). Waits at most 100 ms for each lock (55P03 then).
create or replace function drop_records_month(month date, days date[], first_ids bigint[], last_ids bigint[], state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days first, like batches and rebuild_counters.
  perform from record_days where day >= month and day < month + interval '1 month' order by day for update;
  if exists (
    (select day, first_id, last_id from record_days where day >= month and day < month + interval '1 month' and first_id <= last_id
     except select * from unnest(days, first_ids, last_ids))
  ) or exists (
    select from uncounted
     where received_at >= month::timestamp at time zone 'UTC'
       and received_at < (month + interval '1 month')::timestamp at time zone 'UTC'
  ) then
    return false;
  end if;
  update record_days set complete = false, purged_as = state, first_id = 9007199254740991, last_id = 0
   where day >= month and day < month + interval '1 month';
  delete from work_queue
   where received_at >= month::timestamp at time zone 'UTC'
     and received_at < (month + interval '1 month')::timestamp at time zone 'UTC';
  lock table records, crashes, parsed in access exclusive mode;
  execute format('drop table if exists %I, %I, %I', months_table('records', month), months_table('crashes', month),
                 months_table('parsed', month));
  return true;
end
$$;

-- The same for the partitions of a day.
create or replace function drop_records_day(d date, expected_first bigint, expected_last bigint, state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days first, like batches and rebuild_counters.
  update record_days set complete = false, purged_as = state, first_id = 9007199254740991, last_id = 0
   where day = d and first_id = expected_first and last_id = expected_last
     and not exists (select from uncounted u where (u.received_at at time zone 'UTC')::date = d);
  if not found then
    return false;
  end if;
  delete from work_queue
   where received_at >= d::timestamp at time zone 'UTC' and received_at < (d + 1)::timestamp at time zone 'UTC';
  lock table records, crashes, parsed in access exclusive mode;
  execute format('drop table if exists %I, %I, %I', 'records_' || to_char(d, 'YYYYMMDD'), 'crashes_' || to_char(d, 'YYYYMMDD'),
                 'parsed_' || to_char(d, 'YYYYMMDD'));
  return true;
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
  -- Those with a comment or hidden ones stay: someone has judged them.
  delete from guilties
   where id = any(blamed) and comment = '' and hidden_at is null
     and not exists (select from stacks where guilty_id = guilties.id)
     and not exists (select from guilty_machines where guilty_id = guilties.id)
     and not exists (select from guilty_machine_counts where guilty_id = guilties.id);
  if made then
    delete from record_days where day = today;
  end if;
end
$$;
