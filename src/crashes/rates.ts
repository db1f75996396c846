import type { Trend } from '../../views/rates/sparkline.tsx';
import type { Queryable } from '../db/connect.ts';
import { exposureByDay } from '../rates/queries.ts';
import { type Rate, rateOf, trendOf } from '../rates/rate.ts';
import { inScope, type Scope, today } from '../time/scope.ts';
import { slotsOf } from '../time/window.ts';
import type { CrashScope } from './shares.ts';

interface GuiltyRates {
  rateOf(exposed: number): Rate;
  trendOf(guiltyId: number): Trend | undefined;
}

/** The rates of some guilties in a window, and how they changed in it. */
export async function guiltyRates(
  sql: Queryable,
  { build, ...scope }: CrashScope,
  guiltyIds: number[],
): Promise<GuiltyRates> {
  const slots = slotsOf(scope, new Date());
  const [exposure, seen] = await Promise.all([
    exposureByDay(sql, scope, build),
    guiltiesByLastDay(sql, scope, guiltyIds),
  ]);
  const exposedOn = new Map(exposure.map(({ day, machineDays }) => [day, machineDays]));
  const days = slots.map(day => exposedOn.get(day) ?? 0);
  const machineDays = sum(days);
  const byGuilty = Map.groupBy(seen, ({ guiltyId }) => guiltyId);
  return {
    rateOf: exposed => rateOf(exposed, machineDays),
    trendOf(guiltyId) {
      // Machines by day are counted on all builds together.
      if (build !== undefined) return undefined;
      const rows = new Map(byGuilty.get(guiltyId)?.map(row => [row.day, row]));
      const exposed = slots.map(day => rows.get(day)?.exposed ?? 0);
      // Today is not over.
      return {
        days: slots.map(day => rows.get(day)?.machines ?? 0),
        direction: changeOf(exposed.slice(0, -1), days.slice(0, -1)),
      };
    },
  };
}

/** The later half of some days against the earlier. */
function changeOf(affected: number[], machineDays: number[]) {
  const half = affected.length >> 1;
  const rate = (from: number, to: number) => rateOf(sum(affected.slice(from, to)), sum(machineDays.slice(from, to)));
  return trendOf(rate(0, half), rate(affected.length - half, affected.length));
}

/** Machine ids by the last day on which each reported a guilty, so that each counts once in a window. */
function guiltiesByLastDay(sql: Queryable, scope: Scope, guiltyIds: number[]) {
  return sql<{ guiltyId: number; day: string; machines: number; exposed: number }[]>`
    select c.guilty_id as "guiltyId", c.last_day::text as day, sum(c.machines)::bigint as machines, sum(c.exposed)::bigint as exposed
      from guilty_machine_counts c
     where c.guilty_id = any(${guiltyIds}::bigint[]) and c.last_day > ${today(sql)} - ${scope.days}::int and ${inScope(sql, scope)}
     group by 1, 2`;
}

const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);
