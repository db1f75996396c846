import { Hono } from 'hono';
import type { z } from 'zod';
import { StatsPage, type StatsView } from '../../views/stats/stats.tsx';
import type { Sql } from '../db/connect.ts';
import { listFleets, listSystems } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { type Scope, scopeQuery } from '../time/scope.ts';
import { integerParam, queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { readShares, SHARE_KINDS } from './queries.ts';

const DEFAULT_DAYS = 14;
const DEFAULT_TOP = 20;
const MOST = 1000;

const statsQuery = scopeQuery.extend({ top: integerParam(1, MOST) });
type StatsQuery = Partial<z.output<typeof statsQuery>>;

export function statsPages({ sql, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(statsQuery, queryOf(c));
    const [made, view, systems, fleets] = await Promise.all([
      frame(c),
      readStats(sql, query),
      listSystems(sql),
      listFleets(sql),
    ]);
    return c.html(
      <StatsPage frame={made} {...view} systems={systems} fleets={fleets} errors={errors} />,
      errors ? 400 : 200,
    );
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "days": …, "top": …, "classification": [{"name", "records"}], "severity": […], "system": […],
 *                  "platform": […], "architecture": […], "kernel": […]}`, each at most `top` (20, up to 1000) names, most frequent first.
 * format=csv       one of them, named by table=….
 */
export function statsApi({ sql }: Site) {
  return new Hono().get('/', valid('query', statsQuery), async c => {
    const { scope, top, shares } = await readStats(sql, c.req.valid('query'));
    return viewResponse(
      c,
      'stats',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null, days: scope.days, top },
      Object.fromEntries(SHARE_KINDS.map(kind => [kind, { columns: ['name', 'records'], rows: shares[kind].rows }])),
    );
  });
}

async function readStats(sql: Sql, query: StatsQuery): Promise<StatsView> {
  const days = query.days ?? DEFAULT_DAYS;
  const scope: Scope = { systemName: query.os, fleet: query.fleet, days, byWeek: days > 91 };
  const top = query.top ?? DEFAULT_TOP;
  return { scope, top, shares: await readShares(sql, scope, top) };
}
