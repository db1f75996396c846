import type { z } from 'zod';
import { DEFAULT_DAYS } from '../../views/crashes-links.ts';
import type { TopGuilty as ShownGuilty } from '../../views/crashes-top.tsx';
import type { Sql } from '../db/connect.ts';
import { type Scope, scopeQuery } from '../scope.ts';
import { choiceParam, integerParam, textParam } from '../validation.ts';
import { buildsSeen, crashingSystems, newestBuilds, recordsByBuild, type TopGuilty, topGuilties } from './queries.ts';

export const GUILTIES_A_PAGE = 10;
const BUILD_COLUMNS = 8;

/** The query that crash pages and GET /api/guilties share. */
export const crashQuery = scopeQuery.extend({
  sort: choiceParam(['records', 'machines']),
  build: textParam(256),
  machine_id: textParam(32),
  offset: integerParam(0, 1_000_000),
  limit: integerParam(1, 1000),
});
export type CrashQuery = z.output<typeof crashQuery>;

export interface TopCrashes {
  systems: string[];
  systemName: string | undefined;
  builds: string[];
  guilties: ShownGuilty[];
  more: boolean;
}

export function scopeOf(query: CrashQuery, systemName: string | undefined): Scope {
  return { systemName, fleet: query.fleet, days: query.days ?? DEFAULT_DAYS };
}

/** The top guilties of a system (by default the one that crashes most), with what page and API show of each. */
export async function topCrashes(
  sql: Sql,
  query: CrashQuery,
  limit = query.limit ?? GUILTIES_A_PAGE,
): Promise<TopCrashes> {
  const systems = await crashingSystems(sql);
  const systemName = query.os ?? systems[0];
  const scope = scopeOf(query, systemName);
  const [found, builds] = await Promise.all([
    topGuilties(sql, {
      ...scope,
      build: query.build,
      sort: query.sort ?? 'records',
      limit: limit + 1,
      offset: query.offset ?? 0,
    }),
    newestBuilds(sql, scope, BUILD_COLUMNS),
  ]);
  const guilties = found.slice(0, limit);
  return {
    systems,
    systemName,
    builds,
    guilties: await withBuilds(sql, scope, guilties, builds),
    more: found.length > limit,
  };
}

async function withBuilds(sql: Sql, scope: Scope, guilties: TopGuilty[], builds: string[]): Promise<ShownGuilty[]> {
  const ids = guilties.map(guilty => guilty.id);
  const [onBuilds, seen] = await Promise.all([recordsByBuild(sql, scope, ids, builds), buildsSeen(sql, scope, ids)]);
  const records = new Map(onBuilds.map(row => [`${row.guiltyId} ${row.build}`, row.records]));
  const range = new Map(seen.map(row => [row.guiltyId, row]));
  return guilties.map(guilty => ({
    ...guilty,
    perBuild: builds.map(build => records.get(`${guilty.id} ${build}`) ?? 0),
    firstBuild: range.get(guilty.id)?.first ?? null,
    lastBuild: range.get(guilty.id)?.last ?? null,
  }));
}
