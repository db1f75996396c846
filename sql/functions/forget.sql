-- Erases up to `slice` records that a machine id sent on a UTC day, with what was made and counted of them, once all records are
-- counted that still have to be; returns how many. Counters stay equal to counts, so that a day that was complete still is.
create or replace function forget_records(m text, d date, slice integer, counted counted_classifications)
returns integer language plpgsql as $$
declare
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  ids bigint[];
  gone counted_record[];
  crashed counted_crash[];
begin
  perform hold_days(d, d);
  perform count_stored(null, counted);
  perform from record_days where day = d for update;
  ids := array(
    select id from records where machine_id = m and received_at >= since and received_at < until
     order by received_at, id limit slice for update);
  if cardinality(ids) = 0 then
    return 0;
  end if;
  -- An analysis under way holds its row in the queue: this waits for it, and the statements that follow see what it has stored.
  delete from work_queue where machine_id = m and record_id = any(ids);
  gone := array(
    select row(id, received_at, machine_id, fleet_id, external, severity, classification, system_name, build, arch, kernel_version,
               host_type)::counted_record
      from records where machine_id = m and received_at >= since and received_at < until and id = any(ids));
  with deleted as (
    delete from crashes where machine_id = m and received_at >= since and received_at < until and id = any(ids)
    returning id, stack_id
  )
  select coalesce(array_agg(row(deleted.stack_id, g.fleet_id, g.external, g.system_name, g.build, g.host_type)::counted_crash), '{}')
    into crashed from deleted join unnest(gone) g on g.id = deleted.id;

  perform take_from_counters(gone);
  perform take_from_kind_counters(
    array(select row(received_at, machine_id, fleet_id, external, system_name, build, classification, cpu_model)::machine_check
            from records
           where machine_id = m and received_at >= since and received_at < until and id = any(ids)
             and classification like any(counted.machine_checks)),
    array(select row(received_at, fleet_id, external, system_name, u.from_build, u.to_build)::update_report
            from records cross join builds_of_update(payload) u
           where machine_id = m and received_at >= since and received_at < until and id = any(ids)
             and classification like any(counted.updates)));
  perform take_from_stack_counters(d, crashed);
  delete from records where machine_id = m and received_at >= since and received_at < until and id = any(ids);
  delete from parsed where machine_id = m and received_at >= since and received_at < until and id = any(ids);

  perform take_signals(m, array[period_of(d)]);
  for n in 0 .. 2 loop
    perform count_signals_of_day(period_of(d) - n, m, counted);
  end loop;

  -- A machine counts for that day on each build, and on the system as a whole (build '*'), until its last such record has gone.
  insert into machine_days as known (day, system_name, build, fleet_id, external, machines)
  select d, went.system_name, went.build, went.fleet_id, went.external, -1
    from (select system_name, coalesce(build, '*') as build, fleet_id, external
            from unnest(gone)
           group by grouping sets ((system_name, build, fleet_id, external), (system_name, fleet_id, external))) went
   where not exists (
           select from records r
            where r.machine_id = m and r.received_at >= since and r.received_at < until and r.system_name = went.system_name
              and went.build in ('*', r.build) and r.fleet_id = went.fleet_id and r.external = went.external)
   order by 2, 3, 4, 5
      on conflict (day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
  delete from machine_days where day = d and machines <= 0;

  update record_days set first_id = 9007199254740991, last_id = 0
   where day = d and not exists (select from records where received_at >= since and received_at < until);
  return cardinality(ids);
end
$$;

-- Takes records out of what add_to_counters has counted, in the same order as there. The caller has locked their days.
create or replace function take_from_counters(gone counted_record[]) returns void language plpgsql as $$
declare
  days date[] := array(select distinct (received_at at time zone 'UTC')::date from unnest(gone));
begin
  insert into hour_counts as known (hour, fleet_id, external, records)
  select date_trunc('hour', received_at, 'UTC'), fleet_id, external, -count(*) from unnest(gone) group by 1, 2, 3 order by 1, 2, 3
      on conflict (hour, fleet_id, external) do update set records = known.records + excluded.records;
  delete from hour_counts
   where records <= 0 and hour in (select date_trunc('hour', received_at, 'UTC') from unnest(gone));

  insert into build_counts as known (day, system_name, build, classification, severity, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, build, classification, severity, fleet_id, external, -count(*)
    from unnest(gone) group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7
      on conflict (day, system_name, build, classification, severity, fleet_id, external) do update
     set records = known.records + excluded.records;
  delete from build_counts where records <= 0 and day = any(days);

  insert into platform_counts as known (day, system_name, host_type, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, host_type, fleet_id, external, -count(*)
    from unnest(gone) group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, host_type, fleet_id, external) do update set records = known.records + excluded.records;
  delete from platform_counts where records <= 0 and day = any(days);

  insert into kernel_counts as known (day, system_name, kernel_version, arch, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, kernel_version, arch, fleet_id, external, -count(*)
    from unnest(gone) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, kernel_version, arch, fleet_id, external) do update
     set records = known.records + excluded.records;
  delete from kernel_counts where records <= 0 and day = any(days);
end
$$;

-- Takes machine checks and updates out of their counters, except for machine_check_machines, which forget_traces empties.
create or replace function take_from_kind_counters(checks machine_check[], updates update_report[]) returns void language plpgsql as $$
begin
  insert into machine_check_cpus as known (day, system_name, classification, cpu_model, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, classification, coalesce(cpu_model, ''), fleet_id, external, -count(*)
    from unnest(checks) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, classification, cpu_model, fleet_id, external) do update set records = known.records + excluded.records;
  delete from machine_check_cpus
   where records <= 0 and day in (select (received_at at time zone 'UTC')::date from unnest(checks));

  insert into update_counts as known (day, system_name, from_build, to_build, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, from_build, to_build, fleet_id, external, -count(*)
    from unnest(updates) where from_build is not null and to_build is not null
   group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, from_build, to_build, fleet_id, external) do update set records = known.records + excluded.records;
  delete from update_counts
   where records <= 0 and day in (select (received_at at time zone 'UTC')::date from unnest(updates));
end
$$;

-- Takes crashes of a UTC day out of the counts of their stacks, except for the tables of single machines, which forget_traces empties.
create or replace function take_from_stack_counters(d date, gone counted_crash[]) returns void language plpgsql as $$
declare
  concerned bigint[] := array(select distinct stack_id from unnest(gone));
begin
  insert into stack_counts as known (day, stack_id, system_name, build, fleet_id, external, records)
  select d, stack_id, system_name, build, fleet_id, external, -count(*)
    from unnest(gone) group by 2, 3, 4, 5, 6 order by 2, 3, 4, 5, 6
      on conflict (day, stack_id, system_name, build, fleet_id, external) do update set records = known.records + excluded.records;
  delete from stack_counts where records <= 0 and day = d and stack_id = any(concerned);

  update stack_builds known
     set first_day = case when known.first_day = d then counted.first_day else known.first_day end,
         last_day = case when known.last_day = d then counted.last_day else known.last_day end
    from (select stack_id, system_name, build, fleet_id, min(day) as first_day, max(day) as last_day
            from stack_counts where stack_id = any(concerned) group by 1, 2, 3, 4) counted
   where (known.stack_id, known.system_name, known.build, known.fleet_id)
       = (counted.stack_id, counted.system_name, counted.build, counted.fleet_id)
     and d in (known.first_day, known.last_day);
  delete from stack_builds known
   where stack_id = any(concerned)
     and not exists (select from stack_counts c
                      where (c.stack_id, c.system_name, c.build, c.fleet_id)
                          = (known.stack_id, known.system_name, known.build, known.fleet_id));

  insert into stack_platforms as known (day, stack_id, system_name, host_type, fleet_id, external, records)
  select d, stack_id, system_name, host_type, fleet_id, external, -count(*)
    from unnest(gone) group by 2, 3, 4, 5, 6 order by 2, 3, 4, 5, 6
      on conflict (stack_id, day, system_name, host_type, fleet_id, external) do update set records = known.records + excluded.records;
  delete from stack_platforms where records <= 0 and day = d and stack_id = any(concerned);
end
$$;

-- Erases what is known of a machine id besides its records, and the backtraces that only it has reported. Where it has sent records
-- meanwhile, only its quarantine goes: the rest belongs to these. Waits at most 2 s for its locks (55P03 then: try again later).
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
  perform hold_days(today - 1, today); -- no record comes meanwhile
  perform pg_advisory_xact_lock(exposure_lock());
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
  delete from machine_counts c
   where machines <= 0 and last_day = any(seen)
     and not exists (select from machines_last_seen s -- of machines unknown
                      where s.machine_id = ''
                        and (s.last_day, s.system_name, s.build, s.fleet_id, s.external) = (c.last_day, c.system_name, c.build, c.fleet_id, c.external));
  delete from machine_check_machines where machine_id = m;
  perform take_signals(m, array(select * from counted_periods()));

  delete from crashes where machine_id = m;
  delete from parsed where machine_id = m;
  with gone as (
    delete from stack_machines where machine_id = m returning stack_id
  )
  select array_agg(distinct stack_id) into had from gone;
  with gone as (
    delete from guilty_machines where machine_id = m returning guilty_id, last_day, system_name, fleet_id, external, exposed
  ), counted as (
    insert into guilty_machine_counts as known (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
    select guilty_id, last_day, system_name, fleet_id, external, -1, -exposed::integer from gone order by 1, 2, 3, 4, 5
        on conflict (guilty_id, last_day, system_name, fleet_id, external) do update
       set machines = known.machines + excluded.machines, exposed = known.exposed + excluded.exposed
  )
  select array_agg(distinct guilty_id) into blamed from gone;
  delete from guilty_machine_counts c
   where machines <= 0 and guilty_id = any(blamed)
     and not exists (select from guilty_machines s
                      where s.machine_id = ''
                        and (s.guilty_id, s.last_day, s.system_name, s.fleet_id, s.external) = (c.guilty_id, c.last_day, c.system_name, c.fleet_id, c.external));

  alone := array(
    select id from stacks
     where id = any(had)
       and not exists (select from stack_machines where stack_id = stacks.id)
       and not exists (select from crashes where stack_id = stacks.id));
  delete from stack_counts where stack_id = any(alone);
  delete from stack_platforms where stack_id = any(alone);
  delete from stack_builds where stack_id = any(alone);
  delete from attachments where stack_id = any(alone);
  delete from stacks where id = any(alone);
  -- Guilties with a comment and hidden ones stay: someone has judged them. The aliases of one that goes, go with it.
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
