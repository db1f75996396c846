import type { Queryable, Sql } from '../db/connect.ts';
import { isLocked } from '../db/sqlstates.ts';
import { tablesWith } from '../db/tables.ts';

const SLICE = 10_000;
const STACKS = 500;

/**
 * Forgets counts of what was received more than `days` ago, and stacks and guilties that nothing refers to any more.
 */
export async function pruneCounters(sql: Sql, days: number): Promise<number> {
  if (days === 0) return 0;
  let pruned = 0;
  // Without counters, these days can't be counted by them, nor be counted again.
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

/** The search uses these counters to find days with records, so they stay as long as there are any. */
function hasNoRecords(sql: Sql) {
  return sql`day not in (select day from record_days where first_id <= last_id)`;
}

/**
 * Keeps guilties with a comment and hidden ones, since someone has judged them. Also keeps names that lead to another
 * guilty, as long as that one stays.
 */
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

/**
 * Keeps analysis from using stacks and guilties that are about to go. If the lock can't be had, the next purge removes
 * them.
 */
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
