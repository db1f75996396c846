import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import { drawnTable } from '../builds/drawn.ts';
import type { Fragment, Queryable } from '../db/connect.ts';
import { anyClassificationLike } from '../records/classification-sql.ts';
import type { Shares } from '../stats/queries.ts';
import { inWindow, type Scope } from '../time/scope.ts';

/** `counted` has a row with its records for each part, `shown` says which of them are rows, and their order. */
async function sharesOf<Row extends { records: number }>(sql: Queryable, counted: Fragment, shown: Fragment) {
  const [shares] = await sql<Shares<Row>[]>`
    with counted as (${counted})
    select coalesce((select jsonb_agg(to_jsonb(rows)) from (select * from counted ${shown}) rows), '[]') as rows,
           (select count(*) from counted) as names, (select coalesce(sum(records), 0)::bigint from counted) as records`;
  return shares!;
}

export type CrashScope = Scope & { build?: string | undefined };

/** Crash records by classification in a window, of the classifications given. */
export function crashShares(sql: Queryable, { build, ...scope }: CrashScope, patterns: string[]) {
  return sharesOf<{ classification: string; records: number }>(
    sql,
    sql`
      select classification, sum(records)::bigint as records
        from build_counts c
       where ${inWindow(sql, scope)} and classification = ${anyClassificationLike(sql, patterns)}
         and ${build === undefined ? sql`true` : sql`build = ${build}`}
       group by 1`,
    sql`order by records desc, classification limit 50`,
  );
}

/** Analysed crash records in a window by build: of those that are drawn, or of the one asked for on each system. */
export function crashesByBuild(sql: Queryable, { build, ...scope }: CrashScope, drawn: DrawnBuild[]) {
  return sharesOf<{ os: string; build: string; records: number }>(
    sql,
    sql`
      select system_name as os, build, place, records
        from (select c.system_name, c.build, sum(c.records)::bigint as records
                from stack_counts c where ${inWindow(sql, scope)} group by 1, 2) counted
        left join ${drawnTable(sql, drawn)} using (system_name, build)`,
    sql`where ${build === undefined ? sql`place is not null` : sql`build = ${build}`} order by place, os`,
  );
}

/** Records of some guilties in a window, of the builds that are drawn, by their place. */
export function guiltiesByBuild(sql: Queryable, scope: Scope, guiltyIds: number[], drawn: DrawnBuild[]) {
  return sql<{ guiltyId: number; place: number; records: number }[]>`
    select guilty_id as "guiltyId", place, records
      from (select s.guilty_id, c.system_name, c.build, sum(c.records)::bigint as records
              from stack_counts c join stacks s on s.id = c.stack_id
             where s.guilty_id = any(${guiltyIds}::bigint[]) and ${inWindow(sql, scope)}
             group by 1, 2, 3
            offset 0 -- by stacks, not by builds
           ) counted
      join ${drawnTable(sql, drawn)} using (system_name, build)`;
}

/** A guilty's records by host type, or by operating system. */
export function guiltyShares(sql: Queryable, id: number, by: 'host_type' | 'system_name', scope: Scope) {
  return sharesOf<{ name: string; records: number }>(
    sql,
    sql`
      select ${sql(by)} as name, sum(c.records)::bigint as records
        from ${sql(by === 'host_type' ? 'stack_platforms' : 'stack_counts')} c join stacks s on s.id = c.stack_id
       where s.guilty_id = ${id} and ${inWindow(sql, scope)}
       group by 1`,
    sql`order by records desc, name limit 20`,
  );
}
