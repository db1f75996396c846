import type { z } from 'zod';
import type { DrawnBuild } from '../../views/builds/build-name.tsx';
import { drawnBuilds, seriesOfBuilds } from '../builds/drawn.ts';
import type { Sql } from '../db/connect.ts';
import { listSystems } from '../records/queries.ts';
import { type Scope, scopeQuery } from '../time/scope.ts';
import type { SlotSeries } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';
import { integerParam } from '../validation.ts';
import { adoption, type BuildPopulation, buildPopulations, wholePopulation } from './queries.ts';

export const BUILDS_A_PAGE = 50;
const DEFAULT_DAYS = 35;

export const populationQuery = scopeQuery.extend({ offset: integerParam(0, 1_000_000) });
type PopulationQuery = Partial<z.output<typeof populationQuery>>;

export interface PopulationView {
  systems: string[];
  /** The window that `adoption` covers. */
  scope: Scope;
  /** All builds together; undefined if no machine was ever seen. */
  whole: BuildPopulation | undefined;
  builds: BuildPopulation[];
  offset: number;
  more: boolean;
  adoption: SlotSeries;
  /** The builds that have a series of their own in `adoption`. */
  drawn: DrawnBuild[];
}

/** The data of the population page and GET /api/population: the machines of one OS, or of all. */
export async function readPopulationView(sql: Sql, query: PopulationQuery, now: Date): Promise<PopulationView> {
  const days = query.days ?? DEFAULT_DAYS;
  const scope: Scope = { systemName: query.os, fleet: query.fleet, days, byWeek: days > 91 };
  const offset = query.offset ?? 0;
  const [systems, whole, found, { drawn, overTime }] = await Promise.all([
    listSystems(sql),
    wholePopulation(sql, scope),
    buildPopulations(sql, scope, BUILDS_A_PAGE, offset),
    readAdoption(sql, scope),
  ]);
  return {
    systems,
    scope,
    whole,
    builds: found.slice(0, BUILDS_A_PAGE),
    offset,
    more: found.length > BUILDS_A_PAGE,
    adoption: seriesOfBuilds(slotsOf(scope, now), scope, drawn, overTime),
    drawn,
  };
}

async function readAdoption(sql: Sql, scope: Scope) {
  const drawn = await drawnBuilds(sql, scope);
  return { drawn, overTime: await adoption(sql, scope, drawn) };
}
