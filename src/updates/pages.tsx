import { Hono } from 'hono';
import { UpdatesPage } from '../../views/updates/updates.tsx';
import { listFleets } from '../records/queries.ts';
import { viewResponse } from '../tables/view-tables.ts';
import { scopeQuery } from '../time/scope.ts';
import { queryOf, readQuery, valid } from '../validation.ts';
import type { Site } from '../web/site.ts';
import type { Matrix, UpdatePath } from './queries.ts';
import { readUpdates } from './updates.ts';

export function updatesPages({ sql, config, frame }: Site) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(scopeQuery, queryOf(c));
    const [made, view, fleets] = await Promise.all([frame(c), readUpdates(sql, config, query), listFleets(sql)]);
    return c.html(<UpdatesPage frame={made} {...view} fleets={fleets} errors={errors} />, errors ? 400 : 200);
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "days": …, "total": …, "matrix": [{"os", "from", "to", "records"}], "paths": [{"os", "from",
 *                  "to", "records"}]}`: the cells of the matrix that aren't 0, and the 50 most used paths; os, fleet, days as on the page.
 *                  What went from or to builds that the matrix has no room for is in `total` alone.
 * format=csv       `matrix`, or with table=paths the other.
 */
export function updatesApi({ sql, config }: Site) {
  return new Hono().get('/', valid('query', scopeQuery), async c => {
    const query = c.req.valid('query');
    const { scope, matrix, paths } = await readUpdates(sql, config, query);
    const columns = ['os', 'from', 'to', 'records'];
    return viewResponse(
      c,
      'updates',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null, days: scope.days, total: matrix.total },
      { matrix: { columns, rows: matrixRows(matrix) }, paths: { columns, rows: paths } },
    );
  });
}

function matrixRows({ builds, cells }: Matrix): UpdatePath[] {
  return cells.flatMap(({ from, to, records }) =>
    from === null || to === null
      ? []
      : [{ os: builds[from]!.os, from: builds[from]!.build, to: builds[to]!.build, records }],
  );
}
