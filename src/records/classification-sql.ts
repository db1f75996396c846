import type { Queryable } from '../db/connect.ts';
import { likePatterns } from './classification.ts';

/** The classifications that were ever counted. */
export async function listClassifications(sql: Queryable, limit: number): Promise<string[]> {
  const rows = await sql<{ classification: string }[]>`
    select classification from ${counted(sql)} where classification is not null limit ${limit}`;
  return rows.map(row => row.classification);
}

/**
 * `any(…)` of the classifications that fit one of some patterns, three parts of which `*` stands for any. Resolved to names
 * first, since no index finds what is `like` a pattern that begins with `%`.
 */
export function anyClassificationLike(sql: Queryable, patterns: readonly string[]) {
  return sql`
    any(array(select classification from ${counted(sql)} where classification like any(${likePatterns(patterns)}::text[])))`;
}

/** All of them, each found by one step in an index. */
function counted(sql: Queryable) {
  return sql`
    (with recursive counted as (
      select min(classification) as classification from build_counts
      union all
      select (select min(c.classification) from build_counts c where c.classification > counted.classification)
        from counted where counted.classification is not null
    ) select classification from counted) counted`;
}
