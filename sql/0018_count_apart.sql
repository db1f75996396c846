-- Counters are written apart from the records: many batches together, since a counter that a batch adds to costs the same for one
-- record as for a hundred. A batch says in its transaction what is still to be counted, so that nothing is forgotten.
create table uncounted (
  first_id    bigint      primary key,
  received_at timestamptz not null,
  ids         bigint[]    not null -- of records of one batch
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Says from which id to which the records of a UTC day lie. Everything that counts records locks its row before any counter.
create function note_record_day(d date, lowest bigint, highest bigint) returns void language sql as $$
  insert into record_days as known (day, first_id, last_id) values (d, lowest, highest)
      on conflict (day) do update
     set first_id = least(known.first_id, excluded.first_id), last_id = greatest(known.last_id, excluded.last_id);
$$;

-- Adds records to the counters of records. Everywhere in key order, so that instances can't deadlock.
create function count_records(came counted_record[]) returns void language plpgsql as $$
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

create or replace function add_to_counters(came counted_record[]) returns void language plpgsql as $$
begin
  perform note_record_day(d, lowest, highest)
     from (select (received_at at time zone 'UTC')::date as d, min(id) as lowest, max(id) as highest
             from unnest(came) group by 1 order by 1) days;
  perform count_records(came);
end
$$;

-- Counts the records of up to `batches` batches that are still to be counted, oldest first, and returns how many batches that were.
-- Those that another one is counting at this moment are skipped; where `batches` is null all are counted, and those are waited for.
-- `machine_checks` and `updates` are classifications, with % where any part will do.
create function count_stored(batches integer, machine_checks text[], updates text[]) returns integer language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  claimed bigint[];
  d date;
  since timestamptz;
  until timestamptz;
  ids bigint[];
  came counted_record[];
  checks machine_check[];
  reports bigint[];
begin
  if batches is null then
    claimed := array(select first_id from uncounted order by first_id for update);
  else
    claimed := array(select first_id from uncounted order by first_id limit batches for update skip locked);
  end if;

  -- Day by day: machines are seen on a day, and two at once would count on the later one alone.
  for d in
    select distinct (received_at at time zone 'UTC')::date from uncounted where first_id = any(claimed) order by 1
  loop
    ids := array(
      select unnest(u.ids) from uncounted u where u.first_id = any(claimed) and (u.received_at at time zone 'UTC')::date = d);
    since := d::timestamp at time zone 'UTC';
    until := (d + 1)::timestamp at time zone 'UTC';
    select array_agg(row(r.id, r.received_at, r.machine_id, r.fleet_id, r.external, r.severity, r.classification, r.system_name,
                         r.build, r.arch, r.kernel_version, r.host_type)::counted_record),
           array_agg(row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification,
                         r.cpu_model)::machine_check) filter (where r.classification like any(machine_checks)),
           array_agg(r.id) filter (where r.classification like any(updates))
      into came, checks, reports
      from records r where r.id = any(ids) and r.received_at >= since and r.received_at < until;
    if came is not null then
      perform count_records(came);
      perform count_machines(came);
    end if;
    if checks is not null then
      perform count_machine_checks(checks);
    end if;
    if reports is not null then
      -- As count_updates does, but payloads may be too large to be gathered.
      insert into update_counts as known (day, system_name, from_build, to_build, fleet_id, external, records)
      select d, r.system_name, u.from_build, u.to_build, r.fleet_id, r.external, count(*)
        from records r cross join builds_of_update(r.payload) u
       where r.id = any(reports) and r.received_at >= since and r.received_at < until
         and u.from_build is not null and u.to_build is not null
       group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
          on conflict (day, system_name, from_build, to_build, fleet_id, external) do update set records = known.records + excluded.records;
    end if;
  end loop;
  delete from uncounted where first_id = any(claimed);
  return cardinality(claimed);
end
$$;

-- Stores a batch: an array with an array for each record (half the work of objects), whose values are, from 0:
--   machine_id, fleet_id, external, severity, record_format_version, payload_format_version, classification, system_name,
--   build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at (Unix seconds),
--   payload, payload_raw (base64), fingerprint, an array of the kinds of work that wait for it (`work`: some have one), and the names of
--   the rules that scrubbed it with commas between them.
-- No two may have the same machine id and fingerprint. Returns a row for each, n being its place from 1: `fresh`, or the id
-- and time of the one that came before within 48 hours. Plans are made once and go by index, since a plan made while a
-- table was small would read it whole for years.
drop function store_records(jsonb, text[]);
create function store_records(batch jsonb, work boolean)
returns table (n integer, id bigint, received_at timestamptz, fresh boolean)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  size integer := jsonb_array_length(batch);
  arrival timestamptz := date_trunc('milliseconds', now());
  ids bigint[];
  fresh_ids bigint[];
begin
  -- Tells readers that follow ids (settled=true) from which id on this batch may still become visible. 737 marks our
  -- advisory locks above the 53 bits that hold an id.
  perform pg_advisory_xact_lock_shared((737::bigint << 53) | case when is_called then last_value else 0 end) from record_ids;
  ids := array(select nextval('record_ids') from generate_series(1, size));

  with remembered as (
    insert into recent_records as known (machine_id, fingerprint, id, received_at)
    select e->>0, (e->>19)::uuid, ids[place], arrival
      from jsonb_array_elements(batch) with ordinality as record (e, place)
     order by 1, 2
        on conflict (machine_id, fingerprint) do update
       set id = excluded.id, received_at = excluded.received_at
     where known.received_at < now() - interval '48 hours'
    returning known.id
  )
  select coalesce(array_agg(remembered.id order by remembered.id), '{}') into fresh_ids from remembered;

  if cardinality(fresh_ids) > 0 then
    insert into records (id, received_at, machine_id, fleet_id, external, severity, record_format_version,
                         payload_format_version, classification, system_name, build, arch, kernel_version, host_type,
                         board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw, scrubbed)
    select ids[place], arrival, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint, (e->>4)::smallint,
           (e->>5)::integer, e->>6, e->>7, e->>8, e->>9, e->>10, e->>11, e->>12, e->>13, e->>14, e->>15,
           to_timestamp((e->>16)::bigint), e->>17, decode(e->>18, 'base64'), string_to_array(e->>21, ',')
      from jsonb_array_elements(batch) with ordinality as record (e, place)
     where cardinality(fresh_ids) = size or ids[place] = any(fresh_ids);
    if work then
      insert into work_queue (kind, record_id, machine_id, received_at)
      select kind, ids[place], e->>0, arrival
        from jsonb_array_elements(batch) with ordinality as record (e, place), jsonb_array_elements_text(e->20) kind
       where cardinality(fresh_ids) = size or ids[place] = any(fresh_ids);
    end if;
    insert into uncounted (first_id, received_at, ids) values (fresh_ids[1], arrival, fresh_ids);
    perform note_record_day((arrival at time zone 'UTC')::date, fresh_ids[1], fresh_ids[cardinality(fresh_ids)]);
  end if;

  if cardinality(fresh_ids) = size then
    return query select place, ids[place], arrival, true from generate_series(1, size) place;
  else
    return query
      select place::integer, known.id, known.received_at, known.id = ids[place]
        from jsonb_array_elements(batch) with ordinality as record (e, place)
        join recent_records known on known.machine_id = e->>0 and known.fingerprint = (e->>19)::uuid;
  end if;
end
$$;

-- Counts what is still to be counted first.
create or replace function rebuild_counters(d date, machine_checks text[], updates text[]) returns void language plpgsql as $$
declare
  slice constant integer := 50000;
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  after bigint;
  came counted_record[];
  checks machine_check[];
begin
  -- Batches write the row of their day: those under way are waited for, later ones wait. What they have left uncounted until now goes
  -- with the rest.
  insert into record_days (day, first_id, last_id) values (d, 9007199254740991, 0)
      on conflict (day) do update set first_id = excluded.first_id, last_id = excluded.last_id;
  perform count_stored(null, machine_checks, updates);
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

  after := 0;
  loop
    select array_agg(row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification, r.cpu_model)::machine_check),
           max(r.id)
      into checks, after
      from (select * from records r
             where r.received_at >= since and r.received_at < until and r.id > after and r.classification like any(machine_checks)
             order by r.id limit slice) r;
    exit when after is null;
    perform count_machine_checks(checks);
  end loop;

  insert into update_counts (day, system_name, from_build, to_build, fleet_id, external, records)
  select d, r.system_name, u.from_build, u.to_build, r.fleet_id, r.external, count(*)
    from records r cross join builds_of_update(r.payload) u
   where r.received_at >= since and r.received_at < until and r.classification like any(updates)
     and u.from_build is not null and u.to_build is not null
   group by 1, 2, 3, 4, 5, 6;

  delete from record_days where day = d and last_id = 0;
end
$$;

-- Counts what is still to be counted first.
create or replace function forget_records(m text, d date, slice integer, machine_checks text[], updates text[])
returns integer language plpgsql as $$
declare
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  ids bigint[];
  gone counted_record[];
  crashed counted_crash[];
begin
  perform from record_days where day = d for update; -- like batches and rebuild_counters, before any counter
  perform count_stored(null, machine_checks, updates);
  ids := array(
    select id from records where machine_id = m and received_at >= since and received_at < until
     order by received_at, id limit slice for update);
  if cardinality(ids) = 0 then
    return 0;
  end if;
  -- An analysis under way holds its row in the queue: it is waited for, and what it has stored is seen by what follows.
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
             and classification like any(machine_checks)),
    array(select row(received_at, fleet_id, external, system_name, payload)::update_report
            from records
           where machine_id = m and received_at >= since and received_at < until and id = any(ids)
             and classification like any(updates)));
  perform take_from_stack_counters(d, crashed);
  delete from records where machine_id = m and received_at >= since and received_at < until and id = any(ids);
  delete from parsed where machine_id = m and received_at >= since and received_at < until and id = any(ids);

  -- It was a machine of that day on each build, and on the system as a whole (build '*'), until its last such record went.
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
