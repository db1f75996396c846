-- Records to be counted are found by id in the partition of their day. With the time of reception as a second condition the planner reads a
-- whole index instead, four times a second, until a new partition has statistics.

-- Counts the records of up to `batches` batches that are still to be counted, oldest first, and returns how many batches that were.
-- Those that another one is counting at this moment are skipped; where `batches` is null all are counted, and those are waited for.
-- `machine_checks` and `updates` are classifications, with % where any part will do.
create or replace function count_stored(batches integer, machine_checks text[], updates text[]) returns integer language plpgsql
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
    -- Where some are not there, their partition may have been made or gathered at this very moment.
    foreach part in array array[coalesce(to_regclass(days_table('records', d)), to_regclass(months_table('records', d)),
                                         'records_default'), 'records'::regclass]
    loop
      execute format($q$
        select array_agg(row(r.id, r.received_at, r.machine_id, r.fleet_id, r.external, r.severity, r.classification, r.system_name,
                             r.build, r.arch, r.kernel_version, r.host_type)::counted_record),
               array_agg(row(r.received_at, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, r.classification,
                             r.cpu_model)::machine_check) filter (where r.classification like any($2)),
               array_agg(r.id) filter (where r.classification like any($3))
          from %s r where r.id = any($1)$q$, part) into came, checks, reports using ids, machine_checks, updates;
      exit when cardinality(came) = cardinality(ids);
    end loop;
    if came is not null then
      perform count_records(came);
      perform count_machines(came);
    end if;
    if checks is not null then
      perform count_machine_checks(checks);
    end if;
    if reports is not null then
      -- As count_updates does, but payloads may be too large to be gathered.
      execute format($q$
      insert into update_counts as known (day, system_name, from_build, to_build, fleet_id, external, records)
      select $2, r.system_name, u.from_build, u.to_build, r.fleet_id, r.external, count(*)
        from %s r cross join builds_of_update(r.payload) u
       where r.id = any($1) and u.from_build is not null and u.to_build is not null
       group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
          on conflict (day, system_name, from_build, to_build, fleet_id, external) do update set records = known.records + excluded.records
      $q$, part) using reports, d;
    end if;
  end loop;
  delete from uncounted where first_id = any(claimed);
  return cardinality(claimed);
end
$$;
