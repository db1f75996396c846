-- Counters say what was received, by UTC day, fleet and source (external or not). They are written in the
-- transaction that stores the records. Low fill factors keep their updates on the page (HOT).

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

create table hour_counts (
  hour     timestamptz not null,
  fleet_id smallint    not null,
  external boolean     not null,
  records  bigint      not null,
  primary key (hour, fleet_id, external)
) with (fillfactor = 50);

-- Machine checks, with what the machine ids and the CPUs add to them.
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

create table machine_check_cpus (
  day            date     not null,
  fleet_id       smallint not null,
  external       boolean  not null,
  system_name    text     collate "C" not null,
  classification text     collate "C" not null,
  cpu_model      text     collate "C" not null, -- '' where the record did not tell
  records        bigint   not null,
  primary key (day, system_name, classification, cpu_model, fleet_id, external)
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
