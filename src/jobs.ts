import type { Queryable } from './db/connect.ts';
import { storable } from './db/storable.ts';

/** The jobs whose last outcome is kept. */
export type Job = 'purge' | 'backup';

export interface JobOutcome {
  succeededAt: Date | null;
  failedAt: Date | null;
  /** The reason of the last failure. */
  failure: string | null;
}

const FAILURE_LENGTH = 500;

/** Runs a job and stores its outcome, unless it resolves to undefined: then it had nothing to do. */
export async function remembered<T>(sql: Queryable, job: Job, run: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await run();
  } catch (error) {
    // The database itself may have failed.
    await noteFailure(sql, job, (error as Error).message).catch(() => {});
    throw error;
  }
  if (result !== undefined) await noteSuccess(sql, job);
  return result;
}

export async function noteSuccess(sql: Queryable, job: Job) {
  await sql`
    insert into job_outcomes (job, succeeded_at) values (${job}, now())
        on conflict (job) do update set succeeded_at = excluded.succeeded_at`;
}

export async function noteFailure(sql: Queryable, job: Job, reason: string) {
  await sql`
    insert into job_outcomes (job, failed_at, failure) values (${job}, now(), ${storable(reason).slice(0, FAILURE_LENGTH)})
        on conflict (job) do update set failed_at = excluded.failed_at, failure = excluded.failure`;
}

/** Removes a failure whose reason begins with this text. */
export async function forgetFailure(sql: Queryable, job: Job, beginning: string) {
  await sql`
    update job_outcomes set failed_at = null, failure = null
     where job = ${job} and starts_with(failure, ${beginning})`;
}

/** The last outcome of each job that ever ran. */
export async function jobOutcomes(sql: Queryable): Promise<Map<Job, JobOutcome>> {
  const rows = await sql<(JobOutcome & { job: Job })[]>`
    select job, succeeded_at as "succeededAt", failed_at as "failedAt", failure from job_outcomes`;
  return new Map(rows.map(({ job, ...outcome }) => [job, outcome]));
}

/** Whether the schema has the table of outcomes. */
export async function hasJobOutcomes(sql: Queryable): Promise<boolean> {
  const [row] = await sql<{ present: boolean }[]>`select to_regclass('job_outcomes') is not null as present`;
  return row!.present;
}

/** Whether the last run failed. */
export function hasFailed({ succeededAt, failedAt }: JobOutcome): boolean {
  return failedAt !== null && (succeededAt === null || failedAt > succeededAt);
}
