import type { Sql } from '../src/db/connect.ts';

/** Far from any day that tests use, so that moved rows don't collide on the way. */
const AWAY = 100_000;

/**
 * Moves everything received and counted so far this many days into the past. Exposed and affected machines are counted in
 * periods of 3 days, which stay whole only if the number is a multiple of 3.
 */
export async function passDays(sql: Sql, days: number) {
  await sql.begin(async tx => {
    const columns = await tx<{ table: string; column: string; date: boolean }[]>`
      select c.relname as table, a.attname as column, a.atttypid = 'date'::regtype as date
        from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and a.attname in ('received_at', 'hour', 'day', 'first_day', 'last_day', 'period')`;
    for (const { table, column, date } of columns) {
      const name = tx(column);
      if (date) {
        await tx`update ${tx(table)} set ${name} = ${name} - ${AWAY}::int`;
        await tx`update ${tx(table)} set ${name} = ${name} + ${AWAY - days}::int`;
      } else {
        await tx`update ${tx(table)} set ${name} = ${name} - make_interval(days => ${AWAY})`;
        await tx`update ${tx(table)} set ${name} = ${name} + make_interval(days => ${AWAY - days})`;
      }
    }
  });
}

/** The processor milliseconds that something takes. On a busy machine wall time would include other work. */
export function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
