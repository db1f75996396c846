-- How many machines an id stands for. '' stands for all that did not say who they are: it is known when they were last seen, not how many
-- they are.
create or replace function machines(machine_id text) returns integer language sql immutable strict parallel safe as $$
  select (machine_id <> '')::integer
$$;

-- Moves each machine to the day it was now seen on. One already seen that day on that build costs one look-up, since its row for the
-- whole system (build '*') is of that day, too.
create or replace function count_machines(came counted_record[]) returns void language plpgsql as $$
declare
  news machines_last_seen[] := array(
    select row(seen.machine_id, seen.fleet_id, seen.external, seen.system_name, seen.build, seen.day)::machines_last_seen
      from (
             select c.machine_id, c.system_name, c.build, c.fleet_id, c.external, max((c.received_at at time zone 'UTC')::date) as day
               from unnest(came) c group by 1, 2, 3, 4, 5
           ) seen
      left join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
     where known.last_day is null or known.last_day < seen.day);
  appeared machines_last_seen[];
  returned machines_last_seen[];
begin
  if cardinality(news) = 0 then
    return;
  end if;
  news := news || array(
    select row(n.machine_id, n.fleet_id, n.external, n.system_name, '*', max(n.last_day))::machines_last_seen
      from unnest(news) n group by n.machine_id, n.fleet_id, n.external, n.system_name);

  with added as (
    insert into machines_last_seen as known (machine_id, fleet_id, external, system_name, build, last_day)
    select n.* from unnest(news) n order by n.machine_id, n.system_name, n.build, n.fleet_id, n.external
        on conflict do nothing
    returning row(known.*)::machines_last_seen as machine
  ), counted as (
    insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
    select (machine).last_day, (machine).system_name, (machine).build, (machine).fleet_id, (machine).external, sum(machines((machine).machine_id))
      from added group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
        on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines
  )
  select coalesce(array_agg(machine), '{}') into appeared from added;

  if cardinality(appeared) < cardinality(news) then
    with stale as materialized (
      select known.machine_id, known.system_name, known.build, known.fleet_id, known.external, known.last_day, n.last_day as day
        from unnest(news) n
        join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
       where known.last_day < n.last_day
       order by 1, 2, 3, 4, 5
         for update of known
    ), moved as (
      update machines_last_seen known
         set last_day = stale.day
        from stale
       where (known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
           = (stale.machine_id, stale.system_name, stale.build, stale.fleet_id, stale.external)
      returning row(known.*)::machines_last_seen as machine, stale.last_day as previous_day
    ), changes as (
      select machine, (machine).last_day as last_day, machines((machine).machine_id) as machines from moved
      union all select machine, previous_day, -machines((machine).machine_id) from moved
    ), counted as (
      insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
      select last_day, (machine).system_name, (machine).build, (machine).fleet_id, (machine).external, sum(machines)
        from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
          on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines
    )
    select array_agg(machine) into returned from moved;
  end if;

  insert into machine_days as known (day, system_name, build, fleet_id, external, machines)
  select m.last_day, m.system_name, m.build, m.fleet_id, m.external, sum(machines(m.machine_id))
    from unnest(appeared || returned) m group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
end
$$;

-- Moves machines to the day they were now seen on, as count_machines does, but of records of any day: a machine that was seen later counts
-- for its day as well. Call it before the records are stored, and once their rows in record_days are locked.
create or replace function count_machines_of_past(came counted_record[]) returns void language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  since constant timestamptz := (select date_trunc('day', min(received_at), 'UTC') from unnest(came));
  until constant timestamptz := (select date_trunc('day', max(received_at), 'UTC') + interval '24 hours' from unnest(came));
  seen machines_last_seen[] := array(
    select row(c.machine_id, c.fleet_id, c.external, c.system_name, coalesce(c.build, '*'), c.day)::machines_last_seen
      from (select machine_id, fleet_id, external, system_name, build, (received_at at time zone 'UTC')::date as day from unnest(came)) c
     group by grouping sets ((machine_id, fleet_id, external, system_name, build, day), (machine_id, fleet_id, external, system_name, day)));
  latest machines_last_seen[] := array(
    select row(s.machine_id, s.fleet_id, s.external, s.system_name, s.build, max(s.last_day))::machines_last_seen
      from unnest(seen) s group by s.machine_id, s.fleet_id, s.external, s.system_name, s.build);
begin
  with added as (
    insert into machines_last_seen as known (machine_id, fleet_id, external, system_name, build, last_day)
    select l.* from unnest(latest) l order by l.machine_id, l.system_name, l.build, l.fleet_id, l.external
        on conflict do nothing
    returning known.machine_id, known.last_day, known.system_name, known.build, known.fleet_id, known.external
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines(machine_id)) from added group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;

  with stale as materialized (
    select known.machine_id, known.system_name, known.build, known.fleet_id, known.external, known.last_day, l.last_day as day
      from unnest(latest) l
      join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
     where known.last_day < l.last_day
     order by 1, 2, 3, 4, 5
       for update of known
  ), moved as (
    update machines_last_seen known
       set last_day = stale.day
      from stale
     where (known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
         = (stale.machine_id, stale.system_name, stale.build, stale.fleet_id, stale.external)
    returning known.machine_id, known.system_name, known.build, known.fleet_id, known.external, stale.day, stale.last_day as previous_day
  ), changes as (
    select day as last_day, system_name, build, fleet_id, external, machines(machine_id) as machines from moved
    union all select previous_day, system_name, build, fleet_id, external, -machines(machine_id) from moved
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines)
    from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;

  insert into machine_days as known (day, system_name, build, fleet_id, external, machines)
  select s.last_day, s.system_name, s.build, s.fleet_id, s.external, sum(machines(s.machine_id))
    from unnest(seen) s
   where not exists (
           select from (
             select system_name, build, fleet_id, external from records
              where machine_id = s.machine_id and received_at >= since and received_at < until
                and received_at >= s.last_day::timestamp at time zone 'UTC'
                and received_at < (s.last_day + 1)::timestamp at time zone 'UTC'
             offset 0 -- by the primary key
           ) r
            where r.system_name = s.system_name and s.build in ('*', r.build) and r.fleet_id = s.fleet_id and r.external = s.external)
   group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
end
$$;

-- Counts the machines of these UTC days again, as count_machines does for a batch, and all days at once: most machines are seen on all
-- of them, and move once. Machines seen later already stay as they are, so that it may be repeated.
create or replace function count_machines_of_days(first_day date, final_day date) returns void language plpgsql as $$
begin
  perform from record_days where day between first_day and final_day order by day for update; -- before any counter, as counting does
  -- With the lock, rows that are not there are inserted without asking for each once more, which would double the cost. Counting waits;
  -- records don't.
  lock table machines_last_seen in share row exclusive mode;
  create temporary table seen on commit drop as
    select day, machine_id, system_name, coalesce(build, '*') as build, fleet_id, external
      from (select (received_at at time zone 'UTC')::date as day, machine_id, system_name, build, fleet_id, external
              from records
             where received_at >= first_day::timestamp at time zone 'UTC' and received_at < (final_day + 1)::timestamp at time zone 'UTC') r
     group by grouping sets ((day, machine_id, system_name, build, fleet_id, external), (day, machine_id, system_name, fleet_id, external));
  analyze seen;

  delete from machine_days where day between first_day and final_day;
  insert into machine_days (day, system_name, build, fleet_id, external, machines)
  select day, system_name, build, fleet_id, external, sum(machines(machine_id)) from seen group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5;

  with latest as materialized (
    select seen.*, known.ctid as place, known.last_day as previous_day
      from (select machine_id, system_name, build, fleet_id, external, max(day) as day from seen group by 1, 2, 3, 4, 5) seen
      left join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
  ), moved as (
    update machines_last_seen known
       set last_day = latest.day
      from latest
     where known.ctid = latest.place and latest.previous_day < latest.day
    returning known.machine_id, known.system_name, known.build, known.fleet_id, known.external, known.last_day, latest.previous_day
  ), appeared as (
    insert into machines_last_seen (machine_id, system_name, build, fleet_id, external, last_day)
    select machine_id, system_name, build, fleet_id, external, day from latest where place is null order by 1, 2, 3, 4, 5
    returning machine_id, system_name, build, fleet_id, external, last_day
  ), changes as (
    select last_day, system_name, build, fleet_id, external, machines(machine_id) as machines from appeared
    union all select last_day, system_name, build, fleet_id, external, machines(machine_id) from moved
    union all select previous_day, system_name, build, fleet_id, external, -machines(machine_id) from moved
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines)
    from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
  drop table seen;
end
$$;

-- Counts again how many machines were last seen on each day, and which of guilties are exposed.
create or replace function rebuild_machine_counts() returns void language plpgsql as $$
begin
  perform rebuild_guilty_exposure();
  lock table machines_last_seen in share mode; -- batches write it before these counts
  delete from machine_counts;
  insert into machine_counts (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines(machine_id)) from machines_last_seen group by 1, 2, 3, 4, 5;
end
$$;

-- For a clock that went back: moves what was seen on days to come to today. Otherwise a machine would not be counted on the days until
-- then, and would be counted as long after it is gone. Counting and analysis wait meanwhile (55P03 where they can't be kept out within
-- 2 s); records don't.
create or replace function take_back_coming_days() returns void language plpgsql as $$
declare
  today constant date := (now() at time zone 'UTC')::date;
begin
  perform set_config('lock_timeout', '2s', true);
  lock table guilties, stacks in share row exclusive mode;
  perform pg_advisory_xact_lock(exposure_lock());
  lock table guilty_machines in exclusive mode;
  lock table machines_last_seen in share row exclusive mode;
  update stack_builds set first_day = least(first_day, today), last_day = today where last_day > today;
  update stack_machines set first_day = least(first_day, today), last_day = today where last_day > today;
  update guilty_machines set last_day = today where last_day > today;
  update machine_check_totals set last_day = today where last_day > today;
  update machines_last_seen set last_day = today where last_day > today;
  perform rebuild_machine_counts();
end
$$;
