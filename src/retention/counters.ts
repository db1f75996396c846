import type { Queryable, Sql } from '../db/connect.ts';
import { isLocked } from '../db/sqlstates.ts';
import { tablesWith } from '../db/tables.ts';

const SLICE = 10_000;
const STACKS = 500;

/** Forgets what was received more than so many days ago, and the stacks and guilties that nothing tells of any more. */
export async function pruneCounters(sql: Sql, days: number): Promise<number> {
  if (days === 0) return 0;
  let pruned = 0;
  // Days whose counters are gone can't be told from them, nor may they be counted again.
  await sql`update record_days set complete = false where complete and day < (now() at time zone 'UTC')::date - ${days}::int`;
  for (const [table, column] of tablesWith('counts')) {
    for (let rows = SLICE; rows === SLICE; pruned += rows) rows = await pruneSlice(sql, table, column, days);
  }
  await pruneStacks(sql);
  await pruneGuilties(sql);
  await sql`
    delete from record_days
     where day < (now() at time zone 'UTC')::date - ${days}::int and first_id > last_id`;
  return pruned;
}

async function pruneSlice(sql: Sql, table: string, column: string, days: number): Promise<number> {
  const result = await sql`
    delete from ${sql(table)}
     where ctid = any(array(
             select ctid from ${sql(table)}
              where ${sql(column)} < ((now() at time zone 'UTC')::date - ${days}::int)::timestamp at time zone 'UTC'
                and ${table === 'build_counts' ? hasNoRecords(sql) : sql`true`}
              limit ${SLICE}))`;
  return result.count;
}

async function pruneStacks(sql: Sql) {
  let after = 0;
  for (;;) {
    const unused = await sql<{ id: number }[]>`
      select id from stacks where id > ${after} and ${isUnused(sql)} order by id limit ${STACKS}`;
    if (unused.length === 0) return;
    after = unused.at(-1)!.id;
    const ids = unused.map(({ id }) => id);
    await withoutAnalysis(
      sql,
      tx => tx`
        with gone as (
          delete from stacks where id = any(${ids}::bigint[]) and ${isUnused(tx)} returning id
        )
        delete from attachments where stack_id in (select id from gone)`,
    );
  }
}

function isUnused(sql: Queryable) {
  return sql`
    not exists (select from crashes where stack_id = stacks.id)
    and not exists (select from stack_counts where stack_id = stacks.id)
    and not exists (select from stack_platforms where stack_id = stacks.id)
    and not exists (select from stack_builds where stack_id = stacks.id)
    and not exists (select from stack_machines where stack_id = stacks.id)`;
}

/** The search finds the days of records by these counters, so they stay as long as there are any. */
function hasNoRecords(sql: Sql) {
  return sql`day not in (select day from record_days where first_id <= last_id)`;
}

/** Those with a comment or hidden ones stay: someone has judged them. So do names that lead to another guilty, as long as that stays. */
async function pruneGuilties(sql: Sql) {
  await withoutAnalysis(
    sql,
    tx => tx`
      delete from guilties g
       where comment = '' and hidden_at is null and alias_of is null
         and not exists (select from stacks where guilty_id = g.id)
         and not exists (select from guilty_machines where guilty_id = g.id)
         and not exists (select from guilty_machine_counts where guilty_id = g.id)`,
  );
}

/** Analysis must not find what is about to go: it is kept out for a moment. Where that can't be had, the next purge does it. */
async function withoutAnalysis(sql: Sql, work: (tx: Queryable) => Promise<unknown>) {
  try {
    await sql.begin(async tx => {
      await tx`set local lock_timeout = '2s'`;
      await tx`lock table guilties, stacks in share row exclusive mode`;
      await work(tx);
    });
  } catch (error) {
    if (!isLocked(error)) throw error;
  }
}
