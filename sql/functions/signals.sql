-- The lock under which is written who is exposed and who is affected: which of the two comes first must not matter. Who counts, forgets or
-- counts again takes it, before record_days and any counter (see share_day); who analyses crashes shares it, before guilty_machines.
create or replace function exposure_lock() returns bigint language sql immutable parallel safe as $$
  select 7283640160
$$;

-- Which signal a classification is: 'heartbeat'; 'crash', of programs; 'kernel', its reports; 'uncorrected' and 'corrected' machine
-- checks; 'thermal'; 'update', where it failed. Null for any other.
create or replace function signal_of(classification text, counted counted_classifications) returns text language sql immutable parallel safe as $$
  select case
           when classification like any(counted.heartbeats) then 'heartbeat'
           when classification like any(counted.updates) then 'update'
           when classification like any(counted.machine_checks) then
             case when classification ~ '/mce/(uncorrected|SRAO|SRAR|UCNA)$' then 'uncorrected' else 'corrected' end
           when classification like any(counted.thermal) then 'thermal'
           when classification like any(array['%/kernel/%', '%/kerneloops/%']) then 'kernel'
           when classification like any(counted.crashes) then 'crash'
         end
$$;

-- Counts exposure and affected machines. A machine counts once for a build, signal and period, on its earliest day, whatever comes first.
create or replace function count_signals(came machine_signal[]) returns void language plpgsql as $$
begin
  perform count_exposure(array(
    select row(s.machine_id, s.fleet_id, s.external, s.system_name, s.build, period_of(s.day),
               bit_or((1 << (s.day - period_of(s.day) + 2))::smallint))::exposed_machines
      from unnest(came) s where s.signal = 'heartbeat'
     group by s.machine_id, s.fleet_id, s.external, s.system_name, s.build, period_of(s.day)));
  perform count_affected(array(
    select row(s.machine_id, s.fleet_id, s.external, s.system_name, s.build, s.signal, period_of(s.day), min(s.day), false)::affected_machines
      from unnest(came) s where s.signal <> 'heartbeat'
     group by s.machine_id, s.fleet_id, s.external, s.system_name, s.build, s.signal, period_of(s.day)));
end
$$;

-- Adds days on which machines sent heartbeats.
create or replace function count_exposure(came exposed_machines[]) returns void language plpgsql as $$
declare
  -- The days that are new of each build, and of each system.
  fresh constant exposed_machines[] := array(
    select row(c.machine_id, c.fleet_id, c.external, c.system_name, c.build, c.period, c.days & ~coalesce(known.days, 0::smallint))::exposed_machines
      from unnest(came) c
      left join exposed_machines known using (period, machine_id, system_name, build, fleet_id, external)
     where c.days & ~coalesce(known.days, 0::smallint) <> 0);
  of_system exposed_machines[];
begin
  if cardinality(fresh) = 0 then
    return;
  end if;
  of_system := array(
    select row(f.machine_id, f.fleet_id, f.external, f.system_name, '*', f.period, f.days & ~coalesce(known.days, 0::smallint))::exposed_machines
      from (select machine_id, fleet_id, external, system_name, period, bit_or(days) as days from unnest(fresh) group by 1, 2, 3, 4, 5) f
     cross join lateral (
             select bit_or(e.days) as days from exposed_machines e
              where e.period = f.period and e.machine_id = f.machine_id and e.system_name = f.system_name
                and e.fleet_id = f.fleet_id and e.external = f.external) known);

  insert into exposed_machines as known (period, machine_id, system_name, build, fleet_id, external, days)
  select period, machine_id, system_name, build, fleet_id, external, days from unnest(fresh) order by 1, 2, 3, 4, 5, 6
      on conflict (period, machine_id, system_name, build, fleet_id, external) do update set days = known.days | excluded.days;
  perform add_to_exposure_counts(fresh || of_system, 1);

  with told as (
    update affected_machines known set exposed = true
      from (select distinct machine_id, period from unnest(fresh)) f
     where known.machine_id = f.machine_id and known.period = f.period and not known.exposed
    returning known.first_day, known.system_name, known.build, known.signal, known.fleet_id, known.external
  )
  insert into affected_counts as known (day, system_name, build, signal, fleet_id, external, machines, exposed)
  select first_day, system_name, build, signal, fleet_id, external, 0, count(*) from told group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, build, signal, fleet_id, external) do update set exposed = known.exposed + excluded.exposed;

  with told as (
    update guilty_machines known set exposed = true
      from (select distinct machine_id, period from unnest(fresh)) f
     where known.machine_id = f.machine_id and period_of(known.last_day) = f.period and not known.exposed
    returning known.guilty_id, known.last_day, known.system_name, known.fleet_id, known.external
  )
  insert into guilty_machine_counts as known (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
  select guilty_id, last_day, system_name, fleet_id, external, 0, count(*) from told group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (guilty_id, last_day, system_name, fleet_id, external) do update set exposed = known.exposed + excluded.exposed;
end
$$;

-- Adds (1) or takes away (-1) days of machines.
create or replace function add_to_exposure_counts(came exposed_machines[], sign integer) returns void language sql as $$
  insert into exposure_counts as known (day, system_name, build, fleet_id, external, machines)
  select c.period - 2 + bit, c.system_name, c.build, c.fleet_id, c.external, sign * count(*)
    from unnest(came) c cross join generate_series(0, 2) bit
   where c.days & (1 << bit) <> 0
   group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
      on conflict (day, system_name, build, fleet_id, external) do update set machines = known.machines + excluded.machines;
$$;

-- Adds machines that had a signal, and moves those to an earlier day that are known from a later one.
create or replace function count_affected(came affected_machines[]) returns void language plpgsql as $$
declare
  news constant affected_machines[] := array(
    select row(c.machine_id, c.fleet_id, c.external, c.system_name, c.build, c.signal, c.period, c.first_day,
               exists (select from exposed_machines e where e.period = c.period and e.machine_id = c.machine_id))::affected_machines
      from unnest(came) c
      left join affected_machines known using (period, machine_id, system_name, build, signal, fleet_id, external)
     where known.first_day is null or known.first_day > c.first_day);
begin
  if cardinality(news) = 0 then
    return;
  end if;
  insert into affected_counts as known (day, system_name, build, signal, fleet_id, external, machines, exposed)
  select day, system_name, build, signal, fleet_id, external, sum(sign), sum(sign * exposed::integer)
    from (
           select n.first_day as day, n.system_name, n.build, n.signal, n.fleet_id, n.external, 1 as sign, n.exposed from unnest(news) n
            union all
           select known.first_day, system_name, build, signal, fleet_id, external, -1, known.exposed
             from unnest(news) n
             join affected_machines known using (period, machine_id, system_name, build, signal, fleet_id, external)
         ) changes
   group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, build, signal, fleet_id, external) do update
     set machines = known.machines + excluded.machines, exposed = known.exposed + excluded.exposed;

  insert into affected_machines as known (period, machine_id, system_name, build, signal, fleet_id, external, first_day, exposed)
  select period, machine_id, system_name, build, signal, fleet_id, external, first_day, exposed
    from unnest(news) order by 1, 2, 3, 4, 5, 6, 7
      on conflict (period, machine_id, system_name, build, signal, fleet_id, external) do update set first_day = excluded.first_day;
end
$$;

-- Counts the signals of the records of a UTC day: of one machine id, or of all where that is null. What was counted already changes nothing.
create or replace function count_signals_of_day(d date, m text, counted counted_classifications) returns void language plpgsql as $$
declare
  slice constant integer := 50000;
  since constant timestamptz := d::timestamp at time zone 'UTC';
  until constant timestamptz := (d + 1)::timestamp at time zone 'UTC';
  names constant text[] := array(
    select classification from (select distinct classification from build_counts where day = d) known
     where signal_of(classification, counted) is not null);
  after bigint := 0;
  came machine_signal[];
begin
  if cardinality(names) = 0 then
    return;
  end if;
  loop
    select array_agg(row(d, r.machine_id, r.fleet_id, r.external, r.system_name, r.build, s.signal)::machine_signal)
             filter (where r.machine_id <> '' and (s.signal <> 'update' or (builds_of_update(r.payload)).failed)),
           max(r.id)
      into came, after
      from (select * from records r
             where r.received_at >= since and r.received_at < until and r.id > after and r.classification = any(names)
               and (m is null or r.machine_id = m)
             order by r.id limit slice) r
     cross join lateral (select signal_of(r.classification, counted) as signal) s;
    exit when after is null;
    perform count_signals(came);
  end loop;
end
$$;

-- Derives the exposure of a UTC day again, and who was first affected on it. For a day whose records are complete; those of the days
-- that follow in its period may be gone in part: who is known from there stays known.
create or replace function rebuild_signals(d date, counted counted_classifications) returns void language plpgsql as $$
declare
  of_period constant date := period_of(d);
  bit constant smallint := (1 << (d - of_period + 2))::smallint;
begin
  delete from exposure_counts where day = d;
  update exposed_machines set days = days & ~bit where period = of_period and days & bit <> 0;
  delete from exposed_machines where period = of_period and days = 0;
  delete from affected_machines where period = of_period and first_day = d;
  for day in 0 .. of_period - d loop
    perform count_signals_of_day(d + day, null, counted);
  end loop;

  update affected_machines known set exposed = not known.exposed
   where period = of_period
     and known.exposed <> exists (select from exposed_machines e where e.period = known.period and e.machine_id = known.machine_id);
  delete from affected_counts where day between of_period - 2 and of_period;
  insert into affected_counts (day, system_name, build, signal, fleet_id, external, machines, exposed)
  select first_day, system_name, build, signal, fleet_id, external, count(*), count(*) filter (where exposed)
    from affected_machines where period = of_period group by 1, 2, 3, 4, 5, 6;
end
$$;

-- Derives again which machines of guilties are exposed.
create or replace function rebuild_guilty_exposure() returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(exposure_lock());
  update guilty_machines known set exposed = not known.exposed
   where known.exposed <> exists (
           select from exposed_machines e where e.period = period_of(known.last_day) and e.machine_id = known.machine_id);
  delete from guilty_machine_counts;
  insert into guilty_machine_counts (guilty_id, last_day, system_name, fleet_id, external, machines, exposed)
  select guilty_id, last_day, system_name, fleet_id, external, sum(machines(machine_id)), count(*) filter (where exposed)
    from guilty_machines group by 1, 2, 3, 4, 5;
end
$$;

-- The periods of which machines are known, found by one step in an index each.
create or replace function counted_periods() returns setof date language sql stable as $$
  with recursive exposed as (
    select min(period) as period from exposed_machines
    union all
    select (select min(e.period) from exposed_machines e where e.period > exposed.period) from exposed where exposed.period is not null
  ), affected as (
    select min(period) as period from affected_machines
    union all
    select (select min(a.period) from affected_machines a where a.period > affected.period) from affected where affected.period is not null
  )
  select period from exposed where period is not null union select period from affected where period is not null
$$;

-- Takes a machine id out of exposure and affected machines of some periods.
create or replace function take_signals(m text, periods date[]) returns void language plpgsql as $$
declare
  concerned constant date[] := array(select p - n from unnest(periods) p cross join generate_series(0, 2) n);
  gone exposed_machines[];
begin
  with deleted as (
    delete from exposed_machines e where machine_id = m and period = any(periods) returning row(e.*)::exposed_machines as machine
  )
  select coalesce(array_agg(machine), '{}') into gone from deleted;
  perform add_to_exposure_counts(
    gone || array(
      select row(m, fleet_id, external, system_name, '*', period, bit_or(days))::exposed_machines
        from unnest(gone) group by fleet_id, external, system_name, period),
    -1);
  delete from exposure_counts where machines <= 0 and day = any(concerned);

  with deleted as (
    delete from affected_machines where machine_id = m and period = any(periods)
    returning first_day, system_name, build, signal, fleet_id, external, exposed
  )
  insert into affected_counts as known (day, system_name, build, signal, fleet_id, external, machines, exposed)
  select first_day, system_name, build, signal, fleet_id, external, -count(*), -count(*) filter (where exposed)
    from deleted group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
      on conflict (day, system_name, build, signal, fleet_id, external) do update
     set machines = known.machines + excluded.machines, exposed = known.exposed + excluded.exposed;
  delete from affected_counts where machines <= 0 and day = any(concerned);
end
$$;
