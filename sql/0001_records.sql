-- Records, and what is stored with them while they are recent or wait for work.

-- The TIDs that records came with. A fleet is one name; several TIDs may share it.
create table fleets (
  id    smallint generated always as identity primary key,
  tid   uuid not null unique,
  name  text not null
);

create sequence record_ids as bigint maxvalue 9007199254740991; -- ids are JSON numbers: below 2^53

-- One row for each record, by UTC day of reception. Rows are never updated. Every unique key contains machine_id and
-- received_at, so that the table can be distributed by machine_id. There is no foreign key to fleets: the same program
-- takes the ids from there, and a check for each row would gain nothing.
create table records (
  id                     bigint      not null default nextval('record_ids'),
  received_at            timestamptz not null,
  machine_id             text collate "C" not null, -- '' where ABRT did not say: a record of no machine, which no count of machines counts
  fleet_id               smallint    not null,
  external               boolean     not null,
  severity               smallint    not null check (severity between 1 and 4),
  record_format_version  smallint    not null check (record_format_version between 1 and 4),
  payload_format_version integer,    -- formats 2 to 4
  classification         text collate "C" not null check (length(classification) <= 140),
  system_name            text collate "C" not null, -- '' if format 1 left it out
  build                  text collate "C" not null,
  arch                   text        not null,
  kernel_version         text        not null,
  host_type              text        not null,
  board_name             text,       -- formats 3 and 4, like the next two
  cpu_model              text,
  bios_version           text,
  event_id               text,       -- format 4
  captured_at            timestamptz not null, -- by the machine's clock, which may be wrong
  payload                text        not null,
  payload_raw            bytea,      -- UTF-8 with its NULs, only if payload could not hold them
  scrubbed               text[],     -- the rules of privacy.scrub that changed the payload before it was stored; null: none
  way_in                 text,       -- how it came: headers, json, probe, abrt; null: imported from an old server
  primary key (machine_id, received_at, id),
  check (length(machine_id) between 1 and 32 or (machine_id = '' and way_in = 'abrt'))
) partition by range (received_at);

create index records_id on records (id);
create index records_classification on records (classification, id);
create index records_build on records (system_name, build, id);

-- Takes records whose day has no partition, so that no record is refused for its date.
create table records_default partition of records default;

-- Searches of payloads use trigrams if the server has them, and are slower without.
do $$
begin
  create extension if not exists pg_trgm;
exception
  when insufficient_privilege or undefined_file or feature_not_supported then
    raise notice 'pg_trgm is not available: payloads are searched without an index';
end
$$;

-- The results of parsers, by day of reception like the records.
create table parsed (
  machine_id  text        collate "C" not null,
  received_at timestamptz not null,
  id          bigint      not null, -- of the record
  parser      text        collate "C" not null check (length(parser) <= 40),
  data        jsonb       not null check (jsonb_typeof(data) = 'object'), -- at most 64 KB of JSON text, checked before
  primary key (machine_id, received_at, id)
) partition by range (received_at);
create table parsed_default partition of parsed default;

-- The ids of each day, so that a lookup by id opens one partition. A day that lost all its records keeps its row,
-- incomplete and with first_id above last_id, so that it is not counted again.
create table record_days (
  day       date    primary key,
  first_id  bigint  not null,
  last_id   bigint  not null,
  complete  boolean not null default true, -- false once retention or erasure has removed rows of the day
  purged_as text,                          -- the rules and ids when retention last ran: if they are the same, it has nothing to do
  recount   boolean not null default false -- count the machines of the day again when it is over
) with (fillfactor = 50);

-- Records of the last 48 hours, to recognise one that comes again. There is no index on the time, which would slow down
-- each batch: the whole table is swept for old rows instead.
create table recent_records (
  machine_id  text collate "C" not null,
  fingerprint uuid        not null, -- 128 bits of a SHA-256
  id          bigint      not null,
  received_at timestamptz not null,
  primary key (machine_id, fingerprint)
);

-- Records that wait for work outside ingestion. A row is deleted in the transaction that stores the result. Each parser
-- of an admin has a queue of its own, 'parse:NAME', so that a parser that hangs does not hold up others; the built-in
-- parsers share 'parse'.
create table work_queue (
  kind          text        not null check (kind in ('crash', 'parse') or kind like 'parse:_%'),
  record_id     bigint      not null,
  machine_id    text        collate "C" not null,
  received_at   timestamptz not null,
  attempts      smallint    not null default 0, -- each is counted before it starts
  claimed_until timestamptz,                    -- claimed until this time
  error         text,                           -- the error of the last attempt
  queued_at     timestamptz not null default now(), -- the wait counts from here, since imported records were received long before
  primary key (kind, record_id)
);
-- Finds records that analysis and parsers failed on without reading waiting ones.
create index work_queue_failed on work_queue (kind, record_id) where attempts >= 3;

-- The admins' parsers that each server on this database has enabled; records that wait for one of them stay in its
-- queue.
create table parser_servers (
  server  uuid        primary key, -- identifies a process
  host    text        not null,
  enabled text[]      not null,
  seen_at timestamptz not null,
  stopped boolean     not null default false
);

-- How far each old database was read, and what happened to its records. Written in the transaction that stores them.
create table imports (
  source      text        primary key, -- identifies the database: PostgreSQL's system identifier and the database's oid
  name        text        not null, -- host and database, as last named
  started_at  timestamptz not null default now(),
  last_id     numeric     not null, -- the last old record read
  imported    bigint      not null default 0,
  renumbered  bigint      not null default 0, -- imported under a new id, since theirs was taken
  present     bigint      not null default 0, -- were here already
  set_aside   jsonb       not null default '{}' check (jsonb_typeof(set_aside) = 'object'), -- counts by reason
  judged_at   timestamptz -- when comments, hidden flags and the never-guilty list were taken over
);
