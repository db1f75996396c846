import type { Sql } from '../db/connect.ts';
import { isTableMissing } from '../db/sqlstates.ts';
import type { Log } from '../log.ts';

interface DayIndex {
  /** The table whose partitions are indexed, and the suffix of the index's name. */
  parent: 'records' | 'parsed';
  suffix: string;
  make(sql: Sql, index: string, partition: string): PromiseLike<unknown>;
  available(sql: Sql): Promise<boolean>;
}

const INDEXES: DayIndex[] = [
  {
    parent: 'records',
    suffix: 'payload',
    make: (sql, index, partition) =>
      sql`create index concurrently ${sql(index)} on ${sql(partition)} using gin (payload gin_trgm_ops)`,
    available: hasTrigrams,
  },
  {
    parent: 'parsed',
    suffix: 'data',
    make: (sql, index, partition) =>
      sql`create index concurrently ${sql(index)} on ${sql(partition)} using gin (data jsonb_path_ops)`,
    available: async () => true,
  },
];

/**
 * Makes the indexes for searching payloads and parsers' results, newest day first, on past days and gathered months
 * that have none. A day is indexed once it is over, because the index would slow down every insert; searches read
 * today's rows without it. The day stays writable meanwhile.
 */
export async function indexPayloads(sql: Sql, log: Log) {
  for (const { parent, suffix, make, available } of INDEXES) {
    if (!(await available(sql))) continue;
    for (const partition of await partitionsWithout(sql, parent, suffix)) {
      const started = performance.now();
      const index = `${partition}_${suffix}`;
      try {
        // An interrupted build left a useless index.
        await sql`drop index concurrently if exists ${sql(index)}`;
        await make(sql, index, partition);
      } catch (error) {
        // Purged or gathered meanwhile.
        if (isTableMissing(error)) continue;
        throw error;
      }
      log.debug('indexed the payloads of a day', { partition, ms: Math.round(performance.now() - started) });
    }
  }
}

async function hasTrigrams(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`
    select exists (select from pg_extension where extname = 'pg_trgm') as present`;
  return row!.present;
}

async function partitionsWithout(sql: Sql, parent: string, suffix: string): Promise<string[]> {
  const rows = await sql<{ partition: string }[]>`
    select c.relname as partition
      from pg_inherits join pg_class c on c.oid = inhrelid
     where inhparent = ${parent}::regclass
       and c.relname ~ ${`^${parent}_([0-9]{6}|[0-9]{8})$`}
       and regexp_substr(c.relname, '[0-9]+$') < to_char(now() at time zone 'UTC', 'YYYYMMDD')
       and not exists (select from pg_index i join pg_class x on x.oid = i.indexrelid
                        where i.indrelid = c.oid and x.relname = c.relname || '_' || ${suffix}::text and i.indisvalid)
     order by 1 desc`;
  return rows.map(row => row.partition);
}
