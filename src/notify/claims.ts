import type { Sql } from '../db/connect.ts';
import { NOTICES_LOCK } from '../db/locks.ts';

const FORGET_DAYS = 400;
/** A cause that was gone for this long counts as new. */
const MENDED_MINUTES = 60;

interface Frequency {
  /** Undefined: never again. */
  repeatHours: number | undefined;
  /** The most notices of all subjects within an hour. */
  hourly: number;
}

/** Whether to send a notice through a channel now. Of several servers on the database, the first to ask gets true. */
export function claimNotice(
  sql: Sql,
  channel: string,
  subject: string,
  { repeatHours, hourly }: Frequency,
): Promise<boolean> {
  return sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${NOTICES_LOCK})`;
    const claimed = await tx`
      insert into notices_sent as known (channel, subject, sent_at, lasted_to)
      select ${channel}, ${subject}, clock_timestamp(), clock_timestamp()
       where (select count(*) from notices_sent where channel = ${channel} and sent_at > now() - interval '1 hour') < ${hourly}::int
          on conflict (channel, subject) do update
         set sent_at = excluded.sent_at, lasted_to = excluded.lasted_to
       where ${repeatHours !== undefined}
         and (known.sent_at < now() - make_interval(hours => ${repeatHours ?? null}::int)
              or known.lasted_to < now() - make_interval(mins => ${MENDED_MINUTES}))
      returning subject`;
    return claimed.length > 0;
  });
}

export async function forgetNotices(sql: Sql) {
  await sql`delete from notices_sent where sent_at < now() - make_interval(days => ${FORGET_DAYS})`;
}

/** Notes that these causes still last. */
export async function noteLasting(sql: Sql, subjects: string[]) {
  await sql`update notices_sent set lasted_to = now() where subject = any(${subjects}::text[])`;
}

/** Takes a claim back because sending failed; the next check tries again. */
export async function releaseNotice(sql: Sql, channel: string, subject: string) {
  await sql`delete from notices_sent where channel = ${channel} and subject = ${subject}`;
}
