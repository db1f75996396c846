import type { z } from 'zod';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { weeksOf } from '../mce/mce.ts';
import { BUILDS_SORTS, type BuildsSort, classesByBuild, classesOverTime, type SystemBuilds } from '../mce/queries.ts';
import { affectedInWindow } from '../rates/queries.ts';
import type { LeftOut, Signal } from '../rates/signals.ts';
import { type Scope, scopeQuery } from '../time/scope.ts';
import { largestFirst, type SlotSeries, seriesOf } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';
import { choiceParam } from '../validation.ts';

export const thermalQuery = scopeQuery.extend({ sort: choiceParam(BUILDS_SORTS) });
type ThermalQuery = Partial<z.output<typeof thermalQuery>>;

const THERMAL_SIGNALS: Signal[] = ['thermal'];
/** Of each OS. */
const BUILDS = 10;

export interface ThermalView {
  scope: Scope;
  weeks: SlotSeries;
  builds: SystemBuilds[];
  /** What rates are of, in the order of their columns. */
  signals: Signal[];
  leftOut: LeftOut[];
  sort: BuildsSort | undefined;
  classifications: string[];
}

/** Four weeks and the one that isn't over. */
const THERMAL_DAYS = 35;

/** What the thermal page and GET /api/thermal show: thermal events of the last ISO weeks. */
export async function readThermal(sql: Sql, config: Config, query: ThermalQuery, now: Date): Promise<ThermalView> {
  const { classifications } = config.thermal;
  const scope = weeksOf(query, THERMAL_DAYS);
  const [weeks, builds, leftOut] = await Promise.all([
    classesOverTime(sql, scope, classifications),
    classesByBuild(sql, scope, classifications, THERMAL_SIGNALS, { perSystem: BUILDS, sort: query.sort }),
    affectedInWindow(sql, scope, THERMAL_SIGNALS),
  ]);
  return {
    scope,
    weeks: largestFirst(seriesOf(slotsOf(scope, now), weeks)),
    builds,
    signals: THERMAL_SIGNALS,
    leftOut: [...leftOut],
    sort: query.sort,
    classifications,
  };
}
