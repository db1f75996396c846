import type { Queryable, Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { RequestError } from '../errors.ts';
import { countedMachines, countedRecords } from './counted.ts';
import { asksForAnalysis, type RecordFilter } from './filter-sql.ts';
import type { StoredRecord } from './record.ts';
import { countRecords, type RecordCount, type SearchOptions, searchRecords } from './search.ts';

export interface Searcher {
  /** Throws SearchProblem where a filter is at fault. */
  search(filter: RecordFilter, options: SearchOptions): Promise<StoredRecord[]>;
  /** Counts where that is quick, of a machine up to `most`; undefined where it isn't. */
  countQuickly(filter: RecordFilter, most: number): Promise<RecordCount | undefined>;
  /** Counts, one by one up to `most`; throws SearchProblem where a filter is at fault. */
  count(filter: RecordFilter, most: number): Promise<RecordCount>;
}

/** A search that can't be done: `field` names the parameter that should be changed. */
export class SearchProblem extends RequestError {
  declare readonly status: 400 | 503;
  readonly field: 'payload' | 'not_payload' | 'event_id' | 'parsed';

  constructor(status: 400 | 503, field: SearchProblem['field'], message: string) {
    super(status, message);
    this.field = field;
  }
}

export const SEARCH_SECONDS = 5;
/** Searches of payloads at a time; others wait, and everything else goes on. */
const AT_ONCE = 2;

/** Searches that read payloads have connections and a deadline of their own. */
export function createSearcher(database: Database): Searcher {
  const { sql } = database;
  const slow = database.client('search', { connections: AT_ONCE });

  async function countQuickly(filter: RecordFilter, most: number): Promise<RecordCount | undefined> {
    const [n, machines] = await Promise.all([countedRecords(sql, filter), countedMachines(sql, filter)]);
    if (n !== undefined) return { n, more: false, machines };
    const isOfMachine = filter.machineId !== undefined && !readsRows(filter) && !asksForAnalysis(filter);
    return isOfMachine ? countRecords(sql, filter, most) : undefined;
  }

  return {
    search: (filter, options) =>
      readsRows(filter)
        ? withinDeadline(slow, filter, (tx, pace) => searchRecords(tx, filter, { ...options, pace }))
        : searchRecords(sql, filter, options),
    countQuickly,
    count: async (filter, most) =>
      (await countQuickly(filter, most)) ??
      (readsRows(filter)
        ? withinDeadline(slow, filter, (tx, pace) => countRecords(tx, filter, most, pace))
        : countRecords(sql, filter, most)),
  };
}

/** No index is sure to help: the rows themselves may have to be read. */
function readsRows(filter: RecordFilter): boolean {
  const { payload, notPayload, parsed, eventId, capturedAfter, arch, kernelVersion, hostType, cpuModel } = filter;
  const unindexed = [payload, notPayload, parsed, eventId, capturedAfter, arch, kernelVersion, hostType, cpuModel];
  return unindexed.some(value => value !== undefined);
}

const INVALID_EXPRESSION = '2201B';
const CANCELLED = '57014';

async function withinDeadline<Result>(
  sql: Sql,
  filter: RecordFilter,
  work: (tx: Queryable, pace: () => Promise<unknown>) => Promise<Result>,
): Promise<Result> {
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
    if ((error as { code?: string }).code !== CANCELLED) throw error;
    throw new SearchProblem(
      503,
      fieldOf(filter),
      `stopped after ${SEARCH_SECONDS} seconds: narrow it by dates, OS, build, classification or machine id`,
    );
  }
}

/** The one that costs most. */
function fieldOf({ payload, notPayload, parsed }: RecordFilter): SearchProblem['field'] {
  if (payload !== undefined) return 'payload';
  if (notPayload !== undefined) return 'not_payload';
  return parsed === undefined ? 'event_id' : 'parsed';
}

/** Throws SearchProblem where a regular expression isn't one. */
export async function checkExpressions(sql: Sql, { payload, notPayload }: RecordFilter) {
  for (const [field, expression] of [
    ['payload', payload],
    ['not_payload', notPayload],
  ] as const) {
    if (expression === undefined) continue;
    try {
      await sql`select '' ~ ${expression}`;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code !== INVALID_EXPRESSION) throw error;
      throw new SearchProblem(
        400,
        field,
        `not a regular expression: ${message.replace(/^invalid regular expression: /, '')}`,
      );
    }
  }
}
