import type { Sql } from '../db/connect.ts';
import { countGroups, listDays, type RecordDay } from './days.ts';
import { isKeptForEver, type Rules } from './rules.ts';

/** The days that may go where the database is too large, oldest first: past ones of which no rule keeps a record for ever. */
export async function* daysOverLimit(sql: Sql, rules: Rules): AsyncGenerator<{ day: RecordDay; records: number }> {
  for (const day of await listDays(sql)) {
    if (day.ageDays < 1 || day.partition === null) continue;
    const groups = await countGroups(sql, day, rules.machineIds);
    if (groups.some(group => isKeptForEver(rules, group))) continue;
    yield { day, records: groups.reduce((sum, group) => sum + group.records, 0) };
  }
}
