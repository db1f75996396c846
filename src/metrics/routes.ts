import { Hono } from 'hono';
import type { Collector } from '../collector/collector.ts';
import { MAX_ATTEMPTS } from '../crashes/queue.ts';
import type { Sql } from '../db/connect.ts';
import type { DiskStatus } from '../retention/disk-reserve.ts';
import type { ServedCertificate } from '../tls/certificate.ts';
import { PROGRAM_VERSION } from '../version.ts';
import { metric } from './collector-metrics.ts';
import { databaseState } from './queries.ts';

/** GET / in the text format of Prometheus; counters are of this process, gauges of the database are of all. */
export function metricsRoutes(
  sql: Sql,
  collector: Collector,
  disk: () => DiskStatus | undefined,
  certificate: ServedCertificate | undefined,
) {
  return new Hono().get('/', async c => {
    const state = await databaseState(sql, MAX_ATTEMPTS);
    const room = disk();
    const lines = [
      ...metric('telemetricsd_info', 'gauge', 'The running program.', [[`{version="${PROGRAM_VERSION}"}`, 1]]),
      ...collector.metrics.lines(),
      ...gauge('queue_records', 'Records that wait to be committed.', collector.waiting),
      ...gauge('last_record_timestamp_seconds', 'When the newest record of the last 48 hours came.', state.lastRecord),
      ...gauge('quarantine_records', 'Refused records that are kept.', state.quarantined),
      ...gauge('quarantine_bytes', 'Their size.', state.quarantinedBytes),
      ...gauge('analysis_waiting_records', 'Crash records that wait to be analysed.', state.waiting),
      ...gauge('analysis_lag_seconds', 'How long the oldest of them has waited.', state.waitingSeconds),
      ...gauge('analysis_failed_records', 'Crash records that could not be analysed.', state.failed),
      ...gauge('parsing_waiting_records', 'Records whose payloads wait for a parser.', state.parsing),
      ...gauge('parsing_failed_records', 'Records that a parser has failed on.', state.parsingFailed),
      ...gauge('database_bytes', 'Size of the database.', state.databaseBytes),
      ...(room ? gauge('disk_free_bytes', 'Free beside the built-in PostgreSQL.', room.freeBytes) : []),
      ...(room ? gauge('disk_reserve_bytes', 'Below it records are answered 503.', room.reserveBytes) : []),
      ...(certificate ? certificateLines(certificate) : []),
      ...gauge('resident_memory_bytes', 'Memory of this process, without PostgreSQL.', process.memoryUsage.rss()),
    ];
    return c.text(`${lines.join('\n')}\n`, 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}

function certificateLines({ state, refused }: ServedCertificate) {
  return [
    ...gauge(
      'certificate_expiry_timestamp_seconds',
      'When the certificate in use expires.',
      state.notAfter.getTime() / 1000,
    ),
    ...gauge('certificate_refused', '1: its files hold another one that was refused.', refused === undefined ? 0 : 1),
  ];
}

function gauge(name: string, help: string, value: number) {
  return metric(`telemetricsd_${name}`, 'gauge', help, [['', value]]);
}
