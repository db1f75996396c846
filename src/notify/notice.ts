import { hostname } from 'node:os';
import { guiltyPath } from '../../views/crashes/links.ts';
import type { Config } from '../config/settings.ts';
import type { NewGuilty } from '../overview/queries.ts';
import type { Check, Level } from '../status/check.ts';
import {
  checksOf,
  isLately,
  isQuarantineNearlyFull,
  LIMITS_REMEDY,
  QUARANTINE_REMEDY,
  SILENCE_REMEDY,
} from '../status/checks.ts';
import { EXCESS_DAYS, type ServerState } from '../status/state.ts';
import { pagesUrl } from './pages-url.ts';

/** Something that admins should know. */
export interface Notice {
  /** Identifies the cause: a notice of the same subject is repeated only after notify.repeat_hours. */
  subject: string;
  level: Exclude<Level, 'ok'> | 'test';
  text: string;
  remedy?: string | undefined;
  reason?: string | undefined;
  /** Sent once and not again. */
  once?: true;
}

/** Fewer refusals within an hour point to one faulty machine, not to a change in what machines send. */
const GROWTH = 10;

/** The checks whose finding is a notice. Those about one host name it, since another may share the database. */
const SUBJECTS: Record<string, string> = {
  Data: 'data stopped arriving',
  Queue: `records at ${hostname()}`,
  Disk: `disk of ${hostname()}`,
  Clock: 'clock',
  Purge: 'purge',
  Backup: 'backup',
  Certificate: `certificate of ${hostname()}`,
};

/** The notices that are due now. */
export function noticesOf(state: ServerState, fresh: NewGuilty[], config: Config, now = new Date()): Notice[] {
  return [
    ...checksOf(state, config, now).flatMap(check => noticeOf(check, config)),
    ...quarantineGrows(state, config),
    ...recordsDropped(state, now),
    ...fresh
      .filter(({ machines }) => machines > config.notify.guilty_machines)
      .map(guilty => newGuilty(guilty, config)),
  ];
}

function noticeOf({ name, level, text, remedy, reason }: Check, { backup }: Config): Notice[] {
  const subject = SUBJECTS[name];
  if (subject === undefined || level === 'ok' || (name === 'Backup' && backup.dir === undefined)) return [];
  return [{ subject, level, text: `${name}: ${text}`, remedy, reason }];
}

function quarantineGrows(state: ServerState, config: Config): Notice[] {
  const { quarantined, quarantinedLately } = state.database;
  if (quarantinedLately < (isQuarantineNearlyFull(state, config) ? 1 : GROWTH)) return [];
  return [
    {
      subject: 'quarantine grows',
      level: 'warning',
      text: `Quarantine: ${quarantinedLately} records were refused within the hour, ${quarantined} are kept.`,
      remedy: QUARANTINE_REMEDY,
    },
  ];
}

function recordsDropped({ excesses }: ServerState, now: Date): Notice[] {
  return excesses
    .filter(({ kind, lastAt }) => kind === 'dropped' && isLately(lastAt, now))
    .map(({ fleet, requests }) => ({
      subject: `records of ${fleet} dropped`,
      level: 'warning' as const,
      text: `Limits: ${requests} records of ${fleet} were dropped within ${EXCESS_DAYS} days.`,
      remedy: LIMITS_REMEDY,
    }));
}

function newGuilty({ id, function: name, module, machines, firstBuild }: NewGuilty, config: Config): Notice {
  return {
    subject: `guilty ${id}`,
    level: 'warning',
    text: `A new guilty on ${machines} machines: ${name} in ${module}, first seen on ${firstBuild}.`,
    remedy: `See where it happens: ${pagesUrl(config) ?? ''}${guiltyPath(id)}`,
    once: true,
  };
}

/** The only notice that is possible then. */
export function databaseSilent(minutes: number, reason: string): Notice {
  return {
    subject: `database of ${hostname()}`,
    level: 'error',
    text: `Database: it has not answered for ${minutes} minutes; records are answered 503 meanwhile and come again.`,
    remedy: SILENCE_REMEDY,
    reason,
  };
}

export const TEST_NOTICE: Notice = { subject: 'test', level: 'test', text: 'A test of notices; nothing is wrong.' };

/** The JSON that is posted, and that a program reads. */
export function noticeJson(notice: Notice, config: Config, now = new Date()): string {
  const { subject, level, text, remedy, reason } = notice;
  const site = pagesUrl(config);
  const status = site && `${site}/telemetryui/status`;
  return JSON.stringify({ subject, level, text, remedy, reason, host: hostname(), time: now.toISOString(), status });
}
