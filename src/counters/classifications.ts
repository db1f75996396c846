import type { Config } from '../config/settings.ts';
import type { Queryable } from '../db/connect.ts';
import { likePatterns } from '../records/classification.ts';

/** Which classifications are counted as more than records, as the functions of sql/functions take them. */
export function countedClassifications(sql: Queryable, config: Config) {
  const { machine_checks, updates, heartbeat, crashes, thermal } = config;
  const lists = [machine_checks, updates, heartbeat, crashes, thermal];
  const [first, ...others] = lists.map(({ classifications }) => sql`${likePatterns(classifications)}::text[]`);
  return sql`row(${others.reduce((row, list) => sql`${row}, ${list}`, first!)})::counted_classifications`;
}
