-- Stores a batch of an old server's records, which keep their time of reception, with everything that would have been written when they
-- came. A record is an array, whose values are, from 0:
--   machine_id, fleet_id, external, severity, record_format_version, payload_format_version, classification, system_name,
--   build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at (Unix seconds),
--   payload, payload_raw (base64), fingerprint, an array of its kinds (crash, machine check, update), the names of the rules that
--   scrubbed it with commas between them, the time of reception, and the id to be kept where it is free, or null.
-- Ids to be kept lie below those that record_ids gives from now on. No two records may be the same one.
create or replace function import_records(batch jsonb, classifications counted_classifications,
                               out imported integer, out renumbered integer, out present integer) language plpgsql
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
      from ids_of_days d
      join records r on r.received_at >= d.day::timestamp at time zone 'UTC' and r.received_at < (d.day + 1)::timestamp at time zone 'UTC'
     where d.first_id <= highest and d.last_id >= lowest and r.id = any(wanted));
  -- As in store_records.
  perform pg_advisory_xact_lock_shared((737::bigint << 53) | case when is_called then last_value else 0 end) from record_ids;
  ids := array(
    select case when place = any(known) then 0
                when e->>23 is null or (e->>23)::bigint = any(taken) then nextval('record_ids')
                else (e->>23)::bigint end
      from jsonb_array_elements(batch) with ordinality as came (e, place));

  -- Before the days are locked, as batches do it: this waits for what a machine sends at this moment.
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
    select row((e->>22)::timestamptz, (e->>1)::smallint, (e->>2)::boolean, e->>7, u.from_build, u.to_build)::update_report
      from jsonb_array_elements(batch) with ordinality as came (e, place) cross join builds_of_update(e->>17) u
     where e->20 ? 'update' and ids[place] > 0));
  perform count_signals(array(
    select row(((e->>22)::timestamptz at time zone 'UTC')::date, e->>0, (e->>1)::smallint, (e->>2)::boolean, e->>7, e->>8, s.signal)::machine_signal
      from jsonb_array_elements(batch) with ordinality as came (e, place)
     cross join lateral (select signal_of(e->>6, classifications) as signal) s
     where ids[place] > 0 and e->>0 <> '' and (s.signal <> 'update' or (builds_of_update(e->>17)).failed)));
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

-- The places, from 1, of those records of a batch (see import_records) that are here already, by the rule of ingestion: same machine,
-- event, classification, capture time and payload within 48 hours.
create or replace function records_present(batch jsonb) returns integer[] language plpgsql stable
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
