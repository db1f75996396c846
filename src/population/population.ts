import type { z } from 'zod';
import { type SlotSeries, seriesOf } from '../../views/series.ts';
import { OTHERS } from '../../views/slot-chart.tsx';
import { slotsOf } from '../../views/window.ts';
import type { Sql } from '../db/connect.ts';
import { listSystems } from '../records/queries.ts';
import { type Scope, scopeQuery } from '../scope.ts';
import { integerParam } from '../validation.ts';
import { adoption, type BuildPopulation, buildPopulations, wholePopulation } from './queries.ts';

export const BUILDS_A_PAGE = 50;
const BUILDS_DRAWN = 8;
const DEFAULT_DAYS = 35;

export const populationQuery = scopeQuery.extend({ offset: integerParam(0, 1_000_000) });
export type PopulationQuery = Partial<z.output<typeof populationQuery>>;

export interface PopulationView {
  systems: string[];
  /** Its window is that of `adoption`. */
  scope: Scope;
  /** The system as a whole; undefined where none of its machines was ever seen. */
  whole: BuildPopulation | undefined;
  builds: BuildPopulation[];
  offset: number;
  more: boolean;
  adoption: SlotSeries;
}

/** What the population page and GET /api/population show: the machines of an OS, by default the one with most of them. */
export async function readPopulationView(sql: Sql, query: PopulationQuery, now: Date): Promise<PopulationView> {
  const systems = await listSystems(sql);
  const days = query.days ?? DEFAULT_DAYS;
  const scope: Scope = { systemName: query.os ?? systems[0], fleet: query.fleet, days, byWeek: days > 91 };
  const offset = query.offset ?? 0;
  const [whole, found, overTime] = await Promise.all([
    wholePopulation(sql, scope),
    buildPopulations(sql, scope, BUILDS_A_PAGE, offset),
    adoption(sql, scope, BUILDS_DRAWN),
  ]);
  const numbers = overTime.map(({ slot, build, machines }) => ({ slot, name: build ?? OTHERS, n: machines }));
  return {
    systems,
    scope,
    whole,
    builds: found.slice(0, BUILDS_A_PAGE),
    offset,
    more: found.length > BUILDS_A_PAGE,
    adoption: seriesOf(slotsOf(scope, now), numbers),
  };
}
