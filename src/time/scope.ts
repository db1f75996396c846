import { z } from 'zod';
import type { Queryable } from '../db/connect.ts';
import { integerParam, systemParam, textParam } from '../validation.ts';
import { slotsOf } from './window.ts';

/** What a view over counts is restricted to. */
export interface Scope {
  systemName?: string | undefined;
  fleet?: string | undefined;
  /** The window: this many UTC days, including today. */
  days: number;
  /** The window consists of whole ISO weeks, `days` / 7 of them, including this week. */
  byWeek?: boolean | undefined;
}

const LONGEST_WINDOW = 400;

/** The query parameters of a scope. */
export const scopeQuery = z.object({
  os: systemParam,
  fleet: textParam(40),
  days: integerParam(1, LONGEST_WINDOW),
});
export type ScopeQuery = z.output<typeof scopeQuery>;

/** A system or fleet not seen for this many days is no longer offered as a choice; its address still works. */
export const LATELY_DAYS = 100;

export const today = (sql: Queryable) => sql`(now() at time zone 'UTC')::date`;

/**
 * The first day of a window, passed as a value: with now() the planner would look at hundreds of partitions, and
 * compute the day for each row.
 */
export function firstDay(sql: Queryable, scope: Scope) {
  return sql`${slotsOf(scope, new Date())[0]!}::date`;
}

/** A condition on `received_at` of a partitioned table called c. */
export function receivedInWindow(sql: Queryable, scope: Scope) {
  return sql`c.received_at >= ${firstDay(sql, scope)}::timestamp at time zone 'UTC'`;
}

/** Conditions on a counter table called c. */
export function inScope(sql: Queryable, { systemName, fleet }: Omit<Scope, 'days'>) {
  return sql`
    ${systemName === undefined ? sql`true` : sql`c.system_name = ${systemName}`}
    and ${fleet === undefined ? sql`true` : sql`c.fleet_id in (select id from fleets where name = ${fleet})`}`;
}

/** Conditions on a counter table called c, with its column `day` in the window. */
export function inWindow(sql: Queryable, scope: Scope) {
  return sql`c.day >= ${firstDay(sql, scope)} and ${inScope(sql, scope)}`;
}

/** The day, or the Monday of the ISO week, that rows of a counter table called c are grouped by. */
export function slotOf(sql: Queryable, { byWeek }: Scope) {
  return byWeek ? sql`date_trunc('week', c.day)::date::text` : sql`c.day::text`;
}
