import { Hono } from 'hono';
import { McePage } from '../../views/mce/mce.tsx';
import { listFleets, listSystems } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { seriesRows } from '../time/series.ts';
import { isoWeek } from '../time/window.ts';
import { queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import { mceQuery, readMce } from './mce.ts';
import { buildsTable } from './queries.ts';

export function mcePages({ sql, config, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(mceQuery, queryOf(c));
    const made = await frame(c);
    const [view, systems, fleets] = await Promise.all([
      readMce(sql, config, query, made.now),
      listSystems(sql),
      listFleets(sql),
    ]);
    return c.html(
      <McePage frame={made} {...view} systems={systems} fleets={fleets} errors={errors} />,
      errors ? 400 : 200,
    );
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "weeks": [{"week": "2026-W48", CLASSIFICATION: records, …}], "machines": [{"machine_id", "os",
 *                  "build", "records"}], "builds": [{"os", "build", "records", "machine_days", and for each SIGNAL
 *                  "SIGNAL_affected", "SIGNAL_per_1000", "SIGNAL_per_1000_low", "SIGNAL_per_1000_high"}], "cpus": [{"cpu_model", "records"}]}`; os, fleet, sort, days
 *                  (taken as whole ISO weeks), top (machines, 10, up to 500) as on the page.
 * format=csv       one of the four, by default `weeks`, or that of table=….
 */
export function mceApi({ sql, config }: Site) {
  return new Hono().get('/', valid('query', mceQuery), async c => {
    const query = c.req.valid('query');
    const { scope, classes, machines, builds, signals, cpus } = await readMce(sql, config, query, new Date());
    return viewResponse(
      c,
      'mce',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null },
      {
        weeks: seriesRows('week', { ...classes, slots: classes.slots.map(isoWeek) }),
        machines: {
          columns: ['machine_id', 'os', 'build', 'records'],
          rows: machines.flatMap(({ machineId, builds: on }) => on.map(row => ({ machine_id: machineId, ...row }))),
        },
        builds: buildsTable(builds, signals),
        cpus: { columns: ['cpu_model', 'records'], rows: cpus.rows },
      },
    );
  });
}
