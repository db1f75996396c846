-- Stores a batch: an array with an array for each record (half the work of objects), whose values are, from 0:
--   machine_id, fleet_id, external, severity, record_format_version, payload_format_version, classification, system_name,
--   build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at (Unix seconds),
--   payload_raw (base64), fingerprint, the names of the rules that scrubbed it with commas between them, way_in.
-- `payloads` has the payload of each, followed by `separator`, which is in none: reading them as JSON would cost ten times as much.
-- `work` is what waits for a record, arrays of [place in the batch, kind]; `parsed` what a parser found in one,
-- [place, parser, data]; places count from 0, and either is null where there is none. No two records may have the same machine id
-- and fingerprint. Returns when the batch arrived, the id of each record, and for those that came before within 48 hours, whose
-- id means nothing, [place, id, received_at] of the first one. Plans are made once and go by index, since a plan made while a
-- table was small would read it whole for years.
create or replace function store_records(batch jsonb, payloads text, separator text, work jsonb, parsed jsonb,
                              out arrival timestamptz, out ids bigint[], out repeated jsonb)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  size constant integer := jsonb_array_length(batch);
  payload_of constant text[] := string_to_array(payloads, separator);
  fresh_ids bigint[];
  today date;
begin
  arrival := date_trunc('milliseconds', now());
  today := (arrival at time zone 'UTC')::date;
  -- Shows readers that follow ids (settled=true) from which id on this batch may still become visible. 737 marks our
  -- advisory locks above the 53 bits that hold an id.
  perform pg_advisory_xact_lock_shared((737::bigint << 53) | case when is_called then last_value else 0 end) from record_ids;
  ids := array(select nextval('record_ids') from generate_series(1, size));

  -- Takes all for new, which costs half of asking for each; asks only where one is not.
  begin
    insert into recent_records (machine_id, fingerprint, id, received_at)
    select e->>0, (e->>18)::uuid, ids[place], arrival
      from jsonb_array_elements(batch) with ordinality as record (e, place)
     order by 1, 2;
    fresh_ids := ids;
  exception when unique_violation then
    with remembered as (
      insert into recent_records as known (machine_id, fingerprint, id, received_at)
      select e->>0, (e->>18)::uuid, ids[place], arrival
        from jsonb_array_elements(batch) with ordinality as record (e, place)
       order by 1, 2
          on conflict (machine_id, fingerprint) do update
         set id = excluded.id, received_at = excluded.received_at
       where known.received_at < now() - interval '48 hours'
      returning known.id
    )
    select coalesce(array_agg(remembered.id order by remembered.id), '{}') into fresh_ids from remembered;
  end;

  if cardinality(fresh_ids) < size then
    repeated := (
      select jsonb_agg(jsonb_build_array(place - 1, known.id, known.received_at))
        from jsonb_array_elements(batch) with ordinality as record (e, place)
        join recent_records known on known.machine_id = e->>0 and known.fingerprint = (e->>18)::uuid
       where ids[place] <> all(fresh_ids));
    if cardinality(fresh_ids) + coalesce(jsonb_array_length(repeated), 0) < size then
      raise serialization_failure using message = 'a record that came before was forgotten meanwhile'; -- the batch is tried again
    end if;
  end if;
  if cardinality(fresh_ids) = 0 then
    return;
  end if;

  insert into records (id, received_at, machine_id, fleet_id, external, severity, record_format_version,
                       payload_format_version, classification, system_name, build, arch, kernel_version, host_type,
                       board_name, cpu_model, bios_version, event_id, captured_at, payload, payload_raw, scrubbed, way_in)
  select ids[place], arrival, e->>0, (e->>1)::smallint, (e->>2)::boolean, (e->>3)::smallint, (e->>4)::smallint,
         (e->>5)::integer, e->>6, e->>7, e->>8, e->>9, e->>10, e->>11, e->>12, e->>13, e->>14, e->>15,
         to_timestamp((e->>16)::bigint), payload_of[place], decode(e->>17, 'base64'), string_to_array(e->>19, ','),
         e->>20
    from jsonb_array_elements(batch) with ordinality as record (e, place)
   where repeated is null or ids[place] = any(fresh_ids);
  if work is not null then
    insert into work_queue (kind, record_id, machine_id, received_at)
    select e->>1, ids[(e->>0)::integer + 1], batch->(e->>0)::integer->>0, arrival
      from jsonb_array_elements(work) e
     where repeated is null or ids[(e->>0)::integer + 1] = any(fresh_ids);
  end if;
  if parsed is not null then
    insert into parsed (machine_id, received_at, id, parser, data)
    select batch->(e->>0)::integer->>0, arrival, ids[(e->>0)::integer + 1], e->>1, e->2
      from jsonb_array_elements(parsed) e
     where repeated is null or ids[(e->>0)::integer + 1] = any(fresh_ids);
  end if;
  insert into uncounted (first_id, received_at, ids) values (fresh_ids[1], arrival, fresh_ids);
  -- Batches don't wait for each other: counting widens the ids of the day.
  perform share_day(today);
  if not exists (select from record_days where day = today) then
    perform note_record_day(today, fresh_ids[1], fresh_ids[cardinality(fresh_ids)]);
  end if;
end
$$;
