import type { Sql } from '../db/connect.ts';
import { countGroups, listDays, type RecordDay } from './days.ts';
import { isKeptForEver, type Rules } from './rules.ts';

/**
 * The days to remove if the database is too large, oldest first; the days of a gathered month come together. Only past
 * days without records that a rule keeps for ever.
 */
export async function* daysOverLimit(
  sql: Sql,
  rules: Rules,
): AsyncGenerator<{ partition: string; days: RecordDay[]; records: number }> {
  const past = (await listDays(sql)).filter(day => day.ageDays >= 1);
  for (const [partition, days] of Map.groupBy(past, day => day.partition)) {
    if (partition === null) continue;
    let records = 0;
    let kept = false;
    for (const day of days) {
      const groups = await countGroups(sql, day, rules.machineIds);
      kept ||= groups.some(group => isKeptForEver(rules, group));
      records += groups.reduce((sum, group) => sum + group.records, 0);
    }
    if (!kept) yield { partition, days, records };
  }
}
