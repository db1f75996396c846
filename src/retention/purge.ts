import type { Config } from '../config/settings.ts';
import { countAll } from '../counters/counting.ts';
import type { Sql } from '../db/connect.ts';
import { PURGE_LOCK } from '../db/locks.ts';
import type { Log } from '../log.ts';
import { pruneCounters } from './counters.ts';
import {
  countGroups,
  databaseBytes,
  holdsRecords,
  listDays,
  markPurged,
  partitionBytes,
  type RecordDay,
} from './days.ts';
import { largestDatabase } from './disk-size.ts';
import { gatherMonths } from './gather.ts';
import { daysOverLimit } from './limit.ts';
import { deleteGroups, dropDays, restSince } from './remove.ts';
import { type RecordGroup, type Rules, rulesOf, ruleThatTakes, stateAt } from './rules.ts';

interface PurgeOptions {
  /** Changes nothing: says what a run now would do. */
  dryRun?: boolean;
  /** Leaves out what goes by the date: only takes the oldest days while the database is too large. */
  forSizeAlone?: boolean;
  /** Called with each slice, and as each day is done with. */
  progress?(done: { day: string; records: number }): void;
}

export interface PurgeReport {
  /** Records that went (or would), by the rule that took them. */
  byRule: Map<string, number>;
  records: number;
  /** Days dropped as a whole. */
  dropped: string[];
  /** Days of which some records went. */
  thinned: string[];
  /** Days that could not be dropped without holding up ingestion. */
  postponed: string[];
  /** Bytes that the dropped days took. */
  bytes: number;
  /** Months, `YYYY-MM`, of which the rest was gathered into partitions of the month; none in a dry run. */
  gathered: string[];
  /** Rows of counters; 0 in a dry run. */
  counters: number;
  /** The database is still larger than retention.max_bytes, and no more days may go. */
  overLimit: boolean;
}

/** Nothing is written while a day is dropped, so ingestion gets so many times as long before the next. */
const REST_AFTER_DROP = 12;
const SMALL_DAY = 4 * 1024 ** 2;

const LIMIT_RULE = 'retention.max_bytes';

/**
 * Purges what is past its time: whole days as partitions, else records in slices; then the oldest days while the database
 * is too large; then counters. What is left of months past the default retention is gathered. Undefined where another instance is at
 * it. Needs a client with one connection, since the lock is the session's.
 */
export async function purge(
  sql: Sql,
  config: Config,
  log: Log,
  options: PurgeOptions = {},
): Promise<PurgeReport | undefined> {
  const [lock] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${PURGE_LOCK}) as taken`;
  if (!lock!.taken) return undefined;
  try {
    return await purgeAlone(sql, config, log, options);
  } finally {
    await sql`select pg_advisory_unlock(${PURGE_LOCK})`.catch(() => {});
  }
}

async function purgeAlone(sql: Sql, config: Config, log: Log, options: PurgeOptions): Promise<PurgeReport> {
  const report: PurgeReport = {
    byRule: new Map(),
    records: 0,
    dropped: [],
    thinned: [],
    postponed: [],
    bytes: 0,
    gathered: [],
    counters: 0,
    overLimit: false,
  };
  const rules = rulesOf(config);
  const byDate = !options.forSizeAlone;
  // What a day holds is read from its counters, and what goes before it is counted never would be.
  if (!options.dryRun) await countAll(sql, config);
  if (byDate) for (const day of await listDays(sql)) await purgeDay(sql, day, rules, report, options);
  if (!options.dryRun) await dropEmptyMonths(sql);
  const maxBytes = await largestDatabase(config.retention.max_bytes, config.state.dir);
  await purgeOverLimit(sql, maxBytes, rules, report, options);
  if (!options.dryRun && byDate) {
    report.gathered = await gatherMonths(sql, config.retention.days, report.postponed);
    report.counters = await pruneCounters(sql, config.retention.counters);
  }
  if (report.postponed.length > 0) {
    log.warn('days could not be dropped without holding up ingestion; the next purge tries again', {
      days: report.postponed.length,
    });
  }
  if (report.overLimit) {
    log.warn('the database is larger than retention.max_bytes and no more days may go', {
      max_bytes: maxBytes,
    });
  }
  return report;
}

async function purgeDay(sql: Sql, day: RecordDay, rules: Rules, report: PurgeReport, options: PurgeOptions) {
  const inForce = stateAt(rules, day.ageDays);
  const state = `${inForce} ${day.firstId}-${day.lastId}`;
  if (inForce === '' || day.purgedAs === state) return;
  const groups = await countGroups(sql, day, rules.machineIds);
  const doomed = groups.flatMap(group => {
    const rule = ruleThatTakes(rules, group, day.ageDays);
    return rule === undefined ? [] : [{ ...group, rule }];
  });
  const ruleOf = (group: RecordGroup) => ruleThatTakes(rules, group, day.ageDays)!;

  if (doomed.length === groups.length && day.partition !== null && !day.gathered) {
    await dropWhole(sql, day.partition, [day], state, doomed, report, options);
    return;
  }
  if (doomed.length > 0) {
    report.thinned.push(day.day);
    if (options.dryRun) for (const { rule, records } of doomed) add(report, rule, records);
    else {
      for await (const taken of deleteGroups(sql, day, doomed, rules.machineIds)) {
        for (const group of taken) add(report, ruleOf(group), group.records);
        options.progress?.({ day: day.day, records: report.records });
      }
    }
  }
  if (!options.dryRun) await markPurged(sql, day, state);
}

async function dropWhole(
  sql: Sql,
  partition: string,
  days: RecordDay[],
  state: string,
  taken: { rule: string; records: number }[],
  report: PurgeReport,
  { dryRun, progress }: PurgeOptions,
): Promise<boolean> {
  const bytes = await partitionBytes(sql, partition);
  const names = days.map(({ day }) => day);
  const started = performance.now();
  if (!dryRun && !(await dropDays(sql, days, state))) {
    report.postponed.push(...names);
    return false;
  }
  report.dropped.push(...names);
  report.bytes += bytes;
  for (const { rule, records } of taken) add(report, rule, records);
  progress?.({ day: names.at(-1)!, records: report.records });
  if (!dryRun && bytes > SMALL_DAY) await restSince(started, REST_AFTER_DROP);
  return true;
}

function add(report: PurgeReport, rule: string, records: number) {
  report.byRule.set(rule, (report.byRule.get(rule) ?? 0) + records);
  report.records += records;
}

async function purgeOverLimit(
  sql: Sql,
  maxBytes: number | undefined,
  rules: Rules,
  report: PurgeReport,
  options: PurgeOptions,
) {
  if (maxBytes === undefined) return;
  // What a dry run would have dropped by now counts as gone.
  let size = (await databaseBytes(sql)) - (options.dryRun ? report.bytes : 0);
  if (size <= maxBytes) return;
  const gone = new Set(report.dropped);
  for await (const { partition, days, records } of daysOverLimit(sql, rules)) {
    const [oldest] = days as [RecordDay];
    if (gone.has(oldest.day)) continue;
    const before = report.bytes;
    const state = `${stateAt(rules, oldest.ageDays)} ${oldest.firstId}-${oldest.lastId}`;
    if (await dropWhole(sql, partition, days, state, [{ rule: LIMIT_RULE, records }], report, options))
      size -= report.bytes - before;
    if (size <= maxBytes) return;
  }
  report.overLimit = true;
}

/** Of a gathered month records go one by one: once the last is gone, so is what held them. */
async function dropEmptyMonths(sql: Sql) {
  const gathered = (await listDays(sql)).filter(day => day.gathered);
  for (const [partition, days] of Map.groupBy(gathered, day => day.partition!)) {
    if (!(await holdsRecords(sql, partition))) await dropDays(sql, days, '');
  }
}
