import type { Sql } from '../db/connect.ts';
import { isLocked } from '../db/sqlstates.ts';
import { hasAttemptsLeft } from '../db/work-queue.ts';
import { againWhileLocked, LOCK_ATTEMPTS, restSince } from './remove.ts';

/** What is left of a day is copied beside ingestion, which gets so many times as long before the next. */
const REST_AFTER_DAY = 2;

/**
 * Gathers what retention has left of months past the default retention from the partitions of their days into one of the month, since
 * thousands of partitions make everything slow. `days` is the default retention, `without` are days that are not done with. A month
 * of which records still wait for work, or are read for so long that it would hold up ingestion, is left for the next run. Returns the
 * months, `YYYY-MM`.
 */
export async function gatherMonths(sql: Sql, days: number, without: readonly string[]): Promise<string[]> {
  if (days === 0) return [];
  const gathered: string[] = [];
  for (const { month } of await monthsPast(sql, days)) {
    const name = month.slice(0, 7);
    if (without.some(day => day.startsWith(name))) continue;
    try {
      await gatherMonth(sql, month);
      gathered.push(name);
    } catch (error) {
      if (!isLocked(error)) throw error;
    }
  }
  return gathered;
}

function monthsPast(sql: Sql, days: number) {
  return sql<{ month: string }[]>`
    select month::text
      from (select date_trunc('month', to_date(right(c.relname, 8), 'YYYYMMDD'))::date as month
              from pg_inherits join pg_class c on c.oid = inhrelid
             where inhparent = 'records'::regclass and c.relname ~ '^records_[0-9]{8}$') days
     group by month
    having count(*) > 1 and month + interval '1 month' <= (now() at time zone 'UTC')::date - ${days}::int
       and not exists (
             select from work_queue
              where ${hasAttemptsLeft(sql)}
                and received_at >= month::timestamp at time zone 'UTC'
                and received_at < (month + interval '1 month')::timestamp at time zone 'UTC')
     order by month`;
}

async function gatherMonth(sql: Sql, month: string) {
  await sql.begin(async tx => {
    const days = await tx<{ day: string }[]>`select open_records_month(${month}::date)::text as day`;
    for (const { day } of days) {
      const started = performance.now();
      await tx`select copy_records_day(${day}::date)`;
      await restSince(started, REST_AFTER_DAY);
    }
    await againWhileLocked(LOCK_ATTEMPTS, () =>
      tx.savepoint(inner => inner`select close_records_month(${month}::date, ${days.map(({ day }) => day)}::date[])`),
    );
  });
}
