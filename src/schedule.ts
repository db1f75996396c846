import { Cron } from 'croner';
import { sessionLimits } from './access/identify.ts';
import { forgetAttempts, forgetEnded } from './access/sessions.ts';
import { boundAudit } from './audit/audit.ts';
import { scheduledBackup } from './backup/schedule.ts';
import { mendMisdated } from './clock/misdated.ts';
import { type ClockWatch, watchClock } from './clock/watch.ts';
import type { Limits } from './collector/limits.ts';
import { forgetEvicted } from './collector/quarantine.ts';
import { forgetTurnedAway } from './collector/turned-away.ts';
import type { Config } from './config/settings.ts';
import type { Database } from './db/database.ts';
import { makePartitionsAhead } from './db/partitions.ts';
import { isConnectionFailure } from './db/sqlstates.ts';
import { remembered } from './jobs.ts';
import type { Log } from './log.ts';
import { forgetNotices } from './notify/claims.ts';
import { forgetProbeHeartbeats } from './probe/versions.ts';
import { indexPayloads } from './records/payload-index.ts';
import { PRUNE_PARTS, pruneRecent } from './records/store.ts';
import { type PurgeReport, purge } from './retention/purge.ts';
import { HOUR_MS, MINUTE_MS } from './time/units.ts';

interface Job {
  name: string;
  cron: string;
  /** It removes what is past its time, or else relies on the date: left out while the clock is not believed. */
  byDate?: true;
  run(): Promise<unknown>;
}

/** Everything that happens by the clock, in UTC. Exported for tests, which can't wait for it. */
export function timetable(database: Database, config: Config, limits: Limits, clock: ClockWatch, log: Log): Job[] {
  const sql = database.client('schedule', { deadlineMs: 2 * MINUTE_MS });
  // Of their own, since they take their time; and the purge holds an advisory lock.
  const indexer = database.client('index', { deadlineMs: 6 * HOUR_MS });
  const purger = database.client('purge', { deadlineMs: HOUR_MS });
  const jobs: Job[] = [
    { name: 'look at the clock', cron: '* * * * *', run: () => clock.look() },
    { name: 'make partitions ahead', cron: '7 * * * *', run: () => makePartitionsAhead(sql, log) },
    { name: 'index payloads', cron: '19 * * * *', run: () => indexPayloads(indexer, log) },
    { name: 'count quotas', cron: '* * * * *', run: () => limits.recount() },
    { name: 'write down what limits turned away', cron: '* * * * *', run: () => limits.writeDown() },
    {
      name: 'prune recent records',
      cron: `*/${60 / PRUNE_PARTS} * * * *`,
      byDate: true,
      run: () => pruneRecent(sql, partOfHour()),
    },
    {
      name: 'forget evicted quarantine',
      cron: '23 * * * *',
      run: async () => forgetEvicted(sql, config.quarantine, await clock.isTrusted()),
    },
    {
      name: 'purge',
      cron: config.retention.schedule,
      async run() {
        if (await clock.isTrusted())
          return reportPurge(await remembered(sql, 'purge', () => purge(purger, config, log)), log);
        // The disk fills up all the same.
        const report = await purge(purger, config, log, { forSizeAlone: true });
        if (report?.records) reportPurge(report, log);
      },
    },
    {
      name: 'forget ended sessions',
      cron: '41 * * * *',
      byDate: true,
      run: () => forgetEnded(sql, sessionLimits(config)),
    },
    { name: 'forget attempts to sign in', cron: '42 * * * *', run: () => forgetAttempts(sql) },
    { name: 'forget what limits turned away', cron: '43 * * * *', byDate: true, run: () => forgetTurnedAway(sql) },
    { name: 'forget notices', cron: '44 * * * *', byDate: true, run: () => forgetNotices(sql) },
    { name: 'bound the audit', cron: '46 * * * *', run: () => boundAudit(sql) },
    { name: 'put right what was misdated', cron: '51 * * * *', byDate: true, run: () => mendMisdated(sql) },
    { name: 'forget heartbeats of the probe', cron: '53 * * * *', byDate: true, run: () => forgetProbeHeartbeats(sql) },
    ...backups(database, config, clock, log),
  ];
  const ifTrusted = async ({ run }: Job) => {
    if (await clock.isTrusted()) await run();
  };
  return jobs.map(job => (job.byDate ? { ...job, run: () => ifTrusted(job) } : job));
}

/** Which of an hour's runs this is; a little early or late makes no difference. */
function partOfHour() {
  return Math.round((Date.now() / HOUR_MS) * PRUNE_PARTS) % PRUNE_PARTS;
}

function backups(database: Database, config: Config, clock: ClockWatch, log: Log): Job[] {
  const { dir, keep, schedule } = config.backup;
  if (dir === undefined) return [];
  // The answers are slices of tables; the first one waits for locks.
  const sql = database.client('backup', { deadlineMs: 10 * MINUTE_MS });
  return [
    {
      name: 'backup',
      cron: schedule,
      run: () =>
        remembered(sql, 'backup', async () =>
          scheduledBackup(sql, config, dir, (await clock.isTrusted()) ? keep : 'all', log),
        ),
    },
  ];
}

function reportPurge(report: PurgeReport | undefined, log: Log) {
  if (!report) return;
  const { records, dropped, thinned, bytes, gathered, counters } = report;
  log.info('purged', {
    records,
    days_dropped: dropped.length,
    days_thinned: thinned.length,
    bytes,
    months_gathered: gathered.length,
    counters,
  });
}

/** Starts the timetable; returns what stops it. */
export function startSchedule(database: Database, config: Config, limits: Limits, log: Log): () => void {
  const clock = watchClock(database.client('clock', { deadlineMs: MINUTE_MS }), log);
  const jobs = timetable(database, config, limits, clock, log).map(({ name, cron, run }) => {
    const report = (error: unknown) => {
      const level = isConnectionFailure(error) ? 'warn' : 'error';
      log[level]('a scheduled job failed; it runs again at its next time', {
        job: name,
        reason: (error as Error).message,
      });
    };
    return new Cron(cron, { name, timezone: 'UTC', protect: true, catch: report }, async () => {
      await run();
    });
  });
  return () => {
    for (const job of jobs) job.stop();
  };
}
