-- Machine checks and updates are gathered over a whole day: looked for in each slice of 5,000 records, they made a large day's
-- rebuilding read it again and again.
create or replace function rebuild_counters(d date, machine_checks text[], updates text[]) returns void language plpgsql as $$
declare
  slice constant integer := 50000;
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  after bigint;
  came counted_record[];
  checks machine_check[];
  reports update_report[];
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

  after := 0;
  loop
    select array_agg(row(r.received_at, r.fleet_id, r.external, r.system_name, r.payload)::update_report), max(r.id)
      into reports, after
      from (select * from records r
             where r.received_at >= since and r.received_at < until and r.id > after and r.classification like any(updates)
             order by r.id limit slice) r;
    exit when after is null;
    perform count_updates(reports);
  end loop;

  delete from record_days where day = d and last_id = 0;
end
$$;

-- Sample data counts the machines of several days at once: most are seen on all of them, and move once.
drop function count_machines_of_day(date);
create function count_machines_of_days(first_day date, final_day date) returns void language plpgsql as $$
begin
  perform from record_days where day between first_day and final_day order by day for update; -- like batches do, before any other counter
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
    select machine_id, system_name, build, fleet_id, external, max(day) as day from seen group by 1, 2, 3, 4, 5
  ), stale as materialized (
    select known.ctid as place, known.last_day, latest.day
      from latest join machines_last_seen known using (machine_id, system_name, build, fleet_id, external)
     where known.last_day < latest.day
       for update of known
  ), moved as (
    update machines_last_seen known
       set last_day = stale.day
      from stale
     where known.ctid = stale.place
    returning known.system_name, known.build, known.fleet_id, known.external, known.last_day, stale.last_day as previous_day
  ), appeared as (
    insert into machines_last_seen (machine_id, system_name, build, fleet_id, external, last_day)
    select machine_id, system_name, build, fleet_id, external, day from latest
        on conflict do nothing
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
