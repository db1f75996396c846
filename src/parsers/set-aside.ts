import type { Queryable } from '../db/connect.ts';
import { COUNTED_AT_MOST, isSetAside, retryWork } from '../db/work-queue.ts';
import type { Lane } from './parser.ts';
import { WITHOUT_A_WORD } from './queue.ts';

interface LaneCounts {
  lane: Lane;
  /** Undefined where too many were set aside to tell. */
  waiting: number | undefined;
  setAside: number;
}

/** How many records wait in each lane, and how many were set aside there, each up to 10,000. */
export async function countLanes(sql: Queryable, lanes: Lane[]): Promise<LaneCounts[]> {
  const rows = await sql<{ lane: Lane; rows: number; setAside: number }[]>`
    select lane,
           (select count(*) from (select from work_queue where kind = lane limit ${2 * COUNTED_AT_MOST}) r) as rows,
           (select count(*) from (select from work_queue where kind = lane and ${isSetAside(sql)} limit ${COUNTED_AT_MOST}) s) as "setAside"
      from unnest(${lanes}::text[]) with ordinality as asked (lane, place) order by place`;
  return rows.map(({ lane, rows, setAside }) => ({
    lane,
    setAside,
    waiting: setAside < COUNTED_AT_MOST ? Math.min(rows - setAside, COUNTED_AT_MOST) : undefined,
  }));
}

export interface SetAsideRecord {
  id: number;
  lane: Lane;
  machineId: string;
  receivedAt: Date;
  /** Null where the record is gone. */
  classification: string | null;
  error: string;
}

export interface SetAsideFilter {
  /** All of them unless told. */
  lane?: Lane | undefined;
  beforeId?: number | undefined;
}

/** Records that parsers have failed on, the newest first. */
export function listSetAside(sql: Queryable, { lane, beforeId }: SetAsideFilter, limit: number) {
  return sql<SetAsideRecord[]>`
    with recursive used (kind) as (
      (select kind from work_queue where ${isSetAside(sql)} order by kind limit 1)
      union all
      select (select next.kind from work_queue next where ${isSetAside(sql)} and next.kind > used.kind order by next.kind limit 1)
        from used where used.kind is not null
    )
    select failed.record_id as id, failed.kind as lane, failed.machine_id as "machineId", failed.received_at as "receivedAt",
           record.classification, coalesce(failed.error, ${WITHOUT_A_WORD}) as error
      from used
     cross join lateral (
             select * from work_queue
              where kind = used.kind and ${isSetAside(sql)} and record_id < ${beforeId ?? Number.MAX_SAFE_INTEGER}
              order by record_id desc limit ${limit}
           ) failed
      left join lateral (
             select classification from records r
              where r.machine_id = failed.machine_id and r.received_at = failed.received_at and r.id = failed.record_id limit 1
           ) record on true
     where used.kind like 'parse%' and (${lane ?? null}::text is null or used.kind = ${lane ?? null})
     order by failed.record_id desc limit ${limit}`;
}

/** Lets records that were set aside be read again: one, those of a lane, or all. Returns how many. */
export function readAgain(sql: Queryable, { id, lane }: { id?: number | undefined; lane?: Lane | undefined }) {
  return retryWork(
    sql,
    sql`
      kind like 'parse%'
      and (${lane ?? null}::text is null or kind = ${lane ?? null})
      and (${id ?? null}::bigint is null or record_id = ${id ?? null})`,
  );
}
