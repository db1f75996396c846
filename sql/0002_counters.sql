-- Counters say what was received, by UTC day, fleet and source (external or not); retention of records does not change
-- them. Low fill factors keep their updates on the page (HOT).

-- Counters are written after the records, for many batches together, because adding one record to a counter costs as
-- much as adding a hundred. Each batch notes in its own transaction what to count, so that nothing is forgotten.
create table uncounted (
  first_id    bigint      primary key,
  received_at timestamptz not null,
  ids         bigint[]    not null -- the records of one batch
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The current range of ids of each day: record_days, and the batches that counting will add to it within a second.
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

-- The probe's heartbeats by its version; a machine sends one a day. A row holds a quarter of an hour, so that the
-- window of the last day can move; rows are kept for two days. Erasing a machine and rebuild-counters do not change
-- them.
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
  cpu_model      text     collate "C" not null, -- '' if the record did not say
  records        bigint   not null,
  primary key (day, system_name, classification, cpu_model, fleet_id, external)
) with (fillfactor = 60);

-- The sum of each machine id's machine checks over all counted days, so that the machines with most are found without
-- adding up. Triggers keep it equal to machine_check_machines, whoever writes that. `last_day` stays when a day's row
-- is deleted; it only serves to leave out old ids.
create table machine_check_totals (
  machine_id text   collate "C" primary key,
  last_day   date   not null,
  records    bigint not null
) with (fillfactor = 80);
create index machine_check_totals_records on machine_check_totals (records desc, machine_id);

-- The three functions write in key order, like all counting, so that two transactions can't deadlock.
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

-- Distinct machine ids of a UTC day: for each build, and for the whole system under build '*'.
create table machine_days (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  machines    bigint   not null,
  primary key (day, system_name, build, fleet_id, external)
) with (fillfactor = 60);

-- The last UTC day on which a machine id reported: for each build, and for the whole system under build '*' (no build
-- can have that name).
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

-- Ids live about 3 days, so a machine counts once in each period of 3 UTC days. A period goes by its last day.
create function period_of(d date) returns date language sql immutable strict parallel safe as $$
  select d + 2 - (d - date '1970-01-01') % 3
$$;

-- The days of a period on which a machine id sent a heartbeat: bit 0 is the first day. The period is first in the key, so that new
-- rows lie together, however many years are kept.
create table exposed_machines (
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  period      date     not null,
  days        smallint not null,
  primary key (period, machine_id, system_name, build, fleet_id, external)
) with (fillfactor = 80);

-- Machine-days, the base of rates: machine ids that sent a heartbeat on a UTC day from each build, and from the whole system
-- under build '*'.
create table exposure_counts (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  machines    bigint   not null,
  primary key (day, system_name, build, fleet_id, external)
) with (fillfactor = 60);

-- The first UTC day of a period on which a machine id had a signal (see signal_of) on a build. `exposed`: it sent a heartbeat in the
-- period. Rates leave out the others, since nobody knows on how many days they could have had the signal.
create table affected_machines (
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  signal      text     collate "C" not null,
  period      date     not null,
  first_day   date     not null,
  exposed     boolean  not null,
  primary key (period, machine_id, system_name, build, signal, fleet_id, external)
) with (fillfactor = 80);
create index affected_machines_unexposed on affected_machines (machine_id) where not exposed;

-- How many were first affected on a day, and how many of them are exposed.
create table affected_counts (
  day         date     not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  signal      text     collate "C" not null,
  machines    bigint   not null,
  exposed     bigint   not null,
  primary key (day, system_name, build, signal, fleet_id, external)
) with (fillfactor = 60);

-- The classifications that are counted as more than records, with % for any part.
create type counted_classifications as (
  machine_checks text[],
  updates        text[],
  heartbeats     text[],
  crashes        text[],
  thermal        text[]
);

-- A machine's report on a UTC day that counts for exposure and rates.
create type machine_signal as (
  day         date,
  machine_id  text,
  fleet_id    smallint,
  external    boolean,
  system_name text,
  build       text,
  signal      text -- 'heartbeat', or a result of signal_of
);

-- The counting functions' view of a record.
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

-- The counting functions' view of a machine check.
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

-- The counting functions' view of an update.
create type update_report as (
  received_at timestamptz,
  fleet_id    smallint,
  external    boolean,
  system_name text,
  from_build  text, -- from_build and to_build are null if it failed, changed nothing or does not say
  to_build    text
);
