-- Drops the partitions of a UTC day together with its queued work, unless records came meanwhile or are still to be counted (false
-- then). Waits at most 100 ms for each lock (55P03 then: try again later), so that it never stalls ingestion.
create or replace function drop_records_day(d date, expected_first bigint, expected_last bigint, state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days before any other table, as counting does.
  update record_days set complete = false, purged_as = state, first_id = 9007199254740991, last_id = 0
   where day = d and first_id = expected_first and last_id = expected_last
     and not exists (select from uncounted u where (u.received_at at time zone 'UTC')::date = d);
  if not found then
    return false;
  end if;
  delete from work_queue
   where received_at >= d::timestamp at time zone 'UTC' and received_at < (d + 1)::timestamp at time zone 'UTC';
  lock table records, crashes, parsed in access exclusive mode;
  execute format('drop table if exists %I, %I, %I', days_table('records', d), days_table('crashes', d), days_table('parsed', d));
  return true;
end
$$;

-- Drops the partitions of a gathered month together with its queued work, unless records came meanwhile to other days than these, or
-- beyond their ids, or are still to be counted (false then). Waits at most 100 ms for each lock (55P03 then).
create or replace function drop_records_month(month date, days date[], first_ids bigint[], last_ids bigint[], state text)
returns boolean language plpgsql as $$
begin
  perform set_config('lock_timeout', '100ms', true);
  -- record_days before any other table, as counting does.
  perform from record_days where day >= month and day < month + interval '1 month' order by day for update;
  if exists (
    (select day, first_id, last_id from record_days where day >= month and day < month + interval '1 month' and first_id <= last_id
     except select * from unnest(days, first_ids, last_ids))
  ) or exists (
    select from uncounted
     where received_at >= month::timestamp at time zone 'UTC'
       and received_at < (month + interval '1 month')::timestamp at time zone 'UTC'
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
