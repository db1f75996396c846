-- Records of an old server keep their time of reception, and their id where it is free.

-- How far each old database was read, and what became of its records; written in the transaction that stores them.
create table imports (
  source      text        primary key, -- which database: PostgreSQL's system identifier and the database's oid
  name        text        not null, -- host and database, as it was called last
  started_at  timestamptz not null default now(),
  last_id     numeric     not null, -- of the old records read so far
  imported    bigint      not null default 0,
  renumbered  bigint      not null default 0, -- of the imported: their id was taken
  present     bigint      not null default 0, -- were here already
  set_aside   jsonb       not null default '{}' check (jsonb_typeof(set_aside) = 'object'), -- counts by reason
  judged_at   timestamptz -- comments, hidden flags and never-guilty list were taken over
);

-- Moves machines to the day they were now seen on, as count_machines does, but of records of any day: a machine that was seen later counts
-- for its day as well. Call it before the records are stored, and once their rows in record_days are locked.
create function count_machines_of_past(came counted_record[]) returns void language plpgsql
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
    returning known.last_day, known.system_name, known.build, known.fleet_id, known.external
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, count(*) from added group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
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
    returning known.system_name, known.build, known.fleet_id, known.external, stale.day, stale.last_day as previous_day
  ), changes as (
    select day as last_day, system_name, build, fleet_id, external, 1 as machines from moved
    union all select previous_day, system_name, build, fleet_id, external, -1 from moved
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines)
    from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;

  insert into machine_days as known (day, system_name, build, fleet_id, external, machines)
  select s.last_day, s.system_name, s.build, s.fleet_id, s.external, count(*)
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

-- The places, from 1, of those records of a batch (see import_records) that are here already, by the rule of ingestion: same machine,
-- event, classification, capture time and payload within 48 hours.
create function records_present(batch jsonb) returns integer[] language plpgsql stable
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  since timestamptz;
  until timestamptz;
begin
  select min((e->>22)::timestamptz) - interval '48 hours', max((e->>22)::timestamptz) + interval '48 hours' into since, until
    from jsonb_array_elements(batch) e;
  return array(
    select place::integer
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     where exists (
             select from (
               select id, received_at, classification, captured_at, event_id, payload from records
                where machine_id = e->>0 and received_at > since and received_at < until
                  and received_at > (e->>22)::timestamptz - interval '48 hours'
                  and received_at < (e->>22)::timestamptz + interval '48 hours'
               offset 0 -- by the primary key, whatever statistics say of classifications
             ) r
              where (r.captured_at = to_timestamp((e->>16)::bigint) and r.classification = e->>6
                     and r.event_id is not distinct from e->>15 and r.payload = e->>17)
                 or (r.id = (e->>23)::bigint and r.received_at = (e->>22)::timestamptz))
        or exists (
             select from recent_records known
              where known.machine_id = e->>0 and known.fingerprint = (e->>19)::uuid
                and known.received_at > (e->>22)::timestamptz - interval '48 hours'
                and known.received_at < (e->>22)::timestamptz + interval '48 hours'));
end
$$;

-- Stores a batch of old records with everything that store_records would have written when they came. A record is an array as
-- there, with two values more: 22 the time of reception, and 23 the id to be kept where it is free, or null. Ids to be kept lie
-- below those that record_ids gives from now on. No two records may be the same one.
create function import_records(batch jsonb, out imported integer, out renumbered integer, out present integer) language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  recent constant timestamptz := now() - interval '48 hours';
  known constant integer[] := records_present(batch);
  wanted constant bigint[] := array(select (e->>23)::bigint from jsonb_array_elements(batch) e where e->>23 is not null);
  lowest constant bigint := (select min(id) from unnest(wanted) id);
  highest constant bigint := (select max(id) from unnest(wanted) id);
  taken bigint[];
  ids bigint[]; -- by place; 0: not stored
  remembered bigint[];
  counted counted_record[];
begin
  taken := array(
    select r.id
      from record_days d
      join records r on r.received_at >= d.day::timestamp at time zone 'UTC' and r.received_at < (d.day + 1)::timestamp at time zone 'UTC'
     where d.first_id <= highest and d.last_id >= lowest and r.id = any(wanted));
  -- As in store_records.
  perform pg_advisory_xact_lock_shared((737::bigint << 53) | case when is_called then last_value else 0 end) from record_ids;
  ids := array(
    select case when place = any(known) then 0
                when e->>23 is null or (e->>23)::bigint = any(taken) then nextval('record_ids')
                else (e->>23)::bigint end
      from jsonb_array_elements(batch) with ordinality as came (e, place));

  -- Before the days are locked, like batches: what a machine sends at this moment is waited for.
  with kept as (
    insert into recent_records as known (machine_id, fingerprint, id, received_at)
    select e->>0, (e->>19)::uuid, ids[place], (e->>22)::timestamptz
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     where ids[place] > 0 and (e->>22)::timestamptz > recent
     order by 1, 2
        on conflict (machine_id, fingerprint) do update
       set id = excluded.id, received_at = excluded.received_at
     where known.received_at < recent
    returning known.id
  )
  select coalesce(array_agg(kept.id), '{}') into remembered from kept;
  ids := array(
    select case when (e->>22)::timestamptz <= recent or ids[place] = any(remembered) then ids[place] else 0 end
      from jsonb_array_elements(batch) with ordinality as came (e, place));

  counted := array(
    select row(ids[place], (e->>22)::timestamptz, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint, e->>6, e->>7,
               e->>8, e->>9, e->>10, e->>11)::counted_record
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     where ids[place] > 0);
  imported := cardinality(counted);
  present := jsonb_array_length(batch) - imported;
  select count(*) into renumbered
    from jsonb_array_elements(batch) with ordinality as came (e, place)
   where ids[place] > 0 and ids[place] is distinct from (e->>23)::bigint;
  if imported = 0 then
    return;
  end if;

  perform add_to_counters(counted);
  perform count_machines_of_past(counted);
  perform count_machine_checks(array(
    select row((e->>22)::timestamptz, e->>0, (e->>1)::smallint, (e->>2)::boolean, e->>7, e->>8, e->>6, e->>13)::machine_check
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     where e->20 ? 'machine check' and ids[place] > 0));
  perform count_updates(array(
    select row((e->>22)::timestamptz, (e->>1)::smallint, (e->>2)::boolean, e->>7, e->>17)::update_report
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     where e->20 ? 'update' and ids[place] > 0));
  insert into work_queue (kind, record_id, machine_id, received_at)
  select 'crash', ids[place], e->>0, (e->>22)::timestamptz
    from jsonb_array_elements(batch) with ordinality as came (e, place)
   where e->20 ? 'crash' and ids[place] > 0;
  insert into records (id, received_at, machine_id, fleet_id, external, severity, record_format_version, payload_format_version,
                       classification, system_name, build, arch, kernel_version, host_type, board_name, cpu_model, bios_version,
                       event_id, captured_at, payload, payload_raw, scrubbed)
  select ids[place], (e->>22)::timestamptz, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint, (e->>4)::smallint,
         (e->>5)::integer, e->>6, e->>7, e->>8, e->>9, e->>10, e->>11, e->>12, e->>13, e->>14, e->>15,
         to_timestamp((e->>16)::bigint), e->>17, decode(e->>18, 'base64'), string_to_array(e->>21, ',')
    from jsonb_array_elements(batch) with ordinality as came (e, place)
   where ids[place] > 0;
end
$$;
