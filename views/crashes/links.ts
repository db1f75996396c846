/** A function and its module that crashes are put down to. */
export interface GuiltyRef {
  id: number;
  function: string;
  module: string;
}

/** What the crash pages are narrowed to, as it stands in their addresses. */
export interface CrashFilter {
  os?: string | undefined;
  /** The window, in days. */
  days?: number | undefined;
  fleet?: string | undefined;
  sort?: 'records' | 'machines' | 'rate' | undefined;
  build?: string | undefined;
  machine_id?: string | undefined;
}

const CRASHES = '/telemetryui/crashes';

export const DEFAULT_DAYS = 7;

export const crashesPath = ({ build, machine_id, ...filter }: CrashFilter): string =>
  withQuery(build === undefined ? CRASHES : `${CRASHES}/${encodeURIComponent(build)}`, filter);

export const guiltyPath = (id: number, { build, machine_id, ...filter }: CrashFilter = {}): string =>
  withQuery(`${CRASHES}/guilty_details/${id}`, filter);

export const backtracesPath = (id: number, filter: CrashFilter = {}): string =>
  withQuery(`${CRASHES}/guilty_details/${id}/backtraces`, filter);

/** The same as JSON. */
export const guiltiesApiPath = (filter: CrashFilter): string => withQuery('/api/guilties', filter);
export const guiltyApiPath = (id: number, { sort, ...filter }: CrashFilter, part: '' | '/backtraces' = ''): string =>
  withQuery(`/api/guilties/${id}${part}`, filter);

export const editFromRecordPath = (recordId: number): string => `${CRASHES}/guilty_edit/?record=${recordId}`;

export const neverGuiltyPath = (q?: string): string =>
  q ? `${CRASHES}/guilty_edit/add?${new URLSearchParams({ q })}` : `${CRASHES}/guilty_edit/add`;

export const hiddenPath = `${CRASHES}/guilty_edit/hidden`;
/** Those that crashed there. */
export const hiddenInPath = ({ sort, machine_id, days = DEFAULT_DAYS, ...filter }: CrashFilter): string =>
  `${hiddenPath}?${queryOf({ ...filter, days }, {})}`;

export const failedPath = `${CRASHES}/failed`;
export const recomputationPath = (id: number): string => `${CRASHES}/recomputations/${id}`;

export const withOffset = (path: string, offset: number): string =>
  offset <= 0 ? path : `${path}${path.includes('?') ? '&' : '?'}offset=${offset}`;

const PARAMETERS = ['os', 'build', 'machine_id', 'days', 'fleet', 'sort'] as const;

const withQuery = (path: string, filter: CrashFilter): string => {
  const query = queryOf(filter, DEFAULTS);
  return query.size ? `${path}?${query}` : path;
};

const DEFAULTS: CrashFilter = { days: DEFAULT_DAYS, sort: 'records' };

const queryOf = (filter: CrashFilter, leftOut: CrashFilter): URLSearchParams => {
  const query = new URLSearchParams();
  for (const name of PARAMETERS) {
    const value = filter[name];
    if (value !== undefined && value !== '' && value !== leftOut[name]) query.set(name, String(value));
  }
  return query;
};

/** `the last 7 days on clear-linux-os, fleet lab` */
export const scope = ({ days = DEFAULT_DAYS, os, fleet }: CrashFilter): string =>
  `the last ${days === 1 ? 'day' : `${days} days`}${os ? ` on ${os}` : ''}${fleet ? `, fleet ${fleet}` : ''}`;
