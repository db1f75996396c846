import { z } from 'zod';
import type { Queryable } from '../db/connect.ts';
import { integerParam, systemParam, textParam } from '../validation.ts';
import { slotsOf } from './window.ts';

/** What a view over counts is narrowed to. */
export interface Scope {
  systemName?: string | undefined;
  fleet?: string | undefined;
  /** The window: that many UTC days, today's among them. */
  days: number;
  /** The window is made of whole ISO weeks, `days` / 7 of them, this week's among them. */
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

/** What has not been seen for so long is no longer offered to choose from; its address still works. */
export const LATELY_DAYS = 100;

export const today = (sql: Queryable) => sql`(now() at time zone 'UTC')::date`;

/**
 * The first day of a window, as a value: the planner looks at each of hundreds of partitions where it must wait for now() to know
 * it, and a plan works it out for each row.
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

/** The same on one whose column `day` lies in the window. */
export function inWindow(sql: Queryable, scope: Scope) {
  return sql`c.day >= ${firstDay(sql, scope)} and ${inScope(sql, scope)}`;
}

/** The day, or the Monday of the ISO week, that rows of a counter table called c are gathered under. */
export function slotOf(sql: Queryable, { byWeek }: Scope) {
  return byWeek ? sql`date_trunc('week', c.day)::date::text` : sql`c.day::text`;
}
