import type { Fragment, Queryable } from '../db/connect.ts';
import { DAY_MS } from '../time/units.ts';
import {
  analysisConditions,
  asksForAnalysis,
  type CountedFilter,
  countedConditions,
  type RecordFilter,
  recordConditions,
} from './filter-sql.ts';
import { beginningOfPayload, type RecordRow, recordColumns, toRecord, wholePayload } from './queries.ts';
import type { StoredRecord } from './record.ts';

// Records lie in a partition for each UTC day, so a search walks over days, from one end, until it has enough. The counters
// tell how many records of a day fit at most: days without any cost nothing, and for each other day it is known whether
// reading by id soon finds enough or all that fit must be looked up by another index.

export interface SearchOptions {
  limit: number;
  order: 'newest' | 'oldest';
  /** Of each payload at most so many characters. */
  payloadBeginning?: number | undefined;
  /** About so many bytes of payloads at most, but one record at least; what follows is left out. */
  mostBytes?: number | undefined;
  /** Called before each day, which are then asked one by one: for a search whose cost nobody knows. */
  pace?: Pace | undefined;
}

type Pace = () => Promise<unknown>;

export interface FoundRecords {
  records: StoredRecord[];
  /** More may fit that `mostBytes` has left out. */
  cut: boolean;
}

/** The first records that fit, in the order of ids. */
export async function searchRecords(
  sql: Queryable,
  filter: RecordFilter,
  options: SearchOptions,
): Promise<FoundRecords> {
  const { limit, order, mostBytes, pace } = options;
  const before = (a: number, b: number) => (order === 'newest' ? b - a : a - b);
  const found: RecordRow[] = [];
  /** Of a day that was cut off: what follows this record is not known. */
  let end: number | undefined;
  const finish = () => {
    const known = end === undefined ? found : found.filter(({ id }) => before(id, end!) <= 0);
    return { records: known.slice(0, limit).map(toRecord), cut: end !== undefined };
  };

  if (filter.machineId !== undefined) {
    found.push(...(await recordsOfMachine(sql, filter, options)));
    end = endOfCut(found, mostBytes);
    return finish();
  }
  for await (const { days, next } of matchingDays(sql, filter, order)) {
    const asked = pace ? days.map(day => [day]) : [...groups(days, limit - found.length)];
    for (const [place, together] of asked.entries()) {
      await pace?.();
      const share = mostBytes && Math.max(1, Math.floor((mostBytes - payloadBytes(found)) / together.length));
      const ofDays = await Promise.all(
        together.map(day => recordsOfDay(sql, filter, day, { ...options, mostBytes: share })),
      );
      found.push(...ofDays.flat());
      found.sort((a, b) => before(a.id, b.id));
      for (const rows of ofDays) end = [end, endOfCut(rows, share)].filter(id => id !== undefined).sort(before)[0];
      const following = asked[place + 1]?.[0] ?? next;
      const [last] = [end, found[limit - 1]?.id].filter(id => id !== undefined).sort(before);
      // Ids of two days may overlap: around midnight, and where older records were imported later.
      if (last !== undefined && (!following || before(last, extreme(following, order)) < 0)) return finish();
    }
  }
  return finish();
}

/** The last of some records, where `mostBytes` may have left out others after it. */
function endOfCut(rows: readonly RecordRow[], mostBytes: number | undefined): number | undefined {
  return mostBytes !== undefined && payloadBytes(rows) >= mostBytes ? rows.at(-1)?.id : undefined;
}

function payloadBytes(rows: readonly RecordRow[]): number {
  return rows.reduce((sum, { payload, payloadRaw }) => sum + Buffer.byteLength(payload) + (payloadRaw?.length ?? 0), 0);
}

function extreme({ firstId, lastId }: MatchingDay, order: SearchOptions['order']) {
  return order === 'newest' ? lastId : firstId;
}

/** A UTC day that may hold records that fit. */
export interface MatchingDay {
  /** `2026-11-23` */
  day: string;
  firstId: number;
  lastId: number;
  /** None of its records are gone. */
  complete: boolean;
  /** How many records fit by the counters, which is exact for a complete day; null where these do not tell. */
  counted: number | null;
  /** Their classifications. */
  classifications: string[];
}

/**
 * The days of a search in chunks that grow, so that a search that ends soon has looked at few; in the order of their ids.
 * `next` is the day that follows a chunk.
 */
export async function* matchingDays(sql: Queryable, filter: RecordFilter, order: SearchOptions['order']) {
  const all = await daysOf(sql, filter, order);
  for (let from = 0, size = 1; from < all.length; from += size, size *= 2) {
    const chunk = all.slice(from, from + size);
    yield { days: narrows(filter) ? await countMatches(sql, filter, chunk) : chunk, next: all[from + size] };
  }
}

/** The days that a filter's moments and ids leave. */
async function daysOf(sql: Queryable, filter: RecordFilter, order: SearchOptions['order']): Promise<MatchingDay[]> {
  const { receivedFrom, receivedBefore, receivedWithin, fromId, beforeId } = filter;
  const since = receivedWithin === undefined ? receivedFrom : new Date(Date.now() - receivedWithin * 1000);
  return await sql<MatchingDay[]>`
    select day::text, first_id as "firstId", last_id as "lastId", complete, null as counted, '{}'::text[] as classifications
      from ids_of_days
     where first_id <= last_id
       and day >= coalesce((${since ?? null}::timestamptz at time zone 'UTC')::date, '-infinity')
       and day <= coalesce((${receivedBefore ?? null}::timestamptz at time zone 'UTC')::date, 'infinity')
       and last_id >= coalesce(${fromId ?? null}::bigint, 0) and first_id < coalesce(${beforeId ?? null}::bigint, 9223372036854775807)
     order by ${order === 'newest' ? sql`last_id desc` : sql`first_id`}`;
}

/** Whether the counters know days on which nothing fits. */
function narrows(filter: CountedFilter): boolean {
  const { systemName, build, classification, severity, external, fleet } = filter;
  return [systemName, build, classification, severity, external, fleet].some(value => value !== undefined);
}

async function countMatches(sql: Queryable, filter: CountedFilter, days: MatchingDay[]): Promise<MatchingDay[]> {
  const counts = await sql<{ day: string; counted: number; classifications: string[] }[]>`
    select day::text, sum(records)::bigint as counted, array_agg(distinct classification) as classifications
      from build_counts r
     where day = any(${days.map(({ day }) => day)}::text[]::date[]) and ${countedConditions(sql, filter)}
     group by day`;
  const byDay = new Map(counts.map(({ day, ...row }) => [day, row]));
  return days.flatMap(day => {
    const match = byDay.get(day.day);
    return match ? [{ ...day, ...match }] : [];
  });
}

/** Days that are asked at once: as many as hold enough. */
function* groups(days: MatchingDay[], wanted: number): Generator<MatchingDay[]> {
  let group: MatchingDay[] = [];
  let expected = 0;
  for (const day of days) {
    group.push(day);
    expected += day.counted ?? 0;
    if (expected < wanted) continue;
    yield group;
    [group, expected] = [[], 0];
  }
  if (group.length > 0) yield group;
}

/** Those of one machine id, which the primary key finds in all partitions at once. */
function recordsOfMachine(sql: Queryable, filter: RecordFilter, { limit, order, ...payloads }: SearchOptions) {
  const direction = order === 'newest' ? sql`desc` : sql`asc`;
  return sql<RecordRow[]>`
    with fitting as materialized (
      select r.id, r.received_at from records r
       where ${recordConditions(sql, filter)} and ${madeOfMachine(sql, filter)}
    ), first as materialized (
      select id, received_at from fitting order by id ${direction} limit ${limit}
    )
    select ${recordColumns(sql, payloadOf(sql, payloads.payloadBeginning))}
      from ${upTo(
        sql,
        payloads.mostBytes,
        direction,
        sql`
          select r.* from first
            join records r on r.machine_id = ${filter.machineId!} and r.received_at = first.received_at and r.id = first.id`,
      )} r
      join fleets f on f.id = r.fleet_id
     order by r.id ${direction}`;
}

function payloadOf(sql: Queryable, beginning: number | undefined) {
  return beginning === undefined ? wholePayload(sql) : beginningOfPayload(sql, beginning);
}

/** The first of some rows whose payloads have together about so many bytes. */
function upTo(sql: Queryable, mostBytes: number | undefined, direction: Fragment, rows: Fragment): Fragment {
  if (mostBytes === undefined) return sql`(${rows})`;
  const bytes = sql`octet_length(r.payload) + coalesce(octet_length(r.payload_raw), 0)`;
  return sql`
    (select *
       from (select r.*, sum(${bytes}) over (order by r.id ${direction} rows unbounded preceding) - (${bytes}) as bytes_before
               from (${rows}) r) r
      where bytes_before < ${mostBytes}::bigint)`;
}

/** Rows that may be read by id to find enough, before all that fit are looked up by what narrows most. */
const READ_BY_ID = 3_000;
/** More classifications than that don't narrow a day down. */
const MOST_CLASSIFICATIONS = 20;

function recordsOfDay(
  sql: Queryable,
  filter: RecordFilter,
  day: MatchingDay,
  { limit, order, payloadBeginning, mostBytes }: SearchOptions,
) {
  const direction = order === 'newest' ? sql`desc` : sql`asc`;
  const conditions = sql`${recordConditions(sql, filter)} and ${madeOnDay(sql, filter, day.day)} and ${onDay(sql, day.day)}`;
  if (foundSoon(filter, day, limit)) {
    return sql<RecordRow[]>`
      select ${recordColumns(sql, payloadOf(sql, payloadBeginning))}
        from ${upTo(sql, mostBytes, direction, sql`select r.* from records r where ${conditions} order by r.id ${direction} limit ${limit}`)} r
        join fleets f on f.id = r.fleet_id
       order by r.id ${direction}`;
  }
  return sql<RecordRow[]>`
    with fitting as materialized (
      select r.id from records r where ${conditions} and ${amongClassifications(sql, day)}
    ), first as materialized (
      select id from fitting order by id ${direction} limit ${limit}
    )
    select ${recordColumns(sql, payloadOf(sql, payloadBeginning))}
      from ${upTo(sql, mostBytes, direction, sql`select r.* from first join records r using (id) where ${onDay(sql, day.day)}`)} r
      join fleets f on f.id = r.fleet_id
     order by r.id ${direction}`;
}

/** Those that the counters know to fit: narrows down, by an index, what has none. */
function amongClassifications(sql: Queryable, { classifications }: MatchingDay) {
  const few = classifications.length > 0 && classifications.length <= MOST_CLASSIFICATIONS;
  return few ? sql`r.classification = any(${classifications}::text[])` : sql`true`;
}

export function onDay(sql: Queryable, day: string, of = sql`r`) {
  return sql`
    ${of}.received_at >= ${day}::date::timestamp at time zone 'UTC'
    and ${of}.received_at < (${day}::date + 1)::timestamp at time zone 'UTC'`;
}

export function madeOnDay(sql: Queryable, filter: RecordFilter, day: string) {
  return analysisConditions(sql, filter, table => onDay(sql, day, table));
}

function madeOfMachine(sql: Queryable, filter: RecordFilter) {
  return analysisConditions(sql, filter, table => sql`${table}.machine_id = ${filter.machineId!}`);
}

function foundSoon(filter: RecordFilter, { firstId, lastId, counted }: MatchingDay, limit: number): boolean {
  const ids = lastId - firstId + 1;
  if (asksForAnalysis(filter)) return false;
  if (counted === null || counted >= ids) return true;
  return counted >= limit && (ids / counted) * limit <= READ_BY_ID;
}

export interface RecordCount {
  n: number;
  /** There are more. */
  more: boolean;
  /** The machine ids that sent them, where counters tell. */
  machines?: number | undefined;
}

async function countMachine(sql: Queryable, filter: RecordFilter, most: number): Promise<RecordCount> {
  const [row] = await sql<{ n: number }[]>`
    select count(*) as n
      from (select from records r
             where ${recordConditions(sql, filter)} and ${madeOfMachine(sql, filter)}
             limit ${most + 1}) fitting`;
  return { n: Math.min(row!.n, most), more: row!.n > most };
}

/** How many records fit, up to a limit: of days that counters tell of by these, else one by one. */
export async function countRecords(
  sql: Queryable,
  filter: RecordFilter,
  most: number,
  pace?: Pace,
): Promise<RecordCount> {
  if (filter.machineId !== undefined) return countMachine(sql, filter, most);
  let n = 0;
  for await (const { days } of matchingDays(sql, filter, 'newest')) {
    const counted = narrows(filter) ? days : await countMatches(sql, filter, days);
    const [whole, others] = [counted.filter(day => isWhole(filter, day)), counted.filter(day => !isWhole(filter, day))];
    n += whole.reduce((sum, day) => sum + day.counted!, 0);
    for (const together of pace ? others.map(day => [day]) : [others]) {
      if (n > most) break;
      await pace?.();
      const counts = await Promise.all(together.map(day => countDay(sql, filter, day, most + 1)));
      n += counts.reduce((sum, count) => sum + count, 0);
    }
    if (n > most) return { n: most, more: true };
  }
  return { n, more: false };
}

/** Whether the counters tell how many records of a day fit. */
function isWhole(filter: RecordFilter, { day, complete }: MatchingDay): boolean {
  const { systemName, build, classification, severity, external, fleet, receivedFrom, receivedBefore, ...others } =
    filter;
  const begin = Date.parse(day);
  return (
    complete &&
    Object.values(others).every(value => value === undefined) &&
    (receivedFrom === undefined || receivedFrom.getTime() <= begin) &&
    (receivedBefore === undefined || receivedBefore.getTime() >= begin + DAY_MS)
  );
}

async function countDay(sql: Queryable, filter: RecordFilter, day: MatchingDay, most: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*) as n
      from (select from records r
             where ${onDay(sql, day.day)} and ${recordConditions(sql, filter)} and ${madeOnDay(sql, filter, day.day)}
               and ${amongClassifications(sql, day)}
             limit ${most}) fitting`;
  return row!.n;
}
