import { recordAudit, shellActor } from '../audit/audit.ts';
import { clockFinding } from '../clock/finding.ts';
import { trustClock, watchClock } from '../clock/watch.ts';
import { OperatorError } from '../errors.ts';
import { remembered } from '../jobs.ts';
import { withDatabase } from '../with-database.ts';
import { type PurgeReport, purge } from './purge.ts';

interface PurgeCommandOptions {
  config?: string | undefined;
  'dry-run': boolean;
}

const PAUSE_MS = 200;
const ASKED = 'The purge runs anyway because you ask for it, and the date is believed from now on.';
const ASKED_DRY = 'A purge by hand would also mean that this date is right.';

/**
 * Purges now, or reports what a purge would remove; resolves to the text to print. Beside a running server it uses that
 * server's PostgreSQL.
 */
export async function purgeNow({ config: file, 'dry-run': dryRun }: PurgeCommandOptions): Promise<string> {
  return withDatabase('purge', { config: file }, async ({ sql, config, log }) => {
    const doubt = clockFinding(await watchClock(sql, log).look());
    if (doubt) process.stderr.write(`${doubt.text}\n${dryRun ? ASKED_DRY : ASKED}\n`);
    const run = () => purge(sql, config, log, { dryRun, progress: progressLine() });
    const report = await (dryRun ? run() : remembered(sql, 'purge', run));
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    if (report && !dryRun) {
      const after = {
        records: report.records,
        days_dropped: report.dropped.length,
        days_thinned: report.thinned.length,
      };
      await recordAudit(sql, shellActor(), { action: 'purged', after });
      await trustClock(sql);
    }
    if (report) return describe(report, dryRun);
    throw new OperatorError('a purge is under way already', 'Try again once it is done; its result is in the log.');
  });
}

/** A line that changes, on a terminal. */
function progressLine() {
  let shownAt = 0;
  return ({ day, records }: { day: string; records: number }) => {
    const now = performance.now();
    if (!process.stderr.isTTY || now - shownAt < PAUSE_MS) return;
    shownAt = now;
    process.stderr.write(`\r${day}: ${records.toLocaleString('en')} records so far\x1b[K`);
  };
}

function describe(report: PurgeReport, dryRun: boolean): string {
  const would = dryRun ? 'would go' : 'went';
  const figure = (n: number) => n.toLocaleString('en');
  const width = Math.max(0, ...[...report.byRule.values()].map(records => figure(records).length));
  const lines = [
    `${figure(report.records)} records ${would}${report.byRule.size > 0 ? ':' : '.'}`,
    ...[...report.byRule].map(([rule, records]) => `  ${figure(records).padStart(width)}  ${rule}`),
    report.dropped.length > 0 &&
      `${figure(report.dropped.length)} whole days ${would} (${range(report.dropped)}), ${figure(Math.round(report.bytes / 1024 ** 2))} MB.`,
    report.thinned.length > 0 && `${figure(report.thinned.length)} days ${would} in part (${range(report.thinned)}).`,
    report.gathered.length > 0 &&
      `The rest of ${report.gathered.join(', ')} was gathered into one partition for each month.`,
    report.counters > 0 && `${figure(report.counters)} rows of counters were removed.`,
    report.postponed.length > 0 &&
      `Left for the next purge, because they are being read: ${report.postponed.join(', ')}.`,
    report.overLimit &&
      'The database is still larger than retention.max_bytes, and no other day may go: rules keep them, or its size is that of today and of counters.',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

function range(days: string[]) {
  return days.length === 1 ? days[0]! : `${days[0]} to ${days.at(-1)}`;
}
