import type { Queryable } from '../db/connect.ts';
import { inWindow, type Scope } from '../time/scope.ts';
import { Z } from './rate.ts';
import type { LeftOut, Signal } from './signals.ts';

/** Machine-days by system and build in a window: a query with `system_name, build, machine_days`. */
export function exposureByBuild(sql: Queryable, scope: Scope) {
  return sql`
    select c.system_name, c.build, sum(c.machines)::bigint as machine_days
      from exposure_counts c where ${inWindow(sql, scope)} and c.build <> '*' group by 1, 2`;
}

/** Machine ids first affected in a window by system and build: a query with `system_name, build, affected`. */
export function affectedByBuild(sql: Queryable, scope: Scope, signal: Signal) {
  return sql`
    select c.system_name, c.build, sum(c.exposed)::bigint as affected
      from affected_counts c where ${inWindow(sql, scope)} and c.signal = ${signal} group by 1, 2`;
}

/**
 * By whether there are enough machine-days, then what is surely high first, by the lower end of Wilson's interval (see rateOf): of few
 * machine-days any rate may be chance. A list for `order by`.
 */
export function highestRate(sql: Queryable, least: number) {
  const z2 = sql`${Z ** 2}::float8`;
  const days = sql`greatest(machine_days, 1)::float8`;
  const share = sql`least(1, coalesce(affected, 0) / ${days})`;
  return sql`
    coalesce(machine_days, 0) < ${least},
    (${share} + ${z2} / ${days} / 2 - sqrt(${z2} * (${share} * (1 - ${share}) + ${z2} / ${days} / 4) / ${days})) / (1 + ${z2} / ${days}) desc nulls last,
    coalesce(affected, 0) desc`;
}

/** The machine-days of a window, by day: of one build, or of all. */
export function exposureByDay(sql: Queryable, scope: Scope, build: string | undefined) {
  return sql<{ day: string; machineDays: number }[]>`
    select c.day::text, sum(c.machines)::bigint as "machineDays"
      from exposure_counts c where ${inWindow(sql, scope)} and c.build = ${build ?? '*'} group by 1 order by 1`;
}

/** Of some signals, where machine ids were affected in a window: how many, and how many of them are in no rate. */
export function affectedInWindow(sql: Queryable, scope: Scope, signals: Signal[], build?: string) {
  return sql<LeftOut[]>`
    select c.signal, sum(c.machines)::bigint as affected, sum(c.machines - c.exposed)::bigint as unexposed
      from affected_counts c
     where ${inWindow(sql, scope)} and c.signal = any(${signals}::text[]) and ${build === undefined ? sql`true` : sql`c.build = ${build}`}
     group by 1 order by 1`;
}
