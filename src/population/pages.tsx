import { Hono } from 'hono';
import { PopulationPage } from '../../views/population/population.tsx';
import { listFleets } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { seriesRows } from '../time/series.ts';
import { queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { BUILDS_A_PAGE, populationQuery, readPopulationView } from './population.ts';
import { type BuildPopulation, type Counted, TRAILING_DAYS } from './queries.ts';

export function populationPages({ sql, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(populationQuery, queryOf(c));
    const made = await frame(c);
    const [view, fleets] = await Promise.all([readPopulationView(sql, query, made.now), listFleets(sql)]);
    return c.html(
      <PopulationPage frame={made} {...view} fleets={fleets} errors={errors} pageSize={BUILDS_A_PAGE} />,
      errors ? 400 : 200,
    );
  });
}

const COLUMNS = [
  'os',
  'build',
  ...[...TRAILING_DAYS.map(days => `days_${days}`), 'overall'].flatMap(name => [
    `${name}_internal`,
    `${name}_external`,
  ]),
];

/**
 * GET /            `{"os": …, "fleet": …, "days": …, "machines": [{"os", "build", "days_1_internal", "days_1_external", … "overall_external"}],
 *                  "adoption": [{"day" or "week", BUILD: machines, …}]}`; build null is all builds, os null all systems. os, fleet, days
 *                  (of the adoption), offset as on the page. Without os BUILD is `OS BUILD`.
 * format=csv       `machines`, or with table=adoption the other.
 */
export function populationApi({ sql }: Site) {
  return new Hono().get('/', valid('query', populationQuery), async c => {
    const query = c.req.valid('query');
    const { scope, whole, builds, adoption } = await readPopulationView(sql, query, new Date());
    return viewResponse(
      c,
      'population',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null, days: scope.days },
      {
        machines: { columns: COLUMNS, rows: [...(whole ? [whole] : []), ...builds].map(toRow) },
        adoption: seriesRows(scope.byWeek ? 'week' : 'day', adoption),
      },
    );
  });
}

function toRow({ os, build, trailing, overall }: BuildPopulation) {
  const counts: [string, Counted][] = [
    ...trailing.map((counted, n): [string, Counted] => [`days_${TRAILING_DAYS[n]}`, counted]),
    ['overall', overall],
  ];
  return {
    os,
    build,
    ...Object.fromEntries(
      counts.flatMap(([name, { internal, external }]) => [
        [`${name}_internal`, internal],
        [`${name}_external`, external],
      ]),
    ),
  };
}
