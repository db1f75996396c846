-- Ingestion stores a batch in one round trip: store_records. All of it is one transaction.

-- What ingestion tells apart of a record, but for what is only stored.
create type counted_record as (
  id             bigint,
  received_at    timestamptz,
  machine_id     text,
  fleet_id       smallint,
  external       boolean,
  severity       smallint,
  classification text,
  system_name    text,
  build          text,
  arch           text,
  kernel_version text,
  host_type      text
);

-- Moves each machine to the day it was now seen on. One already seen that day on that build costs one look-up: then its
-- row for the whole system (build '*') is of that day, too.
create function count_machines(came counted_record[]) returns void language plpgsql as $$
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
    select (machine).last_day, (machine).system_name, (machine).build, (machine).fleet_id, (machine).external, count(*)
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
      select machine, (machine).last_day as last_day, 1 as machines from moved
      union all select machine, previous_day, -1 from moved
    ), counted as (
      insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
      select last_day, (machine).system_name, (machine).build, (machine).fleet_id, (machine).external, sum(machines)
        from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
          on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines
    )
    select array_agg(machine) into returned from moved;
  end if;

  insert into machine_days as known (day, system_name, build, fleet_id, external, machines)
  select m.last_day, m.system_name, m.build, m.fleet_id, m.external, count(*)
    from unnest(appeared || returned) m group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
end
$$;

-- Adds records to every counter of records. Everywhere in key order, so that instances can't deadlock; record_days first, which
-- rebuild_counters locks.
create function add_to_counters(came counted_record[]) returns void language plpgsql as $$
begin
  insert into record_days as known (day, first_id, last_id)
  select (received_at at time zone 'UTC')::date, min(id), max(id) from unnest(came) group by 1 order by 1
      on conflict (day) do update
     set first_id = least(known.first_id, excluded.first_id), last_id = greatest(known.last_id, excluded.last_id);

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

create type machine_check as (
  received_at    timestamptz,
  machine_id     text,
  fleet_id       smallint,
  external       boolean,
  system_name    text,
  build          text,
  classification text,
  cpu_model      text
);

-- Adds machine checks to their counters.
create function count_machine_checks(came machine_check[]) returns void language plpgsql as $$
begin
  insert into machine_check_machines as known (day, machine_id, system_name, build, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, machine_id, system_name, build, fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, machine_id, system_name, build, fleet_id, external) do update set records = known.records + excluded.records;

  insert into machine_check_cpus as known (day, system_name, classification, cpu_model, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, classification, coalesce(cpu_model, ''), fleet_id, external, count(*)
    from unnest(came) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, classification, cpu_model, fleet_id, external) do update set records = known.records + excluded.records;
end
$$;

-- The builds that an update went from and to, by the lines of its payload, which two generations of updaters write differently;
-- null where it failed, changed nothing or does not tell.
create function builds_of_update(payload text, out from_build text, out to_build text) language plpgsql immutable parallel safe as $$
begin
  from_build := substring(payload from '(?n)^(?:current_version=|from_version:) *([-_a-zA-Z0-9.]{1,64})\s*$');
  to_build := substring(payload from '(?n)^(?:server_version=|to_version:) *([-_a-zA-Z0-9.]{1,64})\s*$');
  if from_build = to_build or coalesce(substring(payload from '(?n)^result(?:=|:) *(\S+)\s*$'), '0') <> '0' then
    from_build := null;
  end if;
end
$$;

create type update_report as (
  received_at timestamptz,
  fleet_id    smallint,
  external    boolean,
  system_name text,
  payload     text
);

-- Adds updates to their counter.
create function count_updates(came update_report[]) returns void language plpgsql as $$
begin
  insert into update_counts as known (day, system_name, from_build, to_build, fleet_id, external, records)
  select (received_at at time zone 'UTC')::date, system_name, u.from_build, u.to_build, fleet_id, external, count(*)
    from unnest(came) cross join builds_of_update(payload) u
   where u.from_build is not null and u.to_build is not null
   group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, from_build, to_build, fleet_id, external) do update set records = known.records + excluded.records;
end
$$;

-- Stores a batch: an array with an array for each record (half the work of objects), whose values are, from 0:
--   machine_id, fleet_id, external, severity, record_format_version, payload_format_version, classification, system_name,
--   build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at (Unix seconds),
--   payload, payload_raw (base64), fingerprint, and an array of its kinds; `kinds` are those that occur in the batch.
-- No two may have the same machine id and fingerprint. Returns a row for each, n being its place from 1: `fresh`, or the id
-- and time of the one that came before within 48 hours. Plans are made once and go by index, since a plan made while a
-- table was small would read it whole for years.
create function store_records(batch jsonb, kinds text[])
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
  counted counted_record[];
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
  select coalesce(array_agg(remembered.id), '{}') into fresh_ids from remembered;

  if cardinality(fresh_ids) > 0 then
    with stored as (
      insert into records (id, received_at, machine_id, fleet_id, external, severity, record_format_version,
                           payload_format_version, classification, system_name, build, arch, kernel_version, host_type,
                           board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw)
      select ids[place], arrival, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint, (e->>4)::smallint,
             (e->>5)::integer, e->>6, e->>7, e->>8, e->>9, e->>10, e->>11, e->>12, e->>13, e->>14, e->>15,
             to_timestamp((e->>16)::bigint), e->>17, decode(e->>18, 'base64')
        from jsonb_array_elements(batch) with ordinality as record (e, place)
       where cardinality(fresh_ids) = size or ids[place] = any(fresh_ids)
      returning row(id, received_at, machine_id, fleet_id, external, severity, classification, system_name, build, arch,
                    kernel_version, host_type)::counted_record as counted
    )
    select array_agg(stored.counted) into counted from stored;

    if 'crash' = any(kinds) then
      insert into work_queue (kind, record_id, machine_id, received_at)
      select 'crash', ids[place], e->>0, arrival
        from jsonb_array_elements(batch) with ordinality as record (e, place)
       where e->20 ? 'crash' and ids[place] = any(fresh_ids);
    end if;

    perform add_to_counters(counted);
    perform count_machines(counted);
    if 'machine check' = any(kinds) then
      perform count_machine_checks(array(
        select row(arrival, e->>0, (e->>1)::smallint, (e->>2)::boolean, e->>7, e->>8, e->>6, e->>13)::machine_check
          from jsonb_array_elements(batch) with ordinality as record (e, place)
         where e->20 ? 'machine check' and ids[place] = any(fresh_ids)));
    end if;
    if 'update' = any(kinds) then
      perform count_updates(array(
        select row(arrival, (e->>1)::smallint, (e->>2)::boolean, e->>7, e->>17)::update_report
          from jsonb_array_elements(batch) with ordinality as record (e, place)
         where e->20 ? 'update' and ids[place] = any(fresh_ids)));
    end if;
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

-- Derives the counters of records of a UTC day again. Only for a day whose records are complete: counters say what was
-- received, not what was kept. `machine_checks` and `updates` are classifications, with % where any part will do.
create function rebuild_counters(d date, machine_checks text[], updates text[]) returns void language plpgsql as $$
declare
  slice constant integer := 5000;
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  after bigint := 0;
  chunk counted_record[];
begin
  -- Batches write the row of their day before any other counter: those under way are waited for, later ones wait and then
  -- add to the result.
  insert into record_days (day, first_id, last_id) values (d, 9007199254740991, 0)
      on conflict (day) do update set first_id = excluded.first_id, last_id = excluded.last_id;
  delete from build_counts where day = d;
  delete from platform_counts where day = d;
  delete from kernel_counts where day = d;
  delete from machine_check_machines where day = d;
  delete from machine_check_cpus where day = d;
  delete from update_counts where day = d;
  delete from hour_counts where hour >= since and hour < until;
  loop
    chunk := array(
      select row(r.id, r.received_at, r.machine_id, r.fleet_id, r.external, r.severity, r.classification, r.system_name, r.build,
                 r.arch, r.kernel_version, r.host_type)::counted_record
        from records r
       where r.received_at >= since and r.received_at < until and r.id > after
       order by r.id limit slice);
    exit when cardinality(chunk) = 0;
    perform add_to_counters(chunk);
    perform count_machine_checks(array(
      select row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification, r.cpu_model)::machine_check
        from records r
       where r.received_at >= since and r.received_at < until and r.id > after and r.id <= chunk[cardinality(chunk)].id
         and r.classification like any(machine_checks)));
    perform count_updates(array(
      select row(r.received_at, r.fleet_id, r.external, r.system_name, r.payload)::update_report
        from records r
       where r.received_at >= since and r.received_at < until and r.id > after and r.id <= chunk[cardinality(chunk)].id
         and r.classification like any(updates)));
    after := chunk[cardinality(chunk)].id;
  end loop;
  delete from record_days where day = d and last_id = 0;
end
$$;

-- Counts the machines that records of a UTC day came from, as count_machines does for a batch. Machines seen later already
-- stay as they are, so that it may be repeated.
create function count_machines_of_day(d date) returns void language plpgsql as $$
begin
  perform from record_days where day = d for update; -- like batches do, before any other counter
  create temporary table seen on commit drop as
    select machine_id, system_name, build, fleet_id, external
      from records
     where received_at >= d::timestamp at time zone 'UTC' and received_at < (d + 1)::timestamp at time zone 'UTC'
     group by grouping sets ((machine_id, system_name, build, fleet_id, external), (machine_id, system_name, fleet_id, external));
  update seen set build = '*' where build is null;
  analyze seen;

  delete from machine_days where day = d;
  insert into machine_days (day, system_name, build, fleet_id, external, machines)
  select d, system_name, build, fleet_id, external, count(*) from seen group by 2, 3, 4, 5 order by 2, 3, 4, 5;

  with moved as (
    update machines_last_seen known
       set last_day = d
      from seen, machines_last_seen previous
     where (known.machine_id, known.system_name, known.build, known.fleet_id, known.external)
         = (seen.machine_id, seen.system_name, seen.build, seen.fleet_id, seen.external)
       and (previous.machine_id, previous.system_name, previous.build, previous.fleet_id, previous.external)
         = (seen.machine_id, seen.system_name, seen.build, seen.fleet_id, seen.external)
       and known.last_day < d
    returning known.system_name, known.build, known.fleet_id, known.external, previous.last_day as previous_day
  ), appeared as (
    insert into machines_last_seen (machine_id, system_name, build, fleet_id, external, last_day)
    select machine_id, system_name, build, fleet_id, external, d from seen
        on conflict do nothing
    returning system_name, build, fleet_id, external
  ), changes as (
    select d as last_day, system_name, build, fleet_id, external, 1 as machines from appeared
    union all select d, system_name, build, fleet_id, external, 1 from moved
    union all select previous_day, system_name, build, fleet_id, external, -1 from moved
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines)
    from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
  drop table seen;
end
$$;

-- Derives how many machines were last seen on each day again.
create function rebuild_machine_counts() returns void language plpgsql as $$
begin
  lock table machines_last_seen in share mode; -- batches write it before these counts
  delete from machine_counts;
  insert into machine_counts (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, count(*) from machines_last_seen group by 1, 2, 3, 4, 5;
end
$$;
