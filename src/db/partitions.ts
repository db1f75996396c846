import type { Log } from '../log.ts';
import type { Sql } from './connect.ts';
import { isLocked, isMadeByAnother } from './sqlstates.ts';
import { tableNames } from './tables.ts';

const DAYS_AHEAD = 14;

/**
 * Makes the missing daily partitions from today to two weeks ahead. Leaves a day for the next call if a long reader
 * holds a lock; records of such a day wait in the DEFAULT partition.
 */
export async function makePartitionsAhead(sql: Sql, log: Log, daysAhead = DAYS_AHEAD) {
  const missing = await sql<{ day: string }[]>`
    select day::date::text as day
      from generate_series(now() at time zone 'UTC', now() at time zone 'UTC' + make_interval(days => ${daysAhead}), '1 day') day
     where to_regclass('records_' || to_char(day, 'YYYYMMDD')) is null`;
  for (const { day } of missing) {
    // The same lock would hold up the other days too: waiting once is enough.
    if (!(await makeDay(sql, day, log))) return;
  }
}

/** Makes the partition of one UTC day, `YYYY-MM-DD`, if it is missing. Returns whether it is there. */
export async function makeDay(sql: Sql, day: string, log: Log): Promise<boolean> {
  try {
    await sql`select make_records_day(${day}::date)`;
    return true;
  } catch (error) {
    if (isMadeByAnother(error)) return true;
    if (!isLocked(error)) throw error;
    log.limited('partition', 'warn', 'a partition could not be made without holding up ingestion; trying again later', {
      day,
    });
    return false;
  }
}

/**
 * Makes the partitions of UTC days in an empty database that nobody else uses. Uses none of sql/functions, because an
 * older schema that is filled from a backup does not have them yet.
 */
export async function makeDaysOfEmpty(sql: Sql, days: string[]) {
  const statements = await sql<{ statement: string }[]>`
    select format('create table if not exists %I partition of %I for values from (%L) to (%L)',
                  relname || '_' || to_char(day, 'YYYYMMDD'), relname,
                  day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC') as statement
      from pg_class, unnest(${days}::date[]) as day
     where relnamespace = current_schema()::regnamespace and relkind = 'p' and relname = any(${tableNames('partitioned')}::text[])`;
  for (const { statement } of statements) await sql.unsafe(statement);
}
