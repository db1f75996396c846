-- The builds between which a successful update went, or nulls. A bound on the length within the expression would cost three times as
-- much as the rest of it.
create or replace function builds_of_update(payload text, out from_build text, out to_build text) language plpgsql immutable parallel safe as $$
begin
  from_build := substring(payload from '(?n)^(?:current_version=|from_version:) *([-_a-zA-Z0-9.]+)\s*$');
  to_build := substring(payload from '(?n)^(?:server_version=|to_version:) *([-_a-zA-Z0-9.]+)\s*$');
  if length(from_build) > 64 then
    from_build := null;
  end if;
  if length(to_build) > 64 then
    to_build := null;
  end if;
  if from_build = to_build or coalesce(substring(payload from '(?n)^result(?:=|:) *(\S+)\s*$'), '0') <> '0' then
    from_build := null;
  end if;
end
$$;

-- Sample data counts the machines of several days at once: most are seen on all of them, and move once.
create or replace function count_machines_of_days(first_day date, final_day date) returns void language plpgsql as $$
begin
  perform from record_days where day between first_day and final_day order by day for update; -- like batches do, before any other counter
  -- So that what is not there can be inserted without asking for each row again, which would double its cost. Counting waits; records don't.
  lock table machines_last_seen in share row exclusive mode;
  create temporary table seen on commit drop as
    select day, machine_id, system_name, coalesce(build, '*') as build, fleet_id, external
      from (select (received_at at time zone 'UTC')::date as day, machine_id, system_name, build, fleet_id, external
              from records
             where received_at >= first_day::timestamp at time zone 'UTC' and received_at < (final_day + 1)::timestamp at time zone 'UTC') r
     group by grouping sets ((day, machine_id, system_name, build, fleet_id, external), (day, machine_id, system_name, fleet_id, external));
  analyze seen;

  delete from machine_days where day between first_day and final_day;
  insert into machine_days (day, system_name, build, fleet_id, external, machines)
  select day, system_name, build, fleet_id, external, count(*) from seen group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5;

  with latest as materialized (
    select seen.*, known.ctid as place, known.last_day as previous_day
      from (select machine_id, system_name, build, fleet_id, external, max(day) as day from seen group by 1, 2, 3, 4, 5) seen
      left join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
  ), moved as (
    update machines_last_seen known
       set last_day = latest.day
      from latest
     where known.ctid = latest.place and latest.previous_day < latest.day
    returning known.system_name, known.build, known.fleet_id, known.external, known.last_day, latest.previous_day
  ), appeared as (
    insert into machines_last_seen (machine_id, system_name, build, fleet_id, external, last_day)
    select machine_id, system_name, build, fleet_id, external, day from latest where place is null order by 1, 2, 3, 4, 5
    returning system_name, build, fleet_id, external, last_day
  ), changes as (
    select last_day, system_name, build, fleet_id, external, 1 as machines from appeared
    union all select last_day, system_name, build, fleet_id, external, 1 from moved
    union all select previous_day, system_name, build, fleet_id, external, -1 from moved
  )
  insert into machine_counts as known (last_day, system_name, build, fleet_id, external, machines)
  select last_day, system_name, build, fleet_id, external, sum(machines)
    from changes group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (last_day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
  drop table seen;
end
$$;
