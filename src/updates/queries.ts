import type { Queryable } from '../db/connect.ts';
import { inWindow, type Scope } from '../scope.ts';

/** A type, not an interface, so that it can be a row of a table of the API. */
export type UpdatePath = { from: string; to: string; records: number };

/** The paths between builds that most successful updates took in a window. */
export function topPaths(sql: Queryable, scope: Scope, limit: number) {
  return sql<UpdatePath[]>`
    select c.from_build as from, c.to_build as to, sum(c.records)::bigint as records
      from update_counts c where ${inWindow(sql, scope)}
     group by 1, 2 order by 3 desc, version_order(c.to_build) desc, version_order(c.from_build) desc limit ${limit}`;
}

/** Of the builds that most updates went from or to: the builds in the order of versions, and the updates between them. */
export async function updateMatrix(sql: Queryable, scope: Scope, limit: number) {
  const [row] = await sql<{ builds: string[]; cells: UpdatePath[]; known: number; total: number }[]>`
    with paths as (
      select c.from_build, c.to_build, sum(c.records)::bigint as records
        from update_counts c where ${inWindow(sql, scope)} group by 1, 2
    ), builds as (
      select build, sum(records) as records
        from (select from_build as build, records from paths union all select to_build, records from paths) ends group by 1
    ), most as (
      select build from builds order by records desc, build limit ${limit}
    )
    select coalesce((select jsonb_agg(build order by version_order(build), build) from most), '[]') as builds,
           coalesce((select jsonb_agg(jsonb_build_object('from', from_build, 'to', to_build, 'records', records))
                       from paths where from_build in (select build from most) and to_build in (select build from most)), '[]') as cells,
           (select count(*) from builds) as known,
           (select coalesce(sum(records), 0)::bigint from paths) as total`;
  return row!;
}

/** The systems that updated, those with most updates first. */
export async function updatingSystems(sql: Queryable, scope: Scope): Promise<string[]> {
  const rows = await sql<{ systemName: string }[]>`
    select c.system_name as "systemName"
      from update_counts c where ${inWindow(sql, { ...scope, systemName: undefined })} and c.system_name <> ''
     group by 1 order by sum(c.records) desc, 1 limit 100`;
  return rows.map(row => row.systemName);
}
