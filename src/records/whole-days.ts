import type { Queryable } from '../db/connect.ts';
import type { Data } from '../parsers/parser.ts';
import { type RecordFilter, recordConditions } from './filter-sql.ts';
import { type BoundedRow, recordColumns, smallPayload } from './queries.ts';
import { madeOnDay, onDay } from './search.ts';

// For cursors: all matching records of a day, newest first, without large payloads.

export function allOfDay(sql: Queryable, filter: RecordFilter, day: string, limit: number) {
  return sql<BoundedRow[]>`
    select ${recordColumns(sql, smallPayload(sql))}
      from records r join fleets f on f.id = r.fleet_id ${fittingOfDay(sql, filter, day, limit)}`;
}

export type ParsedRow = BoundedRow & { parsed: { [key: string]: Data } | null };

/** Like allOfDay, with the parser's result of each payload. */
export function allOfDayParsed(sql: Queryable, filter: RecordFilter, day: string, limit: number) {
  return sql<ParsedRow[]>`
    select ${recordColumns(sql, smallPayload(sql))}, found.data as parsed
      from records r
      join fleets f on f.id = r.fleet_id
      left join parsed found on found.machine_id = r.machine_id and found.received_at = r.received_at and found.id = r.id
                            and ${onDay(sql, day, sql`found`)}
      ${fittingOfDay(sql, filter, day, limit)}`;
}

function fittingOfDay(sql: Queryable, filter: RecordFilter, day: string, limit: number) {
  return sql`
     where ${onDay(sql, day)} and ${recordConditions(sql, filter)} and ${madeOnDay(sql, filter, day)}
     order by r.id desc ${Number.isFinite(limit) ? sql`limit ${limit}` : sql``}`;
}
