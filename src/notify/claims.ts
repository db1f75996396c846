import type { Sql } from '../db/connect.ts';
import { NOTICES_LOCK } from '../db/locks.ts';

const FORGET_DAYS = 400;

export interface Frequency {
  /** Undefined: never again. */
  repeatHours: number | undefined;
  /** Notices of any subject within an hour. */
  hourly: number;
}

/** Whether a notice is to be sent now, by whoever asks first: of several servers on the database one gets true. */
export function claimNotice(sql: Sql, subject: string, { repeatHours, hourly }: Frequency): Promise<boolean> {
  return sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${NOTICES_LOCK})`;
    await tx`delete from notices_sent where sent_at < now() - make_interval(days => ${FORGET_DAYS})`;
    const claimed = await tx`
      insert into notices_sent as known (subject, sent_at)
      select ${subject}, clock_timestamp()
       where (select count(*) from notices_sent where sent_at > now() - interval '1 hour') < ${hourly}::int
          on conflict (subject) do update
         set sent_at = excluded.sent_at
       where known.sent_at < now() - make_interval(hours => ${repeatHours ?? null}::int)
      returning subject`;
    return claimed.length > 0;
  });
}

/** It could not be sent: the next look tries again. */
export async function releaseNotice(sql: Sql, subject: string) {
  await sql`delete from notices_sent where subject = ${subject}`;
}
