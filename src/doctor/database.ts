import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clockFinding } from '../clock/finding.ts';
import { readBelief } from '../clock/store.ts';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { type Database, databaseAt, openDatabase } from '../db/database.ts';
import { assertSameMajor, runningSocket } from '../db/embedded.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { describeOwner, isClaimed } from '../db/owner.ts';
import { hasJobOutcomes, jobOutcomes } from '../jobs.ts';
import { createLog } from '../log.ts';
import type { Check, Finding } from '../status/check.ts';
import { backupFinding, jobFinding } from '../status/findings.ts';
import { CLOCK_REMEDY } from './clock.ts';
import { AS_ROOT, lookAt } from './look.ts';

const CLOCK_TOLERANCE_MS = 5_000;

/** Checks the database, if it runs: the built-in one is not started for this. */
export async function databaseChecks(config: Config): Promise<Check[]> {
  let database: Database | undefined;
  const unopened = await lookAt([
    [
      'Database',
      async () => {
        database = await openRunning(config);
        return database ? [] : stopped(config.state.dir);
      },
    ],
  ]);
  if (!database) return unopened;
  try {
    const sql = database.client('doctor');
    return await lookAt([
      ['Database', () => schema(sql)],
      ['Clock', () => databaseClock(sql)],
      ['Clock', () => doubtedClock(sql)],
      ['Jobs', () => jobs(sql, config)],
    ]);
  } finally {
    await database.close();
  }
}

async function openRunning(config: Config): Promise<Database | undefined> {
  if (config.database.url !== undefined) return openDatabase(config, createLog('error', 'text'));
  const socketDir = await runningSocket(config.state.dir);
  return socketDir ? databaseAt({ socketDir }, 1) : undefined;
}

function stopped(stateDir: string): Finding {
  const dataDir = join(stateDir, 'data');
  if (!existsSync(dataDir)) return { level: 'ok', text: 'There is no database yet: the first start makes it.' };
  if (isClaimed(stateDir)) {
    const text = `telemetricsd runs${describeOwner(stateDir)}, but its database can't be seen or is not ready.`;
    return { level: 'warning', text, remedy: `${AS_ROOT} If you did, try again in a minute and look into the log.` };
  }
  assertSameMajor(dataDir);
  return { level: 'ok', text: 'telemetricsd does not run. Its database is checked only while it runs.' };
}

async function schema(sql: Sql): Promise<Finding> {
  const pending = await pendingMigrations(sql);
  const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
  const text = `PostgreSQL ${row!.version} answers.`;
  if (pending.length === 0) return { level: 'ok', text: `${text} Its schema is what this version needs.` };
  return {
    level: 'warning',
    text: `${text} Migrations are pending: ${pending.map(({ name }) => name).join(', ')}.`,
    remedy: 'The next start of this version applies them; make a backup before.',
  };
}

async function databaseClock(sql: Sql): Promise<Finding> {
  const before = Date.now();
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
  const difference = row!.now.getTime() - (before + Date.now()) / 2;
  if (Math.abs(difference) <= CLOCK_TOLERANCE_MS)
    return {
      level: 'ok',
      text: `The clock of the database agrees with this host's within ${CLOCK_TOLERANCE_MS / 1000} s.`,
    };
  const way = difference > 0 ? 'ahead of' : 'behind';
  const text = `The clock of the database is ${Math.abs(Math.round(difference / 1000))} s ${way} this host's.`;
  return { level: 'warning', text, remedy: CLOCK_REMEDY };
}

async function doubtedClock(sql: Sql) {
  const [row] = await sql<{ present: boolean }[]>`select to_regclass('clock') is not null as present`;
  const finding = row!.present ? clockFinding((await readBelief(sql)).belief) : undefined;
  return finding ?? [];
}

async function jobs(sql: Sql, config: Config) {
  if (!(await hasJobOutcomes(sql))) return [];
  const outcomes = await jobOutcomes(sql);
  const now = new Date();
  return [
    { name: 'Purge', ...jobFinding(outcomes.get('purge'), config.retention.schedule, now) },
    { name: 'Backup', ...backupFinding(outcomes.get('backup'), config, now) },
  ];
}
