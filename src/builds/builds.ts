import type { z } from 'zod';
import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import type { Sql } from '../db/connect.ts';
import { affectedInWindow } from '../rates/queries.ts';
import { type LeftOut, SIGNALS } from '../rates/signals.ts';
import { listSystems } from '../records/queries.ts';
import { type Scope, scopeQuery } from '../time/scope.ts';
import type { SlotSeries } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';
import { choiceParam, integerParam } from '../validation.ts';
import { drawnBuilds, seriesOfBuilds } from './drawn.ts';
import { type BuildRow, type BuildsChoice, countBuilds } from './queries.ts';

export const BUILDS_A_PAGE = 100;
export const DEFAULT_DAYS = 14;

export const buildsQuery = scopeQuery.extend({
  signal: choiceParam(SIGNALS),
  sort: choiceParam(['version', 'rate']),
  offset: integerParam(0, 1_000_000),
});
type BuildsQuery = z.output<typeof buildsQuery>;

export interface BuildsView {
  systems: string[];
  scope: Scope;
  rows: BuildRow[];
  offset: number;
  choice: BuildsChoice;
  leftOut: LeftOut[];
  /** In the window. */
  total: { builds: number; records: number };
  overTime: SlotSeries;
  /** Those that have a series of their own in it. */
  drawn: DrawnBuild[];
}

/** What the builds page and GET /api/builds show: the records of an OS, or of all, by build. */
export async function readBuilds(sql: Sql, query: Partial<BuildsQuery>, now: Date): Promise<BuildsView> {
  const days = query.days ?? DEFAULT_DAYS;
  const scope: Scope = { systemName: query.os, fleet: query.fleet, days, byWeek: days > 91 };
  const offset = query.offset ?? 0;
  const choice: BuildsChoice = { signal: query.signal ?? 'crash', sort: query.sort ?? 'version' };
  const [systems, { drawn, overTime, rows, ...total }, leftOut] = await Promise.all([
    listSystems(sql),
    readCounted(sql, scope, choice, offset),
    affectedInWindow(sql, scope, [choice.signal]),
  ]);
  return {
    systems,
    scope,
    rows,
    offset,
    choice,
    leftOut: [...leftOut],
    total,
    overTime: seriesOfBuilds(slotsOf(scope, now), scope, drawn, overTime),
    drawn,
  };
}

async function readCounted(sql: Sql, scope: Scope, choice: BuildsChoice, offset: number) {
  const drawn = await drawnBuilds(sql, scope);
  return { drawn, ...(await countBuilds(sql, scope, drawn, { ...choice, limit: BUILDS_A_PAGE, offset })) };
}
