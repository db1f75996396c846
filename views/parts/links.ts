export const FILTERS = [
  'os',
  'build',
  'classification',
  'severity',
  'machine_id',
  'source',
  'fleet',
  'from',
  'to',
  'payload',
  'not_payload',
  'event_id',
  'arch',
  'kernel_version',
  'host_type',
  'cpu_model',
  'stack',
  'guilty',
  'per_page',
] as const;

export type FilterName = (typeof FILTERS)[number];

/** Values by parameter name, as the query has them. */
export type FilterValues = { [name in FilterName]?: string | undefined } & ParsedValues;

/** Values that parsers read are searched by their key: `parsed.KEY`. */
type ParsedValues = { [name: ParsedName]: string | undefined };
export type ParsedName = `parsed.${string}`;

export const parsedNames = (values: object): ParsedName[] =>
  Object.keys(values).filter((name): name is ParsedName => name.startsWith('parsed.'));

export const recordsPath = (filter: FilterValues): string => {
  const query = new URLSearchParams();
  for (const name of [...FILTERS, ...parsedNames(filter)]) if (filter[name]) query.set(name, filter[name]);
  return query.size ? `/telemetryui/records?${query}` : '/telemetryui/records';
};

/**
 * An export of the same records; TIMESTAMP is only part of its name. `more` are further parameters, such as
 * `download=1`.
 */
export const exportPath = (filter: FilterValues, format: 'csv' | 'ndjson', now: Date, more = ''): string => {
  const name = `records-${now.toISOString().slice(0, 19).replaceAll(':', '')}.${format}`;
  const [, query = ''] = recordsPath({ ...filter, per_page: undefined }).split('?');
  const whole = [query, more].filter(Boolean).join('&');
  return `/telemetryui/records/export/${name}${whole ? `?${whole}` : ''}`;
};

export const recordPath = (id: number): string => `/telemetryui/records/record_details/${id}`;

export const machinePath = (id: string): string => `/telemetryui/machines/${encodeURIComponent(id)}`;

export const quarantinePath = (reason: string): string => `/telemetryui/quarantine?${new URLSearchParams({ reason })}`;

export const pluginPath = (name: string): string => `/telemetryui/plugins/${name}`;
