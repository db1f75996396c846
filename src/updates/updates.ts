import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { Scope, ScopeQuery } from '../time/scope.ts';
import { type Matrix, topPaths, type UpdatePath, updateMatrix, updatingSystems } from './queries.ts';

const DEFAULT_DAYS = 14;
const BUILDS = 40;
const PATHS = 50;

export interface UpdatesView {
  /** The systems that updated in the window. */
  systems: string[];
  scope: Scope;
  matrix: Matrix;
  /** The most frequent paths, and the number of all paths. */
  paths: UpdatePath[];
  knownPaths: number;
  /** The classifications that count, as configured. */
  classifications: string[];
}

/** The data of the updates page and GET /api/updates: successful updates of one OS, or of all. */
export async function readUpdates(sql: Sql, config: Config, query: Partial<ScopeQuery>): Promise<UpdatesView> {
  const days = query.days ?? DEFAULT_DAYS;
  const window: Scope = { fleet: query.fleet, days, byWeek: days > 91 };
  const scope = { ...window, systemName: query.os };
  const [systems, matrix, { paths, known: knownPaths }] = await Promise.all([
    updatingSystems(sql, window),
    updateMatrix(sql, scope, BUILDS),
    topPaths(sql, scope, PATHS),
  ]);
  return { systems, scope, matrix, paths, knownPaths, classifications: config.updates.classifications };
}
