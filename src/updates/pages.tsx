import { Hono } from 'hono';
import { UpdatesPage } from '../../views/updates.tsx';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { MakeFrame } from '../frame.ts';
import { listFleets } from '../records/queries.ts';
import { readQuery, scopeQuery } from '../scope.ts';
import { parseOrRefuse } from '../validation.ts';
import { viewResponse } from '../view-tables.ts';
import { readUpdates } from './updates.ts';

export function updatesPages(sql: Sql, config: Config, frame: MakeFrame) {
  return new Hono().get('/', async c => {
    const { query, errors } = readQuery(scopeQuery, c.req.query());
    const [made, view, fleets] = await Promise.all([frame(c), readUpdates(sql, config, query), listFleets(sql)]);
    return c.html(<UpdatesPage frame={made} {...view} fleets={fleets} errors={errors} />, errors ? 400 : 200);
  });
}

/**
 * GET /            `{"os": …, "fleet": …, "days": …, "total": …, "matrix": [{"from", "to", "records"}], "paths": [{"from", "to",
 *                  "records"}]}`: the cells of the matrix that aren't 0, and the 50 most used paths; os, fleet, days as on the page.
 * format=csv       `matrix`, or with table=paths the other.
 */
export function updatesApi(sql: Sql, config: Config) {
  return new Hono().get('/', async c => {
    const query = parseOrRefuse(scopeQuery, c.req.query());
    const { scope, cells, paths, total } = await readUpdates(sql, config, query);
    const columns = ['from', 'to', 'records'];
    return viewResponse(
      c,
      'updates',
      { os: scope.systemName ?? null, fleet: scope.fleet ?? null, days: scope.days, total },
      { matrix: { columns, rows: cells }, paths: { columns, rows: paths } },
    );
  });
}
