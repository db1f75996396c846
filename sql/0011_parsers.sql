-- What parsers made of payloads, by day of reception like the records.
create table parsed (
  machine_id  text        collate "C" not null,
  received_at timestamptz not null,
  id          bigint      not null, -- of the record
  parser      text        collate "C" not null check (length(parser) <= 40),
  data        jsonb       not null check (jsonb_typeof(data) = 'object'), -- at most 64 KB as it was written: checked before
  primary key (machine_id, received_at, id)
) partition by range (received_at);
create table parsed_default partition of parsed default;

-- Each parser of an admin has a queue of its own, 'parse:NAME', so that one that hangs holds up no other; those that the
-- program brings share 'parse'.
alter table work_queue drop constraint work_queue_kind_check,
  add check (kind in ('crash', 'parse') or kind like 'parse:_%');

-- The days that are there already.
do $$
declare
  d date;
begin
  for d in
    select to_date(right(c.relname, 8), 'YYYYMMDD')
      from pg_inherits join pg_class c on c.oid = inhrelid
     where inhparent = 'records'::regclass and c.relname ~ '^records_[0-9]{8}$'
  loop
    execute format('create table %I partition of parsed for values from (%L) to (%L)', 'parsed_' || to_char(d, 'YYYYMMDD'),
                   d::timestamp at time zone 'UTC', (d + 1)::timestamp at time zone 'UTC');
  end loop;
end
$$;

create or replace function create_records_table(d date) returns void language plpgsql as $$
begin
  execute format('create table %I (like records including defaults including constraints)', 'records_' || to_char(d, 'YYYYMMDD'));
  execute format('create table %I (like crashes including constraints)', 'crashes_' || to_char(d, 'YYYYMMDD'));
  execute format('create table %I (like parsed including constraints)', 'parsed_' || to_char(d, 'YYYYMMDD'));
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
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    part := kind || '_' || to_char(d, 'YYYYMMDD');
    execute format('lock table %I in access exclusive mode', kind || '_default');
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', lower_bound, upper_bound, part);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, part, lower_bound, upper_bound);
  end loop;
end
$$;

create or replace function drop_records_day(d date, expected_first bigint, expected_last bigint, state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days first, like batches and rebuild_counters.
  update record_days set complete = false, purged_as = state, first_id = 9007199254740991, last_id = 0
   where day = d and first_id = expected_first and last_id = expected_last;
  if not found then
    return false;
  end if;
  delete from work_queue
   where received_at >= d::timestamp at time zone 'UTC' and received_at < (d + 1)::timestamp at time zone 'UTC';
  lock table records, crashes, parsed in access exclusive mode;
  execute format('drop table if exists %I, %I, %I', 'records_' || to_char(d, 'YYYYMMDD'), 'crashes_' || to_char(d, 'YYYYMMDD'),
                 'parsed_' || to_char(d, 'YYYYMMDD'));
  return true;
end
$$;

-- store_records queues a record for its parser as well, and forget_traces leaves nothing parsed behind. All else about them
-- stays as it is.
do $$
declare
  change record;
  known text;
  extended text;
begin
  for change in
    select * from (values
      ('store_records',
       $old$    if 'crash' = any(kinds) then
      insert into work_queue (kind, record_id, machine_id, received_at)
      select 'crash', ids[place], e->>0, arrival
        from jsonb_array_elements(batch) with ordinality as record (e, place)
       where e->20 ? 'crash' and ids[place] = any(fresh_ids);
    end if;$old$,
       $new$    if exists (select from unnest(kinds) kind where kind = 'crash' or kind like 'parse%') then
      insert into work_queue (kind, record_id, machine_id, received_at)
      select kind, ids[place], e->>0, arrival
        from jsonb_array_elements(batch) with ordinality as record (e, place), jsonb_array_elements_text(e->20) kind
       where (kind = 'crash' or kind like 'parse%') and (cardinality(fresh_ids) = size or ids[place] = any(fresh_ids));
    end if;$new$),
      ('forget_traces',
       $old$  delete from crashes where machine_id = m;$old$,
       $new$  delete from crashes where machine_id = m;
  delete from parsed where machine_id = m;$new$)
    ) as changes (function, old, new)
  loop
    known := pg_get_functiondef(change.function::regproc);
    extended := replace(known, change.old, change.new);
    if extended = known then
      raise exception '% is not as this migration expects it', change.function;
    end if;
    execute extended;
  end loop;
end
$$;
