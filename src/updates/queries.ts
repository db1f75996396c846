import type { Queryable } from '../db/connect.ts';
import { inWindow, type Scope } from '../time/scope.ts';

/** A type, not an interface, so that it can be a row of a table of the API. */
export type UpdatePath = { os: string; from: string; to: string; records: number };

/** The most frequent paths between builds of successful updates in a window; `known` is the number of all paths. */
export async function topPaths(sql: Queryable, scope: Scope, limit: number) {
  const rows = await sql<(UpdatePath & { known: number })[]>`
    select c.system_name as os, c.from_build as from, c.to_build as to, sum(c.records)::bigint as records, count(*) over () as known
      from update_counts c where ${inWindow(sql, scope)}
     group by 1, 2, 3
     order by 4 desc, c.system_name, version_order(c.to_build) desc, version_order(c.from_build) desc limit ${limit}`;
  return { known: rows[0]?.known ?? 0, paths: rows.map(({ known: _, ...path }): UpdatePath => path) };
}

export interface MatrixCell {
  /** Indexes of the matrix's builds; null: any other build. */
  from: number | null;
  to: number | null;
  records: number;
}

export interface Matrix {
  /** The builds with most updates from or to them, without nameless systems, by system and in the order of versions. */
  builds: { os: string; build: string }[];
  cells: MatrixCell[];
  /** The numbers of all builds and of all updates. */
  known: number;
  total: number;
}

/** The updates between the most frequent builds, and between them and all others together. */
export async function updateMatrix(sql: Queryable, scope: Scope, limit: number): Promise<Matrix> {
  const [row] = await sql<Matrix[]>`
    with paths as (
      select c.system_name, c.from_build, c.to_build, sum(c.records)::bigint as records
        from update_counts c where ${inWindow(sql, scope)} group by 1, 2, 3
    ), builds as (
      select system_name, build, sum(records) as records
        from (select system_name, from_build as build, records from paths
               union all
              select system_name, to_build, records from paths) ends
       group by 1, 2
    ), most as (
      select system_name, build, row_number() over (order by of_system desc, system_name, version_order(build), build) - 1 as place
        from (select *, sum(records) over (partition by system_name) as of_system
                from builds where system_name <> '' order by records desc, system_name, build limit ${limit}) largest
    ), cells as (
      select f.place as "from", t.place as "to", sum(p.records)::bigint as records
        from paths p
        left join most f on f.system_name = p.system_name and f.build = p.from_build
        left join most t on t.system_name = p.system_name and t.build = p.to_build
       group by 1, 2
    )
    select coalesce((select jsonb_agg(jsonb_build_object('os', system_name, 'build', build) order by place) from most), '[]') as builds,
           coalesce((select jsonb_agg(to_jsonb(cells)) from cells), '[]') as cells,
           (select count(*) from builds) as known,
           (select coalesce(sum(records), 0)::bigint from paths) as total`;
  return row!;
}

/** The systems with updates, those with most first. */
export async function updatingSystems(sql: Queryable, scope: Scope): Promise<string[]> {
  const rows = await sql<{ systemName: string }[]>`
    select c.system_name as "systemName"
      from update_counts c where ${inWindow(sql, { ...scope, systemName: undefined })} and c.system_name <> ''
     group by 1 order by sum(c.records) desc, 1 limit 100`;
  return rows.map(row => row.systemName);
}
