import type { Fragment, Queryable } from '../db/connect.ts';
import { inWindow, type Scope } from '../time/scope.ts';

/** Where shares are counted, and the column that the API calls so. */
const COUNTED_IN = {
  build_counts: { classification: 'classification', severity: 'severity', system: 'system_name' },
  platform_counts: { platform: 'host_type' },
  kernel_counts: { architecture: 'arch', kernel: 'kernel_version' },
} as const;

export const SHARE_KINDS = ['classification', 'severity', 'system', 'platform', 'architecture', 'kernel'] as const;
export type ShareKind = (typeof SHARE_KINDS)[number];

/** A type, not an interface, so that it can be a row of a table of the API. */
type ShareRow = { name: string; records: number };

/** Some parts of a whole, those of most records as a rule. */
export interface Shares<Row extends { records: number } = ShareRow> {
  rows: Row[];
  /** How many parts there are, and their records. */
  names: number;
  records: number;
}

/** Records of a window by each of their properties, as they were received, most frequent first. Each table is read once. */
export async function readShares(sql: Queryable, scope: Scope, limit: number): Promise<Record<ShareKind, Shares>> {
  const tables = Object.entries(COUNTED_IN).map(([table, columns]) => ({ table, columns: Object.entries(columns) }));
  const found = await Promise.all(tables.map(({ table, columns }) => sharesIn(sql, table, columns, scope, limit)));
  const rows = found.flatMap(one => [...one]);
  return Object.fromEntries(SHARE_KINDS.map(kind => [kind, sharesOf(rows.filter(row => row.kind === kind))])) as Record<
    ShareKind,
    Shares
  >;
}

interface KindRow extends ShareRow {
  kind: string;
  names: number;
  total: number;
}

function sharesIn(sql: Queryable, table: string, columns: [string, string][], scope: Scope, limit: number) {
  const joined = (parts: Fragment[], between: Fragment) => parts.reduce((all, part) => sql`${all}${between}${part}`);
  const which = columns.map(([kind, column]) => sql`when grouping(${sql(column)}) = 0 then ${kind}`);
  const named = columns.map(([, column]) => sql`when grouping(${sql(column)}) = 0 then ${sql(column)}::text`);
  const sets = columns.map(([, column]) => sql`(${sql(column)})`);
  return sql<KindRow[]>`
    select kind, name, records, names, total
      from (select kind, name, records, count(*) over whole as names, (sum(records) over whole)::bigint as total,
                   row_number() over (partition by kind order by records desc, name) as rank
              from (select case ${joined(which, sql` `)} end as kind, case ${joined(named, sql` `)} end as name,
                           sum(c.records)::bigint as records
                      from ${sql(table)} c where ${inWindow(sql, scope)}
                     group by grouping sets (${joined(sets, sql`, `)})) shares
            window whole as (partition by kind)) ranked
     where rank <= ${limit}
     order by kind, rank`;
}

function sharesOf(rows: KindRow[]): Shares {
  return {
    rows: rows.map(({ name, records }) => ({ name, records })),
    names: rows[0]?.names ?? 0,
    records: rows[0]?.total ?? 0,
  };
}
