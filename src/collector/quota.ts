import type { Sql } from '../db/connect.ts';
import { HOUR_MS } from '../time/units.ts';

const HOURS = 24;

export interface Quota {
  /** Whether one more record fits at `now`, in Unix milliseconds. */
  hasRoom(now: number): boolean;
  add(now: number): void;
  /** Replaces everything added so far by these counts of records by hour. */
  replace(counted: Map<number, number>): void;
}

/**
 * Allows at most `daily` records in the last 24 hours, and beyond that still 1/24 of it each hour. A fleet that used up
 * its quota in one bad hour would otherwise be turned away for a day, and after 20 hours its machines begin to lose
 * records.
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

/** Counts the records of these fleets by hour over the last 24 hours, including the current hour. */
export function storedByHour(sql: Sql, fleetIds: number[]) {
  return sql<{ fleetId: number; hour: Date; records: number }[]>`
    select fleet_id as "fleetId", hour, sum(records)::bigint as records
      from hour_counts
     where hour >= date_trunc('hour', now(), 'UTC') - interval '23 hours' and fleet_id = any(${fleetIds}::bigint[])
     group by fleet_id, hour`;
}
