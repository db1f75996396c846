-- Thousands of partitions make every statement slow. What retention leaves of a month past the default retention is gathered from its
-- days into partitions of the month, records_YYYYMM and so on.

-- Locks the days of a month against writing (55P03 where that takes longer than 100 ms), and makes the tables that they are to be copied
-- to. `month` is its first day. Returns the days that have partitions.
create or replace function open_records_month(month date) returns setof date language plpgsql as $$
declare
  kind text;
  d date;
  days constant date[] := array(
    select day::date from generate_series(month, month + interval '1 month' - interval '1 day', '1 day') day
     where to_regclass(days_table('records', day::date)) is not null);
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    foreach d in array days loop
      execute format('lock table %I in share mode', days_table(kind, d));
    end loop;
    -- With the check and the indexes it becomes a partition without reading all rows, which would hold up ingestion.
    execute format('create table %I (like %I including all, constraint month check (received_at >= %L and received_at < %L))',
                   months_table(kind, month), kind, since, until);
  end loop;
  return query select unnest(days);
end
$$;

-- Copies a day of a month into the tables that open_records_month has made.
create or replace function copy_records_day(d date) returns void language plpgsql as $$
declare
  kind text;
begin
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    execute format('insert into %I select * from %I where received_at >= %L and received_at < %L order by received_at, id',
                   months_table(kind, d), kind, d::timestamp at time zone 'UTC', (d + 1)::timestamp at time zone 'UTC');
  end loop;
end
$$;

-- Puts the tables of a month in place of its days, with what had landed in DEFAULT. Waits at most 100 ms for each lock (55P03 then), and
-- raises 55P03 as well where the month has got further days meanwhile: an import makes such.
create or replace function close_records_month(month date, days date[]) returns void language plpgsql as $$
declare
  kind text;
  d date;
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  lock table records, crashes, parsed in access exclusive mode;
  if exists (
    select from generate_series(month, month + interval '1 month' - interval '1 day', '1 day') day
     where to_regclass(days_table('records', day::date)) is not null and day::date <> all(days)
  ) then
    raise lock_not_available using message = 'a day of the month was made meanwhile';
  end if;
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    foreach d in array days loop
      execute format('drop table %I', days_table(kind, d));
    end loop;
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', since, until, months_table(kind, month));
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, months_table(kind, month), since, until);
    execute format('alter table %I drop constraint month', months_table(kind, month));
  end loop;
end
$$;
