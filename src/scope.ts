import { z } from 'zod';
import type { Queryable } from './db/connect.ts';
import { integerParam, textParam } from './validation.ts';

/** What a view over counts is narrowed to. The window is that many UTC days, today's among them. */
export interface Scope {
  systemName?: string | undefined;
  fleet?: string | undefined;
  days: number;
}

const LONGEST_WINDOW = 400;

/** The query parameters of a scope. */
export const scopeQuery = z.object({
  os: textParam(64),
  fleet: textParam(40),
  days: integerParam(1, LONGEST_WINDOW),
});
export type ScopeQuery = z.output<typeof scopeQuery>;

export const today = (sql: Queryable) => sql`(now() at time zone 'UTC')::date`;

/** Conditions on a counter table called c. */
export function inScope(sql: Queryable, { systemName, fleet }: Omit<Scope, 'days'>) {
  return sql`
    ${systemName === undefined ? sql`true` : sql`c.system_name = ${systemName}`}
    and ${fleet === undefined ? sql`true` : sql`c.fleet_id in (select id from fleets where name = ${fleet})`}`;
}

/** The same on one whose column `day` lies in the window. */
export function inWindow(sql: Queryable, scope: Scope) {
  return sql`c.day > ${today(sql)} - ${scope.days}::int and ${inScope(sql, scope)}`;
}
