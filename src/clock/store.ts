import type { Queryable } from '../db/connect.ts';
import { type Belief, type Doubt, type Heard, NOT_HEARD } from './judge.ts';

interface ClockRow {
  now: number;
  trustedAt: number;
  lookedAt: number;
  doubtedAt: number | null;
  afterId: number;
  watched: number;
  stepped: boolean;
  agreeing: number;
  disagreeing: number;
}

/** The stored belief, and the clock's time now. */
interface Remembered {
  now: number;
  belief: Belief;
  /** Records since the doubt began have higher ids. */
  afterId: number;
}

/** With `lock`, nobody else checks the clock until the transaction ends. */
export async function readBelief(sql: Queryable, { lock = false } = {}): Promise<Remembered> {
  const [row] = await sql<ClockRow[]>`
    select extract(epoch from clock_timestamp())::float as now,
           extract(epoch from trusted_at)::float as "trustedAt",
           extract(epoch from looked_at)::float as "lookedAt",
           extract(epoch from doubted_at)::float as "doubtedAt",
           after_id as "afterId", watched, stepped, agreeing, disagreeing
      from clock ${lock ? sql`for update` : sql``}`;
  const { now, trustedAt, lookedAt, doubtedAt, afterId, watched, stepped, agreeing, disagreeing } = row!;
  const doubt = doubtedAt === null ? null : { since: doubtedAt, watched, stepped, heard: { agreeing, disagreeing } };
  return { now, belief: { trustedAt, lookedAt, doubt }, afterId };
}

/** With `misdated`, everything counted until now is corrected later. */
export async function writeBelief(
  tx: Queryable,
  { trustedAt, lookedAt, doubt }: Belief,
  afterId: number,
  misdated: boolean,
) {
  const { since, watched, stepped, heard } = doubt ?? NO_DOUBT;
  await tx`
    update clock
       set trusted_at = to_timestamp(${trustedAt}), looked_at = to_timestamp(${lookedAt}), doubted_at = to_timestamp(${since}),
           after_id = ${afterId}, watched = ${watched}, stepped = ${stepped},
           agreeing = ${heard.agreeing}, disagreeing = ${heard.disagreeing}, misdated = misdated or ${misdated}`;
}

const NO_DOUBT = { since: null, watched: 0, stepped: false, heard: NOT_HEARD };

export async function hasRecords(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select exists (select from record_days) as present`;
  return row!.present;
}

/** How many of the newest records are compared. */
const ASKED = 2_000;

/** Compares machines' clocks with the times their records came, for machines that reported since the doubt began. */
export async function hearMachines(sql: Queryable, { since }: Doubt, now: number, afterId: number): Promise<Heard> {
  const [row] = await sql<Heard[]>`
    with lately as (
      select machine_id, captured_at, received_at
        from records
       where id > ${afterId} and machine_id <> ''
         and received_at >= to_timestamp(${since}) - interval '1 minute' and received_at <= to_timestamp(${now}) + interval '1 minute'
       order by id desc limit ${ASKED}
    ), machines as (
      select bool_or(captured_at between received_at - interval '1 day' and received_at + interval '1 day') as agrees
        from lately group by machine_id
    )
    select count(*) filter (where agrees) as agreeing, count(*) filter (where not agrees) as disagreeing from machines`;
  return row!;
}
