import type { z } from 'zod';
import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import { DEFAULT_DAYS } from '../../views/crashes/links.ts';
import type { RankedGuilty } from '../../views/crashes/top.tsx';
import { drawnBuilds } from '../builds/drawn.ts';
import type { Sql } from '../db/connect.ts';
import { affectedInWindow } from '../rates/queries.ts';
import type { LeftOut, Signal } from '../rates/signals.ts';
import { type Scope, scopeQuery } from '../time/scope.ts';
import { choiceParam, integerParam, textParam } from '../validation.ts';
import { buildsSeen, crashingSystems, type SeenOn, type TopGuilty, topGuilties } from './queries.ts';
import { guiltyRates } from './rates.ts';
import { type CrashScope, guiltiesByBuild } from './shares.ts';

export const GUILTIES_A_PAGE = 10;

/** The query that crash pages and GET /api/guilties share. */
export const crashQuery = scopeQuery.extend({
  sort: choiceParam(['records', 'machines', 'rate']),
  build: textParam(256),
  machine_id: textParam(32),
  offset: integerParam(0, 1_000_000),
  limit: integerParam(1, 1000),
});
export type CrashQuery = z.output<typeof crashQuery>;

interface TopCrashes {
  systems: string[];
  /** The newest in use. */
  builds: DrawnBuild[];
  guilties: RankedGuilty[];
  more: boolean;
  leftOut: LeftOut[];
}

/** What crashes are, in rates. */
const CRASH_SIGNALS: Signal[] = ['crash', 'kernel'];

export function scopeOf(query: CrashQuery): Scope {
  return { systemName: query.os, fleet: query.fleet, days: query.days ?? DEFAULT_DAYS };
}

/** The top guilties of a system, or of all, with what page and API show of each. */
export async function topCrashes(
  sql: Sql,
  query: CrashQuery,
  limit = query.limit ?? GUILTIES_A_PAGE,
): Promise<TopCrashes> {
  const scope = scopeOf(query);
  const [systems, builds, leftOut, found] = await Promise.all([
    crashingSystems(sql),
    drawnBuilds(sql, scope),
    affectedInWindow(sql, scope, CRASH_SIGNALS, query.build),
    topGuilties(sql, {
      ...scope,
      build: query.build,
      sort: query.sort ?? 'records',
      limit: limit + 1,
      offset: query.offset ?? 0,
    }),
  ]);
  const guilties = found.slice(0, limit);
  return {
    systems,
    builds,
    guilties: await withBuilds(sql, { ...scope, build: query.build }, guilties, builds),
    more: found.length > limit,
    leftOut: [...leftOut],
  };
}

async function withBuilds(
  sql: Sql,
  scope: CrashScope,
  guilties: TopGuilty[],
  builds: DrawnBuild[],
): Promise<RankedGuilty[]> {
  const ids = guilties.map(guilty => guilty.id);
  const [onBuilds, seen, rates] = await Promise.all([
    guiltiesByBuild(sql, scope, ids, builds),
    buildsSeen(sql, scope, ids),
    guiltyRates(sql, scope, ids),
  ]);
  const records = new Map(onBuilds.map(row => [`${row.guiltyId} ${row.place}`, row.records]));
  const seenOn = Map.groupBy(seen, row => row.guiltyId);
  return guilties.map(({ exposed, ...guilty }) => ({
    ...guilty,
    rate: rates.rateOf(exposed),
    trend: rates.trendOf(guilty.id),
    perBuild: builds.map((_, n) => records.get(`${guilty.id} ${n + 1}`) ?? 0),
    seenOn: seenOn.get(guilty.id) ?? [],
  }));
}

/** The oldest and the newest build that a guilty was seen on, in the order of versions: there is none across systems. */
export function buildRange(seenOn: SeenOn[]) {
  const [only] = seenOn.length === 1 ? seenOn : [];
  return { first_build: only?.firstBuild ?? null, last_build: only?.lastBuild ?? null };
}
