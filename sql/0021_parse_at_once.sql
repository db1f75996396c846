-- Short payloads are read before they are stored: what was found goes in with the records.

-- Stores a batch: an array with an array for each record (half the work of objects), whose values are, from 0:
--   machine_id, fleet_id, external, severity, record_format_version, payload_format_version, classification, system_name,
--   build, arch, kernel_version, host_type, board_name, cpu_model, bios_version, event_id, captured_at (Unix seconds),
--   payload, payload_raw (base64), fingerprint, an array of the kinds of work that wait for it (`work`: some have one), the names of
--   the rules that scrubbed it with commas between them, and what a parser found in it, [parser, data] or null (`parsed`: some have it).
-- No two may have the same machine id and fingerprint. Returns a row for each, n being its place from 1: `fresh`, or the id
-- and time of the one that came before within 48 hours. Plans are made once and go by index, since a plan made while a
-- table was small would read it whole for years.
drop function store_records(jsonb, boolean);
create function store_records(batch jsonb, work boolean, parsed boolean)
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
    if parsed then
      insert into parsed (machine_id, received_at, id, parser, data)
      select e->>0, arrival, ids[place], e#>>'{22,0}', e#>'{22,1}'
        from jsonb_array_elements(batch) with ordinality as record (e, place)
       where jsonb_typeof(e->22) = 'array' and (cardinality(fresh_ids) = size or ids[place] = any(fresh_ids));
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
