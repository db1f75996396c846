import type { Queryable } from '../db/connect.ts';
import { inWindow, type Scope } from '../scope.ts';

/** What shares are taken by: the name that the API gives it, and where it is counted. */
const COUNTED_IN = {
  classification: ['build_counts', 'classification'],
  severity: ['build_counts', 'severity'],
  system: ['build_counts', 'system_name'],
  platform: ['platform_counts', 'host_type'],
  architecture: ['kernel_counts', 'arch'],
  kernel: ['kernel_counts', 'kernel_version'],
} as const;

export type Kind = keyof typeof COUNTED_IN;
export const KINDS = Object.keys(COUNTED_IN) as Kind[];

/** A type, not an interface, so that it can be a row of a table of the API. */
export type ShareRow = { name: string; records: number };

export interface Shares {
  /** Those of most records; names are as received, a severity its number. */
  rows: ShareRow[];
  /** How many names there are in the window, and their records. */
  names: number;
  records: number;
}

/** Records of a window by one of their properties, most frequent first. */
export async function readShares(sql: Queryable, kind: Kind, scope: Scope, limit: number): Promise<Shares> {
  const [table, column] = COUNTED_IN[kind];
  const rows = await sql<{ name: string; records: number; names: number; total: number }[]>`
    select name, records, count(*) over () as names, (sum(records) over ())::bigint as total
      from (select ${sql(column)}::text as name, sum(c.records)::bigint as records
              from ${sql(table)} c where ${inWindow(sql, scope)} group by 1) shares
     order by records desc, name limit ${limit}`;
  return {
    rows: rows.map(({ name, records }) => ({ name, records })),
    names: rows[0]?.names ?? 0,
    records: rows[0]?.total ?? 0,
  };
}
