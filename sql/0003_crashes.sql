-- Crashes, their stacks, and the frames to blame for them.

-- The frames that are never to blame, by demangled function and module. Built-in entries are there from the start; a
-- removed one does not come back. In a pattern, * stands for any text (also none) in function and module, and \* for a
-- star.
create table never_guilty (
  id         bigint      generated always as identity primary key,
  function   text        collate "C" not null check (length(function) between 1 and 4096),
  module     text        collate "C" not null check (length(module) between 1 and 4096),
  built_in   boolean     not null default false,
  added_at   timestamptz not null default now(),
  pattern    boolean     not null default false
);
-- On a hash, because a demangled name can be longer than an index entry may be.
create unique index never_guilty_frame on never_guilty (md5(function || E'\n' || module), pattern);

-- One row: the current version of the list. A transaction that decides by the list locks it for share; one that changes
-- the list, for update.
create table never_guilty_version (
  single  boolean primary key default true check (single),
  version bigint  not null
);
insert into never_guilty_version (version) values (1);

-- The frames most likely to blame for crashes.
create table guilties (
  id        bigint generated always as identity primary key,
  function  text   collate "C" not null,
  module    text   collate "C" not null,
  comment   text   not null default '' check (length(comment) <= 80),
  hidden_at timestamptz, -- null: shown
  -- The guilty that all stacks of this one moved to; links to this one lead there. Checked when a transaction ends,
  -- since a backup is restored in any order.
  alias_of  bigint references guilties on delete set null deferrable initially deferred check (alias_of <> id)
);
create unique index guilties_frame on guilties (md5(function || E'\n' || module));
create index guilties_alias_of on guilties (alias_of) where alias_of is not null;

-- Each distinct backtrace once, with its guilty and the reason for that, as decided then.
create table stacks (
  id           bigint      generated always as identity primary key,
  hash         uuid        not null unique, -- 128 bits of a SHA-256 over the frames
  frames       jsonb       not null check (jsonb_typeof(frames) = 'array'),
  guilty_id    bigint      references guilties, -- null: there are no frames
  verdict      jsonb       not null check (jsonb_typeof(verdict) = 'object'),
  list_version bigint      not null,
  decided_at   timestamptz not null,
  moved_from   bigint,     -- the previous guilty; null: it never had another
  frame_keys   integer[]   not null default '{}' -- hashes of its frames' names in the compared form, for finding it
);
create index stacks_guilty on stacks (guilty_id, id);
create index stacks_moved_from on stacks (moved_from) where moved_from is not null;
create index stacks_frame_keys on stacks using gin (frame_keys);

-- What machines said of a backtrace beside their reports of it. Nobody has looked at it, so it is no comment of a guilty.
create table attachments (
  id          bigint      generated always as identity primary key,
  stack_id    bigint      not null,
  kind        text        not null check (kind in ('link', 'comment')),
  text        text        not null check (length(text) between 1 and 1000),
  attached_at timestamptz not null default now()
);
create unique index attachments_text on attachments (stack_id, kind, md5(text));

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
  reason      text,       -- from a kernel's report
  build       text        collate "C" not null, -- of the record, so that counting a build's crashes does not read records
  primary key (machine_id, received_at, id)
) partition by range (received_at);
create index crashes_stack on crashes (stack_id, id);
create table crashes_default partition of crashes default;

-- Crash records by day, stack and build. Host types have their own table: there are too many for this one to stay
-- small.
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

-- Orders builds as dpkg and rpm do. An epoch counts first (1:2.3 comes after 9.9), and numbers count as numbers (9.10
-- comes after 9.9). At the first difference, this is the order: ~, the end, -, ^, a number, a letter, +, other
-- characters (39~rc1, 39; 1.0, 1.0-1, 1.0^git5, 1.0a, 1.0+rev2, 1.0.1). The key has a character for each of these that
-- sorts in this order, '"' for the end, and the length of each number before it. stack_builds_place is an index on this
-- function: a migration that changes the function must reindex it.
create function version_order(build text) returns text language sql immutable strict parallel safe as $$
  select string_agg(case
                      when part[1] ~ '^[0-9]' then
                        '%' || lpad(length(ltrim(part[1], '0'))::text, 3, '0') || ltrim(part[1], '0')
                      else translate(part[1], '~-^+.:_', '!#${|}~')
                    end, '' order by n) || '"' collate "C"
    from regexp_matches(case when build ~ '^[0-9]+:' then build else '0:' || build end, '[0-9]+|[^0-9]+', 'g') with ordinality as parts (part, n)
$$;

-- The builds on which a stack was ever seen, with the first and last UTC day.
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
-- Finds a stack's first and last build without reading all of them.
create index stack_builds_place on stack_builds (stack_id, system_name, fleet_id, version_order(build), build);

-- The first and the last UTC day on which a machine id reported a stack, and how often from each build.
create table stack_machines (
  stack_id    bigint   not null,
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  build       text     collate "C" not null,
  records     bigint   not null,
  first_day   date     not null,
  last_day    date     not null,
  primary key (stack_id, machine_id, system_name, build, fleet_id, external)
) with (fillfactor = 70);
create index stack_machines_last_day on stack_machines (stack_id, last_day);

-- The last UTC day on which a machine id reported any stack of a guilty. `exposed`: it sent a heartbeat in the period of that day.
create table guilty_machines (
  guilty_id   bigint   not null,
  machine_id  text     collate "C" not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  last_day    date     not null,
  exposed     boolean  not null,
  primary key (guilty_id, machine_id, system_name, fleet_id, external)
) with (fillfactor = 70);
create index guilty_machines_unexposed on guilty_machines (machine_id) where not exposed;

-- How many machines last reported a guilty on a day: the sum over the last N days counts the distinct machines of N days, and
-- the exposed ones among them.
create table guilty_machine_counts (
  last_day    date     not null,
  guilty_id   bigint   not null,
  fleet_id    smallint not null,
  external    boolean  not null,
  system_name text     collate "C" not null,
  machines    bigint   not null,
  exposed     bigint   not null,
  primary key (guilty_id, last_day, system_name, fleet_id, external)
) with (fillfactor = 60);
create index guilty_machine_counts_last_day on guilty_machine_counts (last_day);
-- Finds the systems that crashed lately with a few lookups.
create index guilty_machine_counts_system on guilty_machine_counts (system_name, last_day);

-- The counting functions' view of a crash.
create type counted_crash as (
  stack_id    bigint,
  fleet_id    smallint,
  external    boolean,
  system_name text,
  build       text,
  host_type   text
);

-- Decides every stack again by the current never-guilty list, in slices; continues after a restart.
create table recomputations (
  id            bigint      generated always as identity primary key,
  requested_at  timestamptz not null default now(),
  finished_at   timestamptz,
  total         bigint      not null, -- stacks
  done          bigint      not null default 0,
  moved         bigint      not null default 0, -- records whose stack got another guilty
  last_stack_id bigint      not null default 0,
  error         text,
  -- The newest guilty at the time of the request. Later guilties are hidden if all guilties that they replace were
  -- hidden.
  newest_guilty bigint      not null default 0
);
