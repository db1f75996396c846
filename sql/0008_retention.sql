-- What retention last did to the records of a day: its rules as they then applied, and the ids that the day had. While
-- both are the same there is nothing to do.
alter table record_days add column purged_as text;

-- A day of which all records are gone keeps its row, incomplete and with no id between the two: it may not be counted again.

-- Drops the partitions of a UTC day together with its queued work, unless records came meanwhile (false then). Waits at most
-- 100 ms for each lock (55P03 then: try again later), so that it never stalls ingestion.
create function drop_records_day(d date, expected_first bigint, expected_last bigint, state text)
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
  lock table records, crashes in access exclusive mode;
  execute format('drop table if exists %I, %I', 'records_' || to_char(d, 'YYYYMMDD'), 'crashes_' || to_char(d, 'YYYYMMDD'));
  return true;
end
$$;
