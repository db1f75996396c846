-- The frames that are never to blame, by demangled function and module. Built-in ones are there from the start; one that
-- was removed stays away.
create table never_guilty (
  id         bigint      generated always as identity primary key,
  function   text        collate "C" not null check (length(function) between 1 and 4096),
  module     text        collate "C" not null check (length(module) between 1 and 4096),
  built_in   boolean     not null default false,
  added_at   timestamptz not null default now()
);
-- Over a hash: a demangled name can be longer than an index entry may be.
create unique index never_guilty_frame on never_guilty (md5(function || E'\n' || module));

-- One row: which state of the list is in force. Locked for share by whoever decides with the list, for update by whoever changes it.
create table never_guilty_version (
  single  boolean primary key default true check (single),
  version bigint  not null
);
insert into never_guilty_version (version) values (1);

-- The frame that is most likely to blame for crashes.
create table guilties (
  id        bigint generated always as identity primary key,
  function  text   collate "C" not null,
  module    text   collate "C" not null,
  comment   text   not null default '' check (length(comment) <= 80),
  hidden_at timestamptz -- null: shown
);
create unique index guilties_frame on guilties (md5(function || E'\n' || module));

-- Each distinct backtrace once, with its guilty and why that was chosen, as it was decided then.
create table stacks (
  id           bigint      generated always as identity primary key,
  hash         uuid        not null unique, -- 128 bits of a SHA-256 over the frames
  frames       jsonb       not null check (jsonb_typeof(frames) = 'array'),
  guilty_id    bigint      references guilties, -- null: there are no frames
  verdict      jsonb       not null check (jsonb_typeof(verdict) = 'object'),
  list_version bigint      not null,
  decided_at   timestamptz not null
);
create index stacks_guilty on stacks (guilty_id, id);

-- One row for each analysed crash record, by day of reception like the records.
create table crashes (
  machine_id  text        collate "C" not null,
  received_at timestamptz not null,
  id          bigint      not null, -- of the record
  stack_id    bigint      not null,
  fleet_id    smallint    not null,
  system_name text        collate "C" not null,
  program     text,
  pid         integer,
  signal      smallint,
  reason      text,       -- of a kernel's report
  primary key (machine_id, received_at, id)
) partition by range (received_at);
create index crashes_stack on crashes (stack_id, id);
create table crashes_default partition of crashes default;

-- Crash records by day, stack and build. Host types stand apart: there are too many for the rows to stay few.
create table stack_counts (
  day         date     not null,
  stack_id    bigint   not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  records     bigint   not null,
  primary key (day, stack_id, system_name, build, fleet_id, external)
) with (fillfactor = 60);
create index stack_counts_stack on stack_counts (stack_id, day);

-- On which builds a stack was ever seen, and on which UTC days first and last.
create table stack_builds (
  stack_id    bigint   not null,
  fleet_id    smallint not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  first_day   date     not null,
  last_day    date     not null,
  primary key (stack_id, system_name, build, fleet_id)
) with (fillfactor = 70);
create index stack_builds_first_day on stack_builds (first_day);

create table stack_platforms (
  day         date     not null,
  stack_id    bigint   not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  host_type   text     collate "C" not null,
  records     bigint   not null,
  primary key (stack_id, day, system_name, host_type, fleet_id, external)
) with (fillfactor = 60);

-- The last UTC day on which a machine id reported a stack, and how often from each build.
create table stack_machines (
  stack_id    bigint   not null,
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  records     bigint   not null,
  last_day    date     not null,
  primary key (stack_id, machine_id, system_name, build, fleet_id, external)
) with (fillfactor = 70);
create index stack_machines_last_day on stack_machines (stack_id, last_day);

-- The same for guilties, derived: the last day of any of its stacks.
create table guilty_machines (
  guilty_id   bigint   not null,
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  last_day    date     not null,
  primary key (guilty_id, machine_id, system_name, fleet_id, external)
) with (fillfactor = 70);

-- How many machines last reported a guilty on a day: the sum over the last N days counts its distinct machines of N days.
create table guilty_machine_counts (
  last_day    date     not null,
  guilty_id   bigint   not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  machines    bigint   not null,
  primary key (guilty_id, last_day, system_name, fleet_id, external)
) with (fillfactor = 60);
create index guilty_machine_counts_last_day on guilty_machine_counts (last_day);

-- Builds in the order of versions: 9.10 after 9.9, 24.04.1 after 24.04. Digits become numbers of equal length.
create function version_order(build text) returns text language sql immutable strict parallel safe as $$
  select coalesce(string_agg(case when part[1] ~ '^[0-9]' then lpad(ltrim(part[1], '0'), 40, '0') else part[1] end, '' order by n), '')
         collate "C"
    from regexp_matches(build, '[0-9]+|[^0-9]+', 'g') with ordinality as parts (part, n)
$$;

-- Crashes are partitioned with the records.
create or replace function create_records_table(d date) returns void language plpgsql as $$
begin
  execute format('create table %I (like records including defaults including constraints)', 'records_' || to_char(d, 'YYYYMMDD'));
  execute format('create table %I (like crashes including constraints)', 'crashes_' || to_char(d, 'YYYYMMDD'));
end
$$;

create or replace function attach_records_table(d date) returns void language plpgsql as $$
declare
  kind text;
  part text;
  lower_bound timestamptz := d::timestamp at time zone 'UTC';
  upper_bound timestamptz := (d + 1)::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '200ms', true);
  foreach kind in array array['records', 'crashes'] loop
    part := kind || '_' || to_char(d, 'YYYYMMDD');
    execute format('lock table %I in access exclusive mode', kind || '_default');
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', lower_bound, upper_bound, part);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, part, lower_bound, upper_bound);
  end loop;
end
$$;

-- To find the stacks that a change of the never-guilty list can concern.
create index stacks_frames on stacks using gin (frames jsonb_path_ops);

-- Decides every stack again with the never-guilty list as it is, in slices; goes on after a restart.
create table recomputations (
  id            bigint      generated always as identity primary key,
  requested_at  timestamptz not null default now(),
  finished_at   timestamptz,
  total         bigint      not null, -- stacks
  done          bigint      not null default 0,
  moved         bigint      not null default 0, -- records whose stack got another guilty
  last_stack_id bigint      not null default 0,
  error         text
);
