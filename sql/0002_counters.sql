-- Counters say what was received, by UTC day, fleet and source (external or not); retention of records leaves them alone.
-- Low fill factors keep their updates on the page (HOT).

-- Counters are written apart from the records, for many batches together: a counter that a batch adds to costs the same for one record
-- as for a hundred. A batch says in its own transaction what is still to be counted, so that nothing is forgotten.
create table uncounted (
  first_id    bigint      primary key,
  received_at timestamptz not null,
  ids         bigint[]    not null -- of records of one batch
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The ids of each day by now: counting notes those of batches within a second in record_days.
create view ids_of_days as
  select day, least(known.first_id, waiting.first_id) as first_id, greatest(known.last_id, waiting.last_id) as last_id, complete
    from record_days known
    left join (select (received_at at time zone 'UTC')::date as day, min(first_id) as first_id, max(ids[cardinality(ids)]) as last_id
                 from uncounted group by 1) waiting using (day);

create table hour_counts (
  hour     timestamptz not null,
  fleet_id smallint    not null,
  external boolean     not null,
  records  bigint      not null,
  primary key (hour, fleet_id, external)
) with (fillfactor = 50);

-- Heartbeats of the probe, which a machine sends once a day, by its version. Those of a quarter of an hour are one row, so that the last
-- day is a window that moves; rows are kept for two days. Erasing a machine and rebuild-counters leave them alone.
create table probe_heartbeats (
  quarter timestamptz not null,
  version integer     not null,
  records bigint      not null,
  primary key (quarter, version)
) with (fillfactor = 50);

create table build_counts (
  day            date     not null,
  fleet_id       smallint not null,
  external       boolean  not null,
  system_name    text collate "C" not null,
  build          text collate "C" not null,
  classification text collate "C" not null,
  severity       smallint not null,
  records        bigint   not null,
  primary key (day, system_name, build, classification, severity, fleet_id, external)
) with (fillfactor = 60);
create index build_counts_classification on build_counts (classification, day);

create table platform_counts (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text collate "C" not null,
  host_type   text collate "C" not null,
  records     bigint   not null,
  primary key (day, system_name, host_type, fleet_id, external)
) with (fillfactor = 60);

create table kernel_counts (
  day            date     not null,
  fleet_id       smallint not null,
  external       boolean  not null,
  system_name    text collate "C" not null,
  kernel_version text collate "C" not null,
  arch           text collate "C" not null,
  records        bigint   not null,
  primary key (day, system_name, kernel_version, arch, fleet_id, external)
) with (fillfactor = 60);

-- Successful updates.
create table update_counts (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  from_build  text     collate "C" not null,
  to_build    text     collate "C" not null,
  records     bigint   not null,
  primary key (day, system_name, from_build, to_build, fleet_id, external)
) with (fillfactor = 60);

-- Machine checks of each machine id.
create table machine_check_machines (
  day         date     not null,
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  records     bigint   not null,
  primary key (day, machine_id, system_name, build, fleet_id, external)
) with (fillfactor = 60);
create index machine_check_machines_machine on machine_check_machines (machine_id);

create table machine_check_cpus (
  day            date     not null,
  fleet_id       smallint not null,
  external       boolean  not null,
  system_name    text     collate "C" not null,
  classification text     collate "C" not null,
  cpu_model      text     collate "C" not null, -- '' where the record did not say
  records        bigint   not null,
  primary key (day, system_name, classification, cpu_model, fleet_id, external)
) with (fillfactor = 60);

-- Machine checks of each machine id over all days that are counted, so that those with most are found without adding up all. Triggers
-- keep it equal to machine_check_machines, whoever writes that. `last_day` stays when its row goes: it only keeps old ids out.
create table machine_check_totals (
  machine_id text   collate "C" primary key,
  last_day   date   not null,
  records    bigint not null
) with (fillfactor = 80);
create index machine_check_totals_records on machine_check_totals (records desc, machine_id);

-- The three write in key order, like every counter, so that two transactions can't deadlock.
create function add_machine_check_totals() returns trigger language plpgsql as $$
begin
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), sum(records) from came group by 1 order by 1
      on conflict (machine_id) do update
     set last_day = greatest(known.last_day, excluded.last_day), records = known.records + excluded.records;
  return null;
end
$$;

create function move_machine_check_totals() returns trigger language plpgsql as $$
begin
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), sum(records)
    from (select machine_id, day, records from came union all select machine_id, day, -records from went) moved
   group by 1 order by 1
      on conflict (machine_id) do update
     set last_day = greatest(known.last_day, excluded.last_day), records = known.records + excluded.records;
  return null;
end
$$;

create function take_machine_check_totals() returns trigger language plpgsql as $$
declare
  concerned text[];
begin
  select array_agg(distinct machine_id) into concerned from went;
  insert into machine_check_totals as known (machine_id, last_day, records)
  select machine_id, max(day), -sum(records) from went group by 1 order by 1
      on conflict (machine_id) do update set records = known.records + excluded.records;
  delete from machine_check_totals where machine_id = any(concerned) and records <= 0;
  return null;
end
$$;

create trigger came after insert on machine_check_machines
  referencing new table as came for each statement execute function add_machine_check_totals();
create trigger moved after update on machine_check_machines
  referencing old table as went new table as came for each statement execute function move_machine_check_totals();
create trigger went after delete on machine_check_machines
  referencing old table as went for each statement execute function take_machine_check_totals();

-- Distinct machine ids of a UTC day: for each build, and under build '*' for the system as a whole.
create table machine_days (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  machines    bigint   not null,
  primary key (day, system_name, build, fleet_id, external)
) with (fillfactor = 60);

-- The last UTC day on which a machine id reported: for each build it reported from, and once under build '*'
-- (no build can be called that) for the system as a whole.
create table machines_last_seen (
  machine_id  text collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text collate "C" not null,
  build       text collate "C" not null,
  last_day    date     not null,
  primary key (machine_id, system_name, build, fleet_id, external)
) with (fillfactor = 80);

-- How many machines were last seen on a day: the sum over the last N days counts the distinct machines of N days.
create table machine_counts (
  last_day    date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text collate "C" not null,
  build       text collate "C" not null,
  machines    bigint   not null,
  primary key (last_day, system_name, build, fleet_id, external)
) with (fillfactor = 60);

-- What the functions that count know of a record,
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

-- of a machine check,
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

-- and of an update.
create type update_report as (
  received_at timestamptz,
  fleet_id    smallint,
  external    boolean,
  system_name text,
  from_build  text, -- this and the next are null where it failed, changed nothing or does not say
  to_build    text
);
