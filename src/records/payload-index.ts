import type { Sql } from '../db/connect.ts';
import type { Log } from '../log.ts';

/**
 * Makes the trigram index of payloads for the days that are over and have none, the newest first. A day is indexed once it is
 * over, since the index would slow down every insert; today's payloads are read. Holds up nobody: the day stays writable.
 */
export async function indexPayloads(sql: Sql, log: Log) {
  const partitions = await partitionsWithout(sql);
  for (const partition of partitions) {
    const started = performance.now();
    const index = `${partition}_payload`;
    // What a build that was interrupted left behind is of no use.
    await sql`drop index concurrently if exists ${sql(index)}`;
    await sql`create index concurrently ${sql(index)} on ${sql(partition)} using gin (payload gin_trgm_ops)`;
    log.debug('indexed the payloads of a day', { partition, ms: Math.round(performance.now() - started) });
  }
}

async function partitionsWithout(sql: Sql): Promise<string[]> {
  const rows = await sql<{ partition: string }[]>`
    select c.relname as partition
      from pg_inherits join pg_class c on c.oid = inhrelid
     where inhparent = 'records'::regclass and exists (select from pg_extension where extname = 'pg_trgm')
       and c.relname ~ '^records_[0-9]{8}$' and right(c.relname, 8) < to_char(now() at time zone 'UTC', 'YYYYMMDD')
       and not exists (select from pg_index i join pg_class x on x.oid = i.indexrelid
                        where i.indrelid = c.oid and x.relname = c.relname || '_payload' and i.indisvalid)
     order by 1 desc`;
  return rows.map(row => row.partition);
}
