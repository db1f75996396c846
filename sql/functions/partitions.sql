-- The name of the partition of a UTC day, of records, crashes or parsed.
create or replace function days_table(kind text, d date) returns text language sql stable as $$
  select kind || '_' || to_char(d, 'YYYYMMDD');
$$;

-- The name of the partition that the days of a month were gathered into.
create or replace function months_table(kind text, d date) returns text language sql stable as $$
  select kind || '_' || to_char(d, 'YYYYMM');
$$;

-- Makes the tables of a UTC day that are no partitions yet, so that they can be filled first.
create or replace function create_records_table(d date) returns void language plpgsql as $$
begin
  execute format('create table %I (like records including defaults including constraints)', days_table('records', d));
  execute format('create table %I (like crashes including constraints)', days_table('crashes', d));
  execute format('create table %I (like parsed including constraints)', days_table('parsed', d));
end
$$;

-- Makes such tables partitions and moves in what had landed in DEFAULT. Waits at most 200 ms for its locks (55P03 then: try again
-- later), so that it never stalls ingestion.
create or replace function attach_records_table(d date) returns void language plpgsql as $$
declare
  kind text;
  part text;
  lower_bound timestamptz := d::timestamp at time zone 'UTC';
  upper_bound timestamptz := (d + 1)::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '200ms', true);
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    part := days_table(kind, d);
    execute format('lock table %I in access exclusive mode', kind || '_default');
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', lower_bound, upper_bound, part);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, part, lower_bound, upper_bound);
  end loop;
end
$$;

-- Makes the partitions of a UTC day. Returns false where there is one that takes its records.
create or replace function make_records_day(d date) returns boolean language plpgsql as $$
begin
  if to_regclass(days_table('records', d)) is not null or to_regclass(months_table('records', d)) is not null then
    return false;
  end if;
  perform create_records_table(d);
  perform attach_records_table(d);
  return true;
end
$$;
