import type { FC } from 'hono/jsx';
import { DAY_MS } from '../../src/time/units.ts';
import { OtherErrors, SelectField, TextField } from '../parts/fields.tsx';
import {
  FILTERS,
  type FilterName,
  type FilterValues,
  type ParsedName,
  parsedNames,
  recordsPath,
} from '../parts/links.ts';
import { count } from '../parts/parts.tsx';

interface RecordsFilterFormProps {
  filter: FilterValues & { errors?: Record<string, string> | undefined };
  pageSize: number;
  fleets: string[];
  systems: string[];
  builds?: string[] | undefined;
  classifications?: string[] | undefined;
}

const DEFAULT_PAGE_SIZE = 50;
const REGULAR = 'A PostgreSQL regular expression; begin with (?i) to ignore case';

// The whole of main is exchanged, so that messages at the fields come and go; morphing keeps the focus.
const LIVE = {
  'hx-get': '/telemetryui/records',
  'hx-trigger': 'submit, change',
  'hx-sync': 'this:replace',
  'hx-target': '#main',
  'hx-select': '#main',
  'hx-swap': 'outerMorph',
  'hx-push-url': 'true',
  'hx-status:400': 'swap:outerMorph push:false',
  'hx-status:503': 'swap:outerMorph push:false',
};

export const RecordsFilterForm: FC<RecordsFilterFormProps> = props => {
  const { filter, fleets, systems, builds, classifications, pageSize } = props;
  const field = (name: FilterName, label: string) => ({
    name,
    label,
    value: filter[name],
    error: filter.errors?.[name],
  });
  const more = MORE.some(name => filter[name]);
  return (
    <form class="filters" action="/telemetryui/records" method="get" aria-label="Filter records" data-tidy {...LIVE}>
      <SelectField {...field('os', 'OS')} options={[['', 'All'], ...systems.map(same)]} />
      <TextField {...field('build', 'Build')} suggestions={builds} mono />
      <TextField
        {...field('classification', 'Classification')}
        placeholder="org.clearlinux/*"
        hint="A whole classification, DOMAIN/* or DOMAIN/PROBE/*; several with commas between them"
        suggestions={classifications && [...patternsOf(classifications), ...classifications]}
        wide
      />
      <SelectField {...field('severity', 'Severity')} options={SEVERITY_OPTIONS} />
      <TextField {...field('machine_id', 'Machine id')} wide mono />
      <TextField {...field('payload', 'Payload matches')} placeholder="segfault|oops" hint={REGULAR} wide mono />
      <details class="more" open={more}>
        <summary>More filters</summary>
        <div class="filters">
          <TextField {...field('from', 'From (UTC)')} value={momentOf(filter.from, 0)} type="datetime-local" />
          <TextField {...field('to', 'Before (UTC)')} value={momentOf(filter.to, 1)} type="datetime-local" />
          <SelectField {...field('source', 'Source')} options={SOURCE_OPTIONS} />
          {fleets.length > 1 && (
            <SelectField {...field('fleet', 'Fleet')} options={[['', 'All'], ...fleets.map(same)]} />
          )}
          <TextField {...field('not_payload', "Payload doesn't match")} hint={REGULAR} wide mono />
          <TextField {...field('event_id', 'Event id')} wide mono />
          <SelectField
            {...field('per_page', 'Per page')}
            value={pageSize === DEFAULT_PAGE_SIZE ? '' : String(pageSize)}
            options={PAGE_SIZE_OPTIONS}
          />
        </div>
      </details>
      {[...LINKED, ...parsedNames(filter)]
        .filter(name => filter[name])
        .map(name => (
          <input type="hidden" name={name} value={filter[name]} />
        ))}
      {filter.errors?.parsed && (
        <p class="notice error" role="alert">
          parsed.KEY: {filter.errors.parsed}
        </p>
      )}
      <OtherErrors
        errors={filter.errors}
        names={[...LINKED, 'before_id', 'after_id', ...(fleets.length > 1 ? [] : ['fleet'])]}
      />
      <div class="actions">
        <button type="submit" class="primary">
          Search
        </button>
        <span class="busy soft" aria-hidden="true">
          …
        </span>
      </div>
    </form>
  );
};

/** Those that are rarely needed. */
const MORE: FilterName[] = ['from', 'to', 'source', 'fleet', 'not_payload', 'event_id', 'per_page'];

/** Those that have no field, but that links lead to. */
const LINKED: FilterName[] = ['arch', 'kernel_version', 'host_type', 'cpu_model', 'stack', 'guilty'];

/** A day in the address as the moment it stands for: `days` after its beginning. What can't be one is left to the message. */
const momentOf = (text: string | undefined, days: number): string | undefined => {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const moment = Date.parse(text) + days * DAY_MS;
  return Number.isNaN(moment) ? text : new Date(moment).toISOString().slice(0, 16);
};

/** `DOMAIN/*` and `DOMAIN/PROBE/*` of some classifications. */
const patternsOf = (classifications: string[]): string[] => [
  ...new Set(
    classifications.flatMap(classification => {
      const [domain, probe] = classification.split('/');
      return [`${domain}/*`, `${domain}/${probe}/*`];
    }),
  ),
];

const same = (text: string): [string, string] => [text, text];

const SEVERITY_OPTIONS: [string, string][] = [
  ['', 'All'],
  ['1', 'low'],
  ['2', 'med'],
  ['3', 'high'],
  ['4', 'crit'],
];

const SOURCE_OPTIONS: [string, string][] = [['', 'All'], same('internal'), same('external')];

const PAGE_SIZE_OPTIONS: [string, string][] = [
  ['', String(DEFAULT_PAGE_SIZE)],
  ...[100, 200, 500, 1000].map((n): [string, string] => [String(n), count(n)]),
];

const NAMES: Record<Exclude<FilterName, 'per_page'>, string> = {
  os: 'OS',
  build: 'Build',
  classification: 'Classification',
  severity: 'Severity',
  machine_id: 'Machine',
  source: 'Source',
  fleet: 'Fleet',
  from: 'From',
  to: 'Until',
  payload: 'Payload matches',
  not_payload: "Payload doesn't match",
  event_id: 'Event id',
  arch: 'Architecture',
  kernel_version: 'Kernel version',
  host_type: 'Platform',
  cpu_model: 'CPU model',
  stack: 'Backtrace',
  guilty: 'Guilty',
};

/** Each active filter as a link that takes it away. */
export const ActiveFilters: FC<{ filter: FilterValues }> = ({ filter }) => {
  const active = [
    ...FILTERS.filter((name): name is keyof typeof NAMES => name !== 'per_page'),
    ...parsedNames(filter),
  ].filter(name => filter[name]);
  if (active.length === 0) return null;
  return (
    <ul class="chips" aria-label="Active filters">
      {active.map(name => (
        <li>
          <a class="chip" href={recordsPath({ ...filter, [name]: undefined })}>
            <span class="unseen">Remove filter </span>
            {isParsed(name) ? name.slice('parsed.'.length) : NAMES[name]} <b>{shown(name, filter[name])}</b>
            <span aria-hidden="true"> ×</span>
          </a>
        </li>
      ))}
      <li>
        <a href={recordsPath({ per_page: filter.per_page })}>Clear all</a>
      </li>
    </ul>
  );
};

const isParsed = (name: FilterName | ParsedName): name is ParsedName => name.startsWith('parsed.');

const shown = (name: FilterName | ParsedName, value: string | undefined): string | undefined =>
  name === 'severity' ? (SEVERITY_OPTIONS.find(([option]) => option === value)?.[1] ?? value) : value;
