-- Thousands of partitions make every statement slow. What retention leaves of a month past the default retention is gathered from its
-- days into partitions of the month, records_YYYYMM and so on.

create function months_table(kind text, d date) returns text language sql stable as $$
  select kind || '_' || to_char(d, 'YYYYMM');
$$;

create function days_table(kind text, d date) returns text language sql stable as $$
  select kind || '_' || to_char(d, 'YYYYMMDD');
$$;

-- Makes the partition of a UTC day. Returns false where there is one that takes its records.
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

-- Locks the days of a month against writing (55P03 where that takes longer than 100 ms), and makes the tables that they are to be copied
-- to. `month` is its first day. Returns the days that have partitions.
create function open_records_month(month date) returns setof date language plpgsql as $$
declare
  kind text;
  d date;
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    for d in select generate_series(month, month + interval '1 month' - interval '1 day', '1 day')::date loop
      if to_regclass(days_table(kind, d)) is not null then
        execute format('lock table %I in share mode', days_table(kind, d));
      end if;
    end loop;
    -- The check spares the reading of all rows when it becomes a partition, which holds up ingestion; its indexes likewise.
    execute format('create table %I (like %I including all, constraint month check (received_at >= %L and received_at < %L))',
                   months_table(kind, month), kind, since, until);
  end loop;
  return query
    select day::date from generate_series(month, month + interval '1 month' - interval '1 day', '1 day') day
     where to_regclass(days_table('records', day::date)) is not null;
end
$$;

create function copy_records_day(d date) returns void language plpgsql as $$
declare
  kind text;
begin
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    execute format('insert into %I select * from %I where received_at >= %L and received_at < %L order by received_at, id',
                   months_table(kind, d), kind, d::timestamp at time zone 'UTC', (d + 1)::timestamp at time zone 'UTC');
  end loop;
end
$$;

-- Puts the tables of a month in place of its days, with what had landed in DEFAULT. Waits at most 100 ms for each lock (55P03 then).
create function close_records_month(month date) returns void language plpgsql as $$
declare
  kind text;
  d date;
  since constant timestamptz := month::timestamp at time zone 'UTC';
  until constant timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
begin
  perform set_config('lock_timeout', '100ms', true);
  lock table records, crashes, parsed in access exclusive mode;
  foreach kind in array array['records', 'crashes', 'parsed'] loop
    for d in select generate_series(month, month + interval '1 month' - interval '1 day', '1 day')::date loop
      execute format('drop table if exists %I', days_table(kind, d));
    end loop;
    execute format(
      'with moved as (delete from %I where received_at >= %L and received_at < %L returning *)
       insert into %I select * from moved', kind || '_default', since, until, months_table(kind, month));
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind, months_table(kind, month), since, until);
    execute format('alter table %I drop constraint month', months_table(kind, month));
  end loop;
end
$$;

-- Drops the partitions of a gathered month together with its queued work, unless records came meanwhile to other days than these, or
-- beyond their ids (false then). Waits at most 100 ms for each lock (55P03 then).
create function drop_records_month(month date, days date[], first_ids bigint[], last_ids bigint[], state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days first, like batches and rebuild_counters.
  perform from record_days where day >= month and day < month + interval '1 month' order by day for update;
  if exists (
    (select day, first_id, last_id from record_days where day >= month and day < month + interval '1 month' and first_id <= last_id
     except select * from unnest(days, first_ids, last_ids))
  ) then
    return false;
  end if;
  update record_days set complete = false, purged_as = state, first_id = 9007199254740991, last_id = 0
   where day >= month and day < month + interval '1 month';
  delete from work_queue
   where received_at >= month::timestamp at time zone 'UTC'
     and received_at < (month + interval '1 month')::timestamp at time zone 'UTC';
  lock table records, crashes, parsed in access exclusive mode;
  execute format('drop table if exists %I, %I, %I', months_table('records', month), months_table('crashes', month),
                 months_table('parsed', month));
  return true;
end
$$;
