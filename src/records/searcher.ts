import type { Queryable, Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { isNoExpression, isTooSlow, isUnfitExpression } from '../db/sqlstates.ts';
import { RequestError } from '../errors.ts';
import { countedMachines, countedRecords } from './counted.ts';
import { asksForAnalysis, type RecordFilter } from './filter-sql.ts';
import { countRecords, type FoundRecords, type RecordCount, type SearchOptions, searchRecords } from './search.ts';
import { turns } from './turns.ts';

export interface Searcher {
  /** Throws SearchProblem if the filter can't be searched. */
  search(filter: RecordFilter, options: SearchOptions): Promise<FoundRecords>;
  /** Counts if that is quick, up to `most` for a machine; undefined if it isn't. */
  countQuickly(filter: RecordFilter, most: number): Promise<RecordCount | undefined>;
  /** Counts one by one up to `most`; throws SearchProblem if the filter can't be searched. */
  count(filter: RecordFilter, most: number): Promise<RecordCount>;
}

/** A search that can't be done; `field` names the parameter to change. */
export class SearchProblem extends RequestError {
  declare readonly status: 400 | 503;
  readonly field: 'payload' | 'not_payload' | 'event_id' | 'parsed';

  constructor(status: 400 | 503, field: SearchProblem['field'], message: string) {
    super(status, message);
    this.field = field;
  }
}

const SEARCH_SECONDS = 5;
/** Searches of payloads at a time; others wait, and everything else goes on. */
const AT_ONCE = 2;
/** More searches could not be answered in time. */
const MOST_WAITING = 8;
const WAIT_MS = 8_000;
/** Includes the time before and after the search itself. */
const DEADLINE_MS = 8_000;

/** Searches that read payloads have their own connections and deadline. */
export function createSearcher(database: Database): Searcher {
  const { sql } = database;
  const slow = database.client('search', { connections: AT_ONCE, deadlineMs: DEADLINE_MS, cancellable: true });
  const takeTurn = turns({
    atOnce: AT_ONCE,
    mostWaiting: MOST_WAITING,
    withinMs: WAIT_MS,
    busy: 'too many searches of payloads are under way; try again in a moment',
  });

  async function inTurn<Result>(filter: RecordFilter, work: SlowWork<Result>): Promise<Result> {
    const endTurn = await takeTurn();
    try {
      return await withinDeadline(slow, filter, work);
    } finally {
      endTurn();
    }
  }

  async function countQuickly(filter: RecordFilter, most: number): Promise<RecordCount | undefined> {
    const [n, machines] = await Promise.all([countedRecords(sql, filter), countedMachines(sql, filter)]);
    if (n !== undefined) return { n, more: false, machines };
    const isOfMachine = filter.machineId !== undefined && !readsRows(filter) && !asksForAnalysis(filter);
    return isOfMachine ? countRecords(sql, filter, most) : undefined;
  }

  return {
    search: (filter, options) =>
      readsRows(filter)
        ? inTurn(filter, (tx, pace) => searchRecords(tx, filter, { ...options, pace }))
        : searchRecords(sql, filter, options),
    countQuickly,
    count: async (filter, most) =>
      (await countQuickly(filter, most)) ??
      (readsRows(filter)
        ? inTurn(filter, (tx, pace) => countRecords(tx, filter, most, pace))
        : countRecords(sql, filter, most)),
  };
}

/** Whether rows may have to be read because no index is sure to help. */
function readsRows(filter: RecordFilter): boolean {
  const { payload, notPayload, parsed, eventId, capturedAfter, arch, kernelVersion, hostType, cpuModel } = filter;
  const unindexed = [payload, notPayload, parsed, eventId, capturedAfter, arch, kernelVersion, hostType, cpuModel];
  return unindexed.some(value => value !== undefined);
}

type SlowWork<Result> = (tx: Queryable, pace: () => Promise<unknown>) => Promise<Result>;

async function withinDeadline<Result>(sql: Sql, filter: RecordFilter, work: SlowWork<Result>): Promise<Result> {
  await checkExpressions(sql, filter);
  try {
    return (await sql.begin('read only', async tx => {
      const until = performance.now() + SEARCH_SECONDS * 1000;
      const pace = () =>
        tx`select set_config('statement_timeout', ${Math.max(1, Math.round(until - performance.now()))}::text, true)`;
      await pace();
      return await work(tx, pace);
    })) as Result;
  } catch (error) {
    const field = expressionsOf(filter)[0]?.[0];
    if (field && isUnfitExpression(error)) throw unfit(field, error);
    if (!isTooSlow(error)) throw error;
    throw new SearchProblem(
      503,
      fieldOf(filter),
      `stopped after ${SEARCH_SECONDS} seconds: narrow it by dates, OS, build, classification or machine id`,
    );
  }
}

/** The filter field that costs most. */
function fieldOf({ payload, notPayload, parsed }: RecordFilter): SearchProblem['field'] {
  if (payload !== undefined) return 'payload';
  if (notPayload !== undefined) return 'not_payload';
  return parsed === undefined ? 'event_id' : 'parsed';
}

function expressionsOf({ payload, notPayload }: RecordFilter) {
  const fields: ['payload' | 'not_payload', string | undefined][] = [
    ['payload', payload],
    ['not_payload', notPayload],
  ];
  return fields.flatMap(([field, expression]) => (expression === undefined ? [] : [[field, expression] as const]));
}

/** Throws SearchProblem if a regular expression is invalid, or too complex for PostgreSQL. */
export async function checkExpressions(sql: Sql, filter: RecordFilter) {
  for (const [field, expression] of expressionsOf(filter)) {
    try {
      await sql`select '' ~ ${expression}`;
    } catch (error) {
      if (isUnfitExpression(error) || isTooSlow(error)) throw unfit(field, error);
      throw error;
    }
  }
}

function unfit(field: SearchProblem['field'], error: unknown): SearchProblem {
  const { message } = error as Error;
  const reason = isNoExpression(error)
    ? `not a regular expression: ${message.replace(/^invalid regular expression: /, '')}`
    : 'a regular expression that is too complex: use fewer or smaller repetitions';
  return new SearchProblem(400, field, reason);
}
