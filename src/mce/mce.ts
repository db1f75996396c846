import type { z } from 'zod';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import { affectedInWindow } from '../rates/queries.ts';
import type { LeftOut, Signal } from '../rates/signals.ts';
import { type Scope, type ScopeQuery, scopeQuery } from '../time/scope.ts';
import { largestFirst, type SlotSeries, seriesOf } from '../time/series.ts';
import { slotsOf } from '../time/window.ts';
import { choiceParam, integerParam } from '../validation.ts';
import {
  BUILDS_SORTS,
  type BuildsSort,
  byCpuModel,
  type CheckedMachine,
  type CpuModels,
  classesByBuild,
  classesOverTime,
  type SystemBuilds,
  topMachines,
} from './queries.ts';

const DEFAULT_DAYS = 364;
const DEFAULT_TOP = 10;
const MOST_MACHINES = 500;
/** Of each OS. */
const BUILDS = 10;
const CPU_MODELS = 50;
const MCE_SIGNALS: Signal[] = ['uncorrected', 'corrected'];

export const mceQuery = scopeQuery.extend({
  top: integerParam(1, MOST_MACHINES),
  sort: choiceParam(BUILDS_SORTS),
});
type MceQuery = Partial<z.output<typeof mceQuery>>;

export interface MceView {
  scope: Scope;
  /** How many machines are shown at most. */
  top: number;
  classes: SlotSeries;
  machines: CheckedMachine[];
  builds: SystemBuilds[];
  /** What rates are of, in the order of their columns. */
  signals: Signal[];
  leftOut: LeftOut[];
  sort: BuildsSort | undefined;
  cpus: CpuModels;
  /** The classifications that count, as configured. */
  classifications: string[];
}

/** What the MCE page and GET /api/mce show: machine checks of the last ISO weeks. */
export async function readMce(sql: Sql, config: Config, query: MceQuery, now: Date): Promise<MceView> {
  const { classifications } = config.machine_checks;
  const scope = weeksOf(query, DEFAULT_DAYS);
  const top = query.top ?? DEFAULT_TOP;
  const [classes, machines, builds, leftOut, cpus] = await Promise.all([
    classesOverTime(sql, scope, classifications),
    topMachines(sql, scope, top),
    classesByBuild(sql, scope, classifications, MCE_SIGNALS, { perSystem: BUILDS, sort: query.sort }),
    affectedInWindow(sql, scope, MCE_SIGNALS),
    byCpuModel(sql, scope, CPU_MODELS),
  ]);
  return {
    scope,
    top,
    classes: largestFirst(seriesOf(slotsOf(scope, now), classes)),
    machines: [...machines],
    builds,
    signals: MCE_SIGNALS,
    leftOut: [...leftOut],
    sort: query.sort,
    cpus,
    classifications,
  };
}

/** The whole ISO weeks that a query asks for. */
export function weeksOf({ os, fleet, days }: Partial<ScopeQuery>, otherwise: number): Scope {
  return { systemName: os, fleet, days: 7 * Math.ceil((days ?? otherwise) / 7), byWeek: true };
}
