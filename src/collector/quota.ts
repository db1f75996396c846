import type { Sql } from '../db/connect.ts';
import { HOUR_MS } from '../time/units.ts';

const HOURS = 24;

export interface Quota {
  /** Whether one more record fits into it at that time, in Unix milliseconds. */
  hasRoom(now: number): boolean;
  add(now: number): void;
  /** What was counted elsewhere takes the place of all that was added: records by the time their hour begins. */
  replace(counted: Map<number, number>): void;
}

/**
 * At most `daily` records in the last 24 hours by the clock; and past it still a 24th of them each hour. Without that, a
 * fleet that used up its quota in one bad hour would be turned away for the rest of a day, and after 20 hours its machines
 * begin to lose what they keep. So it slows down to its quota and never stands still.
 */
export function quota(daily: number): Quota {
  let byHour = new Map<number, number>();
  let hour = 0;
  let thisHour = 0;
  let earlier = 0;

  function turnTo(now: number) {
    const begin = now - (now % HOUR_MS);
    if (begin === hour) return;
    byHour.set(hour, thisHour);
    for (const known of byHour.keys()) if (known <= begin - HOURS * HOUR_MS) byHour.delete(known);
    hour = begin;
    thisHour = byHour.get(hour) ?? 0;
    byHour.delete(hour);
    earlier = byHour.values().reduce((sum, records) => sum + records, 0);
  }

  return {
    hasRoom(now) {
      turnTo(now);
      return thisHour + earlier < daily || thisHour < daily / HOURS;
    },
    add(now) {
      turnTo(now);
      thisHour++;
    },
    replace(counted) {
      byHour = new Map(counted);
      hour = 0;
      thisHour = 0;
    },
  };
}

/** The records of some fleets by hour of the last 24 hours by the clock, the one under way among them. */
export function storedByHour(sql: Sql, fleetIds: number[]) {
  return sql<{ fleetId: number; hour: Date; records: number }[]>`
    select fleet_id as "fleetId", hour, sum(records)::bigint as records
      from hour_counts
     where hour >= date_trunc('hour', now(), 'UTC') - interval '23 hours' and fleet_id = any(${fleetIds}::bigint[])
     group by fleet_id, hour`;
}
