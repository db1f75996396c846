import type { Queryable } from '../db/connect.ts';
import { likePatterns } from './classification.ts';

/** The classifications that were ever counted. */
export async function listClassifications(sql: Queryable, limit: number): Promise<string[]> {
  const rows = await sql<{ classification: string }[]>`
    select classification from ${counted(sql)} where classification is not null limit ${limit}`;
  return rows.map(row => row.classification);
}

/**
 * `any(…)` of the classifications that match the patterns; `*` stands for any one of three parts. Resolves patterns to
 * names first, since no index serves `like` with a pattern that begins with `%`.
 */
export function anyClassificationLike(sql: Queryable, patterns: readonly string[]) {
  return sql`
    any(array(select classification from ${counted(sql)} where classification like any(${likePatterns(patterns)}::text[])))`;
}

/** Finds each classification by one step in an index. */
function counted(sql: Queryable) {
  return sql`
    (with recursive counted as (
      select min(classification) as classification from build_counts
      union all
      select (select min(c.classification) from build_counts c where c.classification > counted.classification)
        from counted where counted.classification is not null
    ) select classification from counted) counted`;
}
