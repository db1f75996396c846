import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { Scope, ScopeQuery } from '../scope.ts';
import { topPaths, type UpdatePath, updateMatrix, updatingSystems } from './queries.ts';

const DEFAULT_DAYS = 14;
const BUILDS = 40;
const PATHS = 50;

export interface UpdatesView {
  /** Those that updated in the window. */
  systems: string[];
  scope: Scope;
  /** The builds of the matrix in the order of versions; `known` is how many there are in all. */
  builds: string[];
  known: number;
  cells: UpdatePath[];
  /** The most used paths. */
  paths: UpdatePath[];
  /** All updates of the window. */
  total: number;
  /** The classifications that count, as configured. */
  classifications: string[];
}

/** What the updates page and GET /api/updates show: successful updates of an OS, by default the one that updates most. */
export async function readUpdates(sql: Sql, config: Config, query: Partial<ScopeQuery>): Promise<UpdatesView> {
  const days = query.days ?? DEFAULT_DAYS;
  const window: Scope = { fleet: query.fleet, days, byWeek: days > 91 };
  const systems = await updatingSystems(sql, window);
  const scope = { ...window, systemName: query.os ?? systems[0] };
  const [matrix, paths] = await Promise.all([updateMatrix(sql, scope, BUILDS), topPaths(sql, scope, PATHS)]);
  return { systems, scope, ...matrix, paths: [...paths], classifications: config.updates.classifications };
}
