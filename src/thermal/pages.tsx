import { Hono } from 'hono';
import { ThermalPage } from '../../views/thermal/thermal.tsx';
import { buildsTable } from '../mce/queries.ts';
import { listFleets, listSystems } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { seriesRows } from '../time/series.ts';
import { isoWeek } from '../time/window.ts';
import { queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { readThermal, thermalQuery } from './thermal.ts';

export function thermalPages({ sql, config, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(thermalQuery, queryOf(c));
    const made = await frame(c);
    const [view, systems, fleets] = await Promise.all([
      readThermal(sql, config, query, made.now),
      listSystems(sql),
      listFleets(sql),
    ]);
    return c.html(
      <ThermalPage frame={made} {...view} systems={systems} fleets={fleets} errors={errors} />,
      errors ? 400 : 200,
    );
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "weeks": [{"week": "2026-W48", CLASSIFICATION: records, …}], "builds": [{"os", "build", "records", "machine_days",
 *                  "thermal_affected", "thermal_per_1000", "thermal_per_1000_low", "thermal_per_1000_high"}]}`; os, fleet, sort, days (taken as whole ISO weeks) as on the page.
 * format=csv       `weeks`, or with table=builds the other.
 */
export function thermalApi({ sql, config }: Site) {
  return new Hono().get('/', valid('query', thermalQuery), async c => {
    const query = c.req.valid('query');
    const { scope, weeks, builds, signals } = await readThermal(sql, config, query, new Date());
    return viewResponse(
      c,
      'thermal',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null },
      {
        weeks: seriesRows('week', { ...weeks, slots: weeks.slots.map(isoWeek) }),
        builds: buildsTable(builds, signals),
      },
    );
  });
}
