-- As in 0012, and by their id and time of reception: rules of privacy.scrub may have changed a payload meanwhile.
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
