import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { weeksOf } from '../mce/mce.ts';
import { classesByBuild, classesOverTime, type SystemBuilds } from '../mce/queries.ts';
import type { Scope, ScopeQuery } from '../time/scope.ts';
import { largestFirst, type SlotSeries, seriesOf } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';

/** Of each OS. */
const BUILDS = 10;

export interface ThermalView {
  scope: Scope;
  weeks: SlotSeries;
  builds: SystemBuilds[];
  classifications: string[];
}

/** Four weeks and the one that isn't over. */
const THERMAL_DAYS = 35;

/** What the thermal page and GET /api/thermal show: thermal events of the last ISO weeks. */
export async function readThermal(
  sql: Sql,
  config: Config,
  query: Partial<ScopeQuery>,
  now: Date,
): Promise<ThermalView> {
  const { classifications } = config.thermal;
  const scope = weeksOf(query, THERMAL_DAYS);
  const [weeks, builds] = await Promise.all([
    classesOverTime(sql, scope, classifications),
    classesByBuild(sql, scope, classifications, BUILDS),
  ]);
  return { scope, weeks: largestFirst(seriesOf(slotsOf(scope, now), weeks)), builds: [...builds], classifications };
}
