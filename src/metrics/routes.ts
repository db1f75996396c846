import { Hono } from 'hono';
import { metric, type Sample } from '../collector/metrics.ts';
import type { Connections } from '../http/connections.ts';
import { hasFailed, type Job, type JobOutcome } from '../jobs.ts';
import { type ProcessState, type ServerState, stateKnown } from '../status/state.ts';
import { PROGRAM_VERSION } from '../version.ts';
import type { Site } from '../web/site.ts';

/**
 * GET / in the text format of Prometheus. Counters are of this process. Gauges of the database cover all servers, and
 * are missing while it does not answer.
 */
export function metricsRoutes({ database: { health: sql }, watched }: Site) {
  return new Hono().get('/', async c => {
    const state = await stateKnown(sql, watched);
    const { disk, certificate, pluginsLeftOut, parserTroubles, waitingForCommit, waitingSeconds, connections } = state;
    const lines = [
      ...metric('telemetricsd_info', 'gauge', 'The running program.', [[`{version="${PROGRAM_VERSION}"}`, 1]]),
      ...watched.collector.metrics.lines(),
      ...metric('telemetricsd_astray_posts_total', 'counter', 'Requests posted to paths that take no records.', [
        ['{tid="yes"}', state.astray.withTid],
        ['{tid="no"}', state.astray.others],
      ]),
      ...metric('telemetricsd_wrong_tids_total', 'counter', 'Requests for records refused for their TID.', [
        ['{tid="unknown"}', state.wrongTids.withTid],
        ['{tid="missing"}', state.wrongTids.without],
      ]),
      ...(connections ? connectionLines(connections) : []),
      ...gauge('queue_records', 'Records that wait to be committed.', waitingForCommit),
      ...gauge('uncommitted_seconds', 'Age of the oldest uncommitted record.', waitingSeconds),
      ...gauge('database_up', '0: the database does not answer.', state.database ? 1 : 0),
      ...(state.database ? databaseLines(state) : []),
      ...(disk ? gauge('disk_free_bytes', 'Free beside the built-in PostgreSQL.', disk.freeBytes) : []),
      ...(disk ? gauge('disk_reserve_bytes', 'Records are answered 503 when less is free.', disk.reserveBytes) : []),
      ...(certificate ? certificateLines(certificate) : []),
      ...gauge('parsers_in_trouble', 'Payload parsers that are enabled and do not work.', parserTroubles.length),
      ...gauge('plugins_left_out', 'View plugins that could not be loaded.', pluginsLeftOut.length),
      ...gauge('resident_memory_bytes', 'Memory of this process, without PostgreSQL.', process.memoryUsage.rss()),
    ];
    return c.text(`${lines.join('\n')}\n`, 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}

function connectionLines({ open, refused }: Connections) {
  const help = 'Connections that were closed at once because there were too many.';
  return [
    ...gauge('connections', 'Connections that are open.', open),
    ...metric('telemetricsd_connections_refused_total', 'counter', help, [['', refused]]),
  ];
}

function databaseLines({ database, lastArrival, jobs, clock }: ServerState) {
  return [
    ...gauge(
      'last_record_timestamp_seconds',
      'When the newest record came; 0 if there is none.',
      (lastArrival?.at.getTime() ?? 0) / 1000,
    ),
    ...gauge('quarantine_records', 'Refused records that are kept.', database.quarantined),
    ...gauge('quarantine_bytes', 'Their size.', database.quarantinedBytes),
    ...gauge('uncounted_seconds', 'Age of the oldest uncounted record.', database.uncountedSeconds),
    ...gauge(
      'analysis_waiting_records',
      'Crash records that wait to be analysed, counted up to 100,000.',
      database.waiting,
    ),
    ...gauge('analysis_lag_seconds', 'Longest time that one of these records has waited.', database.waitingSeconds),
    ...gauge('analysis_failed_records', 'Crash records that could not be analysed.', database.failed),
    ...gauge(
      'parsing_waiting_records',
      'Records whose payloads wait for a parser, counted up to 100,000.',
      database.parsing,
    ),
    ...gauge('parsing_failed_records', 'Records that a parser has failed on.', database.parsingFailed),
    ...gauge('database_bytes', 'Size of the database.', database.databaseBytes),
    ...gauge('clock_doubted', '1: the date may be wrong, and nothing is removed for its age.', clock.doubt ? 1 : 0),
    ...jobLines(jobs),
  ];
}

function certificateLines({ notAfter, refused }: NonNullable<ProcessState['certificate']>) {
  return [
    ...gauge('certificate_expiry_timestamp_seconds', 'When the certificate in use expires.', notAfter.getTime() / 1000),
    ...gauge(
      'certificate_refused',
      '1: its files hold a newer certificate that was refused.',
      refused === undefined ? 0 : 1,
    ),
  ];
}

function jobLines(jobs: Map<Job, JobOutcome>) {
  const succeeded = [...jobs].flatMap(([job, { succeededAt }]): Sample[] =>
    succeededAt ? [[`{job="${job}"}`, succeededAt.getTime() / 1000]] : [],
  );
  const failed = [...jobs].map(([job, outcome]): Sample => [`{job="${job}"}`, hasFailed(outcome) ? 1 : 0]);
  return [
    ...metric(
      'telemetricsd_job_success_timestamp_seconds',
      'gauge',
      'When a purge or backup last succeeded.',
      succeeded,
    ),
    ...metric('telemetricsd_job_failed', 'gauge', '1: the last purge or backup failed.', failed),
  ];
}

function gauge(name: string, help: string, value: number) {
  return metric(`telemetricsd_${name}`, 'gauge', help, [['', value]]);
}
