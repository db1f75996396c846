-- Counts the records of up to `batches` batches that are still to be counted, oldest first, and returns how many batches that were.
-- Those that another one is counting at this moment are skipped; where `batches` is null all are counted, and those are waited for.
create or replace function count_stored(batches integer, counted counted_classifications) returns integer language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  claimed bigint[];
  d date;
  ids bigint[];
  part regclass;
  came counted_record[];
  checks machine_check[];
  update_ids bigint[];
  reports update_report[];
  failed_ids bigint[];
  heartbeat_ids bigint[];
begin
  if batches is null then
    claimed := array(select first_id from uncounted order by first_id for update);
  else
    claimed := array(select first_id from uncounted order by first_id limit batches for update skip locked);
  end if;
  perform pg_advisory_xact_lock(exposure_lock());

  -- Day by day: machines are seen on a day, and two at once would count on the later one alone.
  for d in
    select distinct (received_at at time zone 'UTC')::date from uncounted where first_id = any(claimed) order by 1
  loop
    ids := array(
      select unnest(u.ids) from uncounted u where u.first_id = any(claimed) and (u.received_at at time zone 'UTC')::date = d);
    -- By id, in the partition of their day: with received_at as a second condition the planner reads a whole index instead, until a new
    -- partition has statistics. Where some are not there, their partition may have been made or gathered at this very moment.
    foreach part in array array[coalesce(to_regclass(days_table('records', d)), to_regclass(months_table('records', d)),
                                         'records_default'), 'records'::regclass]
    loop
      execute format($q$
        select array_agg(row(r.id, r.received_at, r.machine_id, r.fleet_id, r.external, r.severity, r.classification, r.system_name,
                             r.build, r.arch, r.kernel_version, r.host_type)::counted_record),
               array_agg(row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification,
                             r.cpu_model)::machine_check) filter (where r.classification like any($2)),
               array_agg(r.id) filter (where r.classification like any($3)),
               array_agg(r.id) filter (where r.classification = 'telemetricsd/heartbeat/ping')
          from %s r where r.id = any($1)$q$, part) into came, checks, update_ids, heartbeat_ids using ids, counted.machine_checks, counted.updates;
      exit when cardinality(came) = cardinality(ids);
    end loop;
    if came is not null then
      perform note_record_day(d, min(id), max(id)) from unnest(came);
      perform count_records(came);
      perform count_machines(came);
    end if;
    if checks is not null then
      perform count_machine_checks(checks);
    end if;
    failed_ids := null;
    if update_ids is not null then
      execute format($q$
        select array_agg(row(r.received_at, r.fleet_id, r.external, r.system_name, u.from_build, u.to_build)::update_report),
               array_agg(r.id) filter (where u.failed)
          from %s r cross join builds_of_update(r.payload) u where r.id = any($1)$q$, part) into reports, failed_ids using update_ids;
      perform count_updates(reports);
    end if;
    perform count_signals_of_records(came, failed_ids, counted);
    if heartbeat_ids is not null then
      execute format($q$
        insert into probe_heartbeats as known (quarter, version, records)
        select date_bin('15 minutes', r.received_at, 'epoch'), version::integer, count(*)
          from %s r cross join substring(r.payload from '(?n)^probe: ([0-9]{1,4})$') version
         where r.id = any($1) and version is not null
         group by 1, 2 order by 1, 2
            on conflict (quarter, version) do update set records = known.records + excluded.records$q$, part) using heartbeat_ids;
    end if;
  end loop;
  delete from uncounted where first_id = any(claimed);
  return cardinality(claimed);
end
$$;

-- Counts the signals of records, of whose updates some have failed.
create or replace function count_signals_of_records(came counted_record[], failed_updates bigint[], counted counted_classifications)
returns void language plpgsql as $$
declare
  -- There are few classifications, and asking for each record would cost as much as all the rest.
  classifications constant text[] := array(select distinct classification from unnest(came));
  signals constant text[] := array(select signal_of(classification, counted) from unnest(classifications) classification);
begin
  perform count_signals(array(
    select row((r.received_at at time zone 'UTC')::date, r.machine_id, r.fleet_id, r.external, r.system_name, r.build,
               kinds.signal)::machine_signal
      from unnest(came) r join unnest(classifications, signals) kinds (classification, signal) using (classification)
     where kinds.signal is not null and r.machine_id <> '' and (kinds.signal <> 'update' or r.id = any(failed_updates))));
end
$$;

-- Derives the counters of records of a UTC day again, once all records are counted that still have to be. Only for a day whose
-- records are complete: counters say what was received, not what was kept.
create or replace function rebuild_counters(d date, counted counted_classifications) returns void language plpgsql as $$
declare
  slice constant integer := 50000;
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  after bigint;
  came counted_record[];
  checks machine_check[];
  reports update_report[];
begin
  -- What batches have left uncounted until now goes with the rest.
  perform hold_days(d, d);
  perform count_stored(null, counted);
  insert into record_days (day, first_id, last_id) values (d, 9007199254740991, 0)
      on conflict (day) do update set first_id = excluded.first_id, last_id = excluded.last_id;
  delete from build_counts where day = d;
  delete from platform_counts where day = d;
  delete from kernel_counts where day = d;
  delete from machine_check_machines where day = d;
  delete from machine_check_cpus where day = d;
  delete from update_counts where day = d;
  delete from hour_counts where hour >= since and hour < until;

  after := 0;
  loop
    came := array(
      select row(r.id, r.received_at, r.machine_id, r.fleet_id, r.external, r.severity, r.classification, r.system_name, r.build,
                 r.arch, r.kernel_version, r.host_type)::counted_record
        from records r
       where r.received_at >= since and r.received_at < until and r.id > after
       order by r.id limit slice);
    exit when cardinality(came) = 0;
    perform add_to_counters(came);
    after := came[cardinality(came)].id;
  end loop;

  -- Over the whole day: looked for within each slice of all records, these would make a large day be read again and again.
  after := 0;
  loop
    select array_agg(row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification, r.cpu_model)::machine_check),
           max(r.id)
      into checks, after
      from (select * from records r
             where r.received_at >= since and r.received_at < until and r.id > after and r.classification like any(counted.machine_checks)
             order by r.id limit slice) r;
    exit when after is null;
    perform count_machine_checks(checks);
  end loop;

  after := 0;
  loop
    select array_agg(row(r.received_at, r.fleet_id, r.external, r.system_name, u.from_build, u.to_build)::update_report), max(r.id)
      into reports, after
      from (select id, received_at, fleet_id, external, system_name, payload from records r
             where r.received_at >= since and r.received_at < until and r.id > after and r.classification like any(counted.updates)
             order by r.id limit slice) r
     cross join builds_of_update(r.payload) u;
    exit when after is null;
    perform count_updates(reports);
  end loop;
  perform rebuild_signals(d, counted);

  delete from record_days where day = d and last_id = 0;
end
$$;

-- Adds records to their days and to every counter of records.
create or replace function add_to_counters(came counted_record[]) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(exposure_lock());
  perform note_record_day(d, lowest, highest)
     from (select (received_at at time zone 'UTC')::date as d, min(id) as lowest, max(id) as highest
             from unnest(came) group by 1 order by 1) days;
  perform count_records(came);
end
$$;

-- Waits until no batch of a UTC day is being stored by someone who holds it. Locks are taken in this order everywhere: days, rows of
-- uncounted, exposure_lock, rows of record_days, counters.
create or replace function share_day(d date) returns void language sql as $$
  select pg_advisory_xact_lock_shared(738, d - date '2000-01-01'); -- two integers: apart from the other advisory locks
$$;

-- Waits for the batches of these UTC days that are under way, and lets later ones wait until the transaction ends.
create or replace function hold_days(first_day date, final_day date) returns void language plpgsql as $$
begin
  for days_ahead in 0 .. final_day - first_day loop
    perform pg_advisory_xact_lock(738, first_day + days_ahead - date '2000-01-01');
  end loop;
end
$$;

-- Notes from which id to which the records of a UTC day lie. Whoever counts records locks the row of their day before any counter.
create or replace function note_record_day(d date, lowest bigint, highest bigint) returns void language sql as $$
  insert into record_days as known (day, first_id, last_id) values (d, lowest, highest)
      on conflict (day) do update
     set first_id = least(known.first_id, excluded.first_id), last_id = greatest(known.last_id, excluded.last_id);
$$;

-- Adds records to the counters of records, in key order everywhere, so that instances can't deadlock.
create or replace function count_records(came counted_record[]) returns void language plpgsql as $$
begin
  insert into hour_counts as known (hour, fleet_id, external, records)
  select date_trunc('hour', received_at, 'UTC'), fleet_id, external, count(*) from unnest(came) group by 1, 2, 3 order by 1, 2, 3
      on conflict (hour, fleet_id, external) do update set records = known.records + excluded.records;

  insert into build_counts as known (day, system_name, build, classification, severity, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, build, classification, severity, fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7
      on conflict (day, system_name, build, classification, severity, fleet_id, external) do update
     set records = known.records + excluded.records;

  insert into platform_counts as known (day, system_name, host_type, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, host_type, fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, host_type, fleet_id, external) do update set records = known.records + excluded.records;

  insert into kernel_counts as known (day, system_name, kernel_version, arch, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, kernel_version, arch, fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, kernel_version, arch, fleet_id, external) do update
     set records = known.records + excluded.records;
end
$$;

-- Adds machine checks to their counters.
create or replace function count_machine_checks(came machine_check[]) returns void language plpgsql as $$
begin
  insert into machine_check_machines as known (day, machine_id, system_name, build, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, machine_id, system_name, build, fleet_id, external, count(*)
    from unnest(came) where machine_id <> '' group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, machine_id, system_name, build, fleet_id, external) do update set records = known.records + excluded.records;

  insert into machine_check_cpus as known (day, system_name, classification, cpu_model, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, classification, coalesce(cpu_model, ''), fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, classification, cpu_model, fleet_id, external) do update set records = known.records + excluded.records;
end
$$;

-- Adds the updates to their counter that went from one build to another.
create or replace function count_updates(came update_report[]) returns void language plpgsql as $$
begin
  insert into update_counts as known (day, system_name, from_build, to_build, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, from_build, to_build, fleet_id, external, count(*)
    from unnest(came) where from_build is not null and to_build is not null
   group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, from_build, to_build, fleet_id, external) do update set records = known.records + excluded.records;
end
$$;

-- The builds that a successful update went from and to, or nulls, and whether it failed. server_version is what an updater was offered: it does nothing where
-- that is older than current_version, or a number below 0, which is an error. The expressions set no bound on the length: that would
-- cost three times as much as the rest of them.
create or replace function builds_of_update(payload text, out from_build text, out to_build text, out failed boolean)
language plpgsql immutable parallel safe as $$
begin
  from_build := substring(payload from '(?n)^(?:current_version=|from_version:) *([_a-zA-Z0-9.+~^:][-_a-zA-Z0-9.+~^:]*)\s*$');
  to_build := substring(payload from '(?n)^(?:server_version=|to_version:) *([_a-zA-Z0-9.+~^:][-_a-zA-Z0-9.+~^:]*)\s*$');
  if length(from_build) > 64 then
    from_build := null;
  end if;
  if length(to_build) > 64 then
    to_build := null;
  end if;
  failed := coalesce(substring(payload from '(?n)^result(?:=|:) *(\S+)\s*$'), '0') <> '0';
  if from_build = to_build
     or failed
     or (payload ~ '(?n)^server_version=' and version_order(to_build) < version_order(from_build))
  then
    from_build := null;
  end if;
end
$$;
