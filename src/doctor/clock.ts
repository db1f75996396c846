import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/settings.ts';
import type { Finding } from '../status/check.ts';

/** This program did not exist before the first date, and nobody runs it after the second. */
const EARLIEST = Date.parse('2025-01-01');
const LATEST = Date.parse('2100-01-01');
const TOLERANCE_MS = 60_000;
export const CLOCK_REMEDY = 'Set the clock, and keep it right: timedatectl set-ntp true.';

/** Checks the clock against the calendar and against file times. The database check compares the database's clock. */
export function clock({ state: { dir } }: Config, now = Date.now()): Finding {
  const iso = new Date(now).toISOString();
  if (now < EARLIEST || now > LATEST)
    return {
      level: 'error',
      text: `The clock of this host says that it is ${iso.slice(0, 10)}.`,
      remedy: CLOCK_REMEDY,
    };
  const files = [process.execPath, join(dir, 'telemetricsd.pid'), join(dir, 'data')].filter(file => existsSync(file));
  const ahead = files.find(file => statSync(file).mtimeMs > now + TOLERANCE_MS);
  if (ahead === undefined)
    return { level: 'ok', text: `It is ${iso.slice(0, 16).replace('T', ' ')} UTC; no file has a later date.` };
  const written = statSync(ahead).mtime.toISOString().slice(0, 19);
  return {
    level: 'warning',
    text: `It is ${iso.slice(0, 19)} here, and ${ahead} was written at ${written}.`,
    remedy: CLOCK_REMEDY,
  };
}
