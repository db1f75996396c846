import { Hono } from 'hono';
import { BuildsPage } from '../../views/builds/builds.tsx';
import { RATE_COLUMNS, rateRow } from '../rates/rate.ts';
import { listFleets } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { seriesRows } from '../time/series.ts';
import { queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { BUILDS_A_PAGE, buildsQuery, readBuilds } from './builds.ts';

export function buildsPages({ sql, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(buildsQuery, queryOf(c));
    const made = await frame(c);
    const [view, fleets] = await Promise.all([readBuilds(sql, query, made.now), listFleets(sql)]);
    return c.html(
      <BuildsPage frame={made} {...view} fleets={fleets} errors={errors} pageSize={BUILDS_A_PAGE} />,
      errors ? 400 : 200,
    );
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "days": …, "builds": [{"os", "build", "records", "machines", "affected", "machine_days",
 *                  "per_1000", "per_1000_low", "per_1000_high", "first_day", "last_day"}], "over_time": [{"day" or "week", BUILD: records, …}]}`; os, fleet, days, signal, sort, offset as on the page. Without os
 *                  BUILD is `OS BUILD`.
 * format=csv       one of the two tables, by default `builds`, with table=over_time the other.
 */
export function buildsApi({ sql }: Site) {
  return new Hono().get('/', valid('query', buildsQuery), async c => {
    const query = c.req.valid('query');
    const { scope, rows, overTime, choice } = await readBuilds(sql, query, new Date());
    return viewResponse(
      c,
      'builds',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null, days: scope.days, signal: choice.signal },
      {
        builds: {
          columns: ['os', 'build', 'records', 'machines', ...RATE_COLUMNS, 'first_day', 'last_day'],
          rows: rows.map(({ firstDay, lastDay, rate, ...row }) => ({
            ...row,
            ...rateRow(rate),
            first_day: firstDay,
            last_day: lastDay,
          })),
        },
        over_time: seriesRows(scope.byWeek ? 'week' : 'day', overTime),
      },
    );
  });
}
