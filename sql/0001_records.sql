-- The TIDs that records came with. A fleet is one name; several TIDs may share it.
create table fleets (
  id    smallint generated always as identity primary key,
  tid   uuid not null unique,
  name  text not null
);

create sequence record_ids as bigint maxvalue 9007199254740991; -- ids are JSON numbers: below 2^53

-- One row for each record, by UTC day of reception. Rows are written once and never updated.
-- Every unique key holds machine_id and received_at, so that the table can be distributed by machine_id.
-- No foreign key to fleets: ids come from that table in the same program, a check for each row would buy nothing.
create table records (
  id                     bigint      not null default nextval('record_ids'),
  received_at            timestamptz not null,
  machine_id             text collate "C" not null check (length(machine_id) between 1 and 32),
  fleet_id               smallint    not null,
  external               boolean     not null,
  severity               smallint    not null check (severity between 1 and 4),
  record_format_version  smallint    not null check (record_format_version between 1 and 4),
  payload_format_version integer,    -- formats 2 to 4
  classification         text collate "C" not null check (length(classification) <= 140),
  system_name            text collate "C" not null, -- '' where format 1 left it out
  build                  text collate "C" not null,
  arch                   text        not null,
  kernel_version         text        not null,
  host_type              text        not null,
  board_name             text,       -- formats 3 and 4, like the next two
  cpu_model              text,
  bios_version           text,
  event_id               text,       -- format 4
  captured_at            timestamptz not null, -- the machine's clock: may be wrong
  payload                text        not null,
  payload_raw            bytea,      -- UTF-8 with its NULs, only where payload could not hold them
  primary key (machine_id, received_at, id)
) partition by range (received_at);

create index records_id on records (id);
create index records_classification on records (classification, id);
create index records_build on records (system_name, build, id);

-- Takes what no day's partition takes, so that no record is refused for its date.
create table records_default partition of records default;

-- The ids of a day, so that a lookup by id opens one partition.
create table record_days (
  day       date    primary key,
  first_id  bigint  not null,
  last_id   bigint  not null,
  complete  boolean not null default true -- false once retention or erasure has taken rows of that day
) with (fillfactor = 50);

-- What was received in the last 48 hours, to know a record that comes again.
create table recent_records (
  machine_id  text collate "C" not null,
  fingerprint uuid        not null, -- 128 bits of a SHA-256
  id          bigint      not null,
  received_at timestamptz not null,
  primary key (machine_id, fingerprint)
);
create index recent_records_received_at on recent_records (received_at);

-- Records that wait for work outside ingestion, by kind of work. A row goes in the transaction that stores the result.
create table work_queue (
  kind          text        not null check (kind in ('crash')),
  record_id     bigint      not null,
  machine_id    text        collate "C" not null,
  received_at   timestamptz not null,
  attempts      smallint    not null default 0, -- counted before they are made
  claimed_until timestamptz,                    -- someone works on it until then
  error         text,                           -- of the last attempt
  primary key (kind, record_id)
);

-- A table for the records of a UTC day that is no partition yet, so that it can be filled first.
create function create_records_table(d date) returns void language plpgsql as $$
begin
  execute format('create table %I (like records including defaults including constraints)', 'records_' || to_char(d, 'YYYYMMDD'));
end
$$;

-- Makes such a table a partition and moves in what had landed in DEFAULT. Waits at most 200 ms for its locks
-- (55P03 then: try again later), so that it never stalls ingestion.
create function attach_records_table(d date) returns void language plpgsql as $$
declare
  part text := 'records_' || to_char(d, 'YYYYMMDD');
  lower_bound timestamptz := d::timestamp at time zone 'UTC';
  upper_bound timestamptz := (d + 1)::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '200ms', true);
  lock table records_default in access exclusive mode;
  execute format(
    'with moved as (delete from records_default where received_at >= %L and received_at < %L returning *)
     insert into %I select * from moved', lower_bound, upper_bound, part);
  execute format('alter table records attach partition %I for values from (%L) to (%L)', part, lower_bound, upper_bound);
end
$$;

-- Makes the partition of a UTC day. Returns false where it exists.
create function make_records_day(d date) returns boolean language plpgsql as $$
begin
  if to_regclass('records_' || to_char(d, 'YYYYMMDD')) is not null then
    return false;
  end if;
  perform create_records_table(d);
  perform attach_records_table(d);
  return true;
end
$$;
