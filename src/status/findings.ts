import { Cron } from 'croner';
import { counted, size } from '../../views/parts/parts.tsx';
import type { Config } from '../config/settings.ts';
import { hasFailed, type JobOutcome } from '../jobs.ts';
import type { DiskStatus } from '../retention/disk-reserve.ts';
import { ago } from '../time/ago.ts';
import { expiresSoon } from '../tls/pair.ts';
import type { Finding } from './check.ts';
import type { ServerState } from './state.ts';

// Shared by the status page and doctor.

export function diskFinding(room: DiskStatus): Finding {
  const text = `${size(room.freeBytes)} free; records are refused below ${size(room.reserveBytes)}.`;
  const remedy = 'Free space on the file system of state.dir, or keep records for fewer days.';
  if (room.low) return { level: 'error', text: `Too little space: records are answered 503. ${text}`, remedy };
  return room.freeBytes < 2 * room.reserveBytes ? { level: 'warning', text, remedy } : { level: 'ok', text };
}

/** A scheduled job; it is late if its last two times passed without a success. */
export function jobFinding(outcome: JobOutcome | undefined, schedule: string, now: Date): Finding {
  const cron = new Cron(schedule, { timezone: 'UTC', paused: true });
  const [, dueBefore] = cron.previousRuns(2, now);
  const next = cron.nextRun(now);
  cron.stop();
  const nextText = next ? ` The next is due ${next.toISOString().slice(0, 16).replace('T', ' ')} UTC.` : '';
  if (outcome && hasFailed(outcome)) {
    const before = outcome.succeededAt
      ? `the last good one was ${ago(outcome.succeededAt, now)}`
      : 'none has succeeded';
    return {
      level: 'error',
      text: `The last one failed ${ago(outcome.failedAt!, now)}; ${before}.${nextText}`,
      reason: outcome.failure ?? undefined,
      remedy: 'Fix the cause that the reason names. The log names it too.',
    };
  }
  if (!outcome?.succeededAt) return { level: 'ok', text: `None yet.${nextText}` };
  const text = `The last was ${ago(outcome.succeededAt, now)}.${nextText}`;
  if (!dueBefore || outcome.succeededAt >= dueBefore) return { level: 'ok', text };
  return {
    level: 'warning',
    text,
    remedy: 'It missed its time: check that the server runs then, and read its log.',
  };
}

export function backupFinding(outcome: JobOutcome | undefined, config: Config, now: Date): Finding {
  const { dir, schedule } = config.backup;
  if (dir !== undefined) {
    const finding = jobFinding(outcome, schedule, now);
    if (/EROFS|read-only file system/i.test(finding.reason ?? '')) return { ...finding, remedy: unitRemedy(dir) };
    if (!/EACCES|EPERM/.test(finding.reason ?? '')) return finding;
    return { ...finding, remedy: `Let the user of the service write there: chown telemetricsd ${dir}.` };
  }
  const last = outcome?.succeededAt;
  const text = `No automatic backups, ${last ? `the last by hand was ${ago(last, now)}` : 'and none made by hand'}.`;
  if (config.database.url !== undefined) return { level: 'ok', text };
  return { level: 'warning', text, remedy: 'Set backup.dir to a directory, best on another disk.' };
}

/** The remedy for a directory that the unit shows read-only to the service. */
export function unitRemedy(dir: string): string {
  return `Create it, and let the unit write there: "systemctl edit telemetricsd", with "[Service]" and "ReadWritePaths=${dir}"; then "systemctl restart telemetricsd".`;
}

export function certificateFinding({ notAfter, refused }: NonNullable<ServerState['certificate']>, now: Date): Finding {
  const day = notAfter.toISOString().slice(0, 10);
  const expired = notAfter < now;
  const text = expired
    ? `It expired on ${day}.`
    : `It expires on ${day}, in ${counted(daysUntil(notAfter, now), 'day')}.`;
  if (refused !== undefined) {
    return {
      level: 'error',
      text: `A new certificate was refused, the old one is in use. ${text}`,
      reason: refused,
      remedy: 'Correct the files of tls.cert and tls.key.',
    };
  }
  const remedy = 'Renew it. The server notices when the files of tls.cert and tls.key change.';
  if (expired) return { level: 'error', text, remedy };
  return expiresSoon(notAfter, now.getTime()) ? { level: 'warning', text, remedy } : { level: 'ok', text };
}

/** Whole days. */
function daysUntil(at: Date, now: Date): number {
  return Math.floor((at.getTime() - now.getTime()) / 86_400_000);
}
