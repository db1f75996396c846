import { countMachinesOfDays } from '../counters/count.ts';
import type { Sql } from '../db/connect.ts';

/**
 * Corrects what was counted while the clock was wrong. Machines seen on future days were really seen today. The
 * machines of today and later days are counted again when each day is over, if its records are complete.
 */
export async function mendMisdated(sql: Sql) {
  const [clock] = await sql<{ misdated: boolean }[]>`select misdated from clock`;
  if (clock!.misdated) {
    await sql`update record_days set recount = true where day >= (now() at time zone 'UTC')::date`;
    await sql`select take_back_coming_days()`;
    await sql`update clock set misdated = false`;
  }
  const days = await sql<{ day: string }[]>`
    select day::text from record_days where recount and day < (now() at time zone 'UTC')::date order by 1`;
  for (const { day } of days) {
    await sql.begin(async tx => {
      const [still] = await tx<{ complete: boolean }[]>`
        update record_days set recount = false where day = ${day}::date returning complete`;
      if (still?.complete) await countMachinesOfDays(tx, day, day);
    });
  }
}
