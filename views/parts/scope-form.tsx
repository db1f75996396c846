import type { FC, PropsWithChildren } from 'hono/jsx';
import { windowText } from '../../src/time/window.ts';
import type { PageFrame } from '../layout.tsx';
import { OtherErrors, SelectField } from './fields.tsx';
import { type FilterValues, recordsPath } from './links.ts';
import { EmptyState } from './parts.tsx';

/** What a view over counts is narrowed to, as it stands in its address. */
interface ScopeValues {
  os?: string | undefined;
  fleet?: string | undefined;
  /** The window, in days. */
  days?: number | undefined;
}

export interface ScopeFormProps {
  /** Where the form leads, without a query. */
  action: string;
  /** For screen readers: `Filter crashes`. */
  label: string;
  scope: ScopeValues;
  systems: string[];
  fleets: string[];
  /** Windows that can be chosen, in days. */
  windows: readonly number[];
  /** Windows are whole ISO weeks. */
  byWeek?: boolean | undefined;
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const LIVE = {
  'hx-trigger': 'submit, change',
  'hx-sync': 'this:replace',
  'hx-target': '#main',
  'hx-select': '#main',
  'hx-swap': 'outerMorph',
  'hx-push-url': 'true',
  'hx-status:400': 'swap:outerMorph push:false',
};

/** The choice of operating system, window and fleet; further fields are its children. */
export const ScopeForm: FC<PropsWithChildren<ScopeFormProps>> = props => {
  const { action, label, scope, systems, fleets, windows, byWeek, errors, children } = props;
  return (
    <form class="filters" action={action} method="get" aria-label={label} data-tidy hx-get={action} {...LIVE}>
      {systems.length > 0 && (
        <SelectField name="os" label="OS" value={scope.os} error={errors?.os} options={[ALL, ...systems.map(same)]} />
      )}
      <SelectField
        name="days"
        label="Window"
        value={String(scope.days)}
        error={errors?.days}
        options={windows.map(days => [String(days), windowText({ days, byWeek })])}
      />
      {fleets.length > 1 && (
        <SelectField
          name="fleet"
          label="Fleet"
          value={scope.fleet}
          error={errors?.fleet}
          options={[ALL, ...fleets.map(same)]}
        />
      )}
      {children}
      <OtherErrors
        errors={errors}
        names={[...(systems.length > 0 ? [] : ['os']), ...(fleets.length > 1 ? [] : ['fleet']), 'offset']}
      />
      <div class="actions">
        <button type="submit" class="primary">
          Show
        </button>
        <span class="busy soft" aria-hidden="true">
          …
        </span>
      </div>
    </form>
  );
};

const ALL: [string, string] = ['', 'All'];

const same = (text: string): [string, string] => [text, text];

/** A path with the values that are given. */
export const withScope = (path: string, values: { [name: string]: string | number | undefined }): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') query.set(name, String(value));
  return query.size ? `${path}?${query}` : path;
};

/** `the last 14 days on clear-linux-os, fleet lab` */
export const scopeText = ({ os, fleet, days = 1 }: ScopeValues, byWeek?: boolean): string =>
  `the last ${windowText({ days, byWeek }).replace(/^1 /, '')}${os ? ` on ${os}` : ''}${fleet ? `, fleet ${fleet}` : ''}`;

/** The records of some days; undefined where none of those days are kept. */
export const recordsOfDays = ({ kept }: PageFrame, filter: FilterValues & { to: string }): string | undefined =>
  kept.from === undefined || filter.to >= kept.from ? recordsPath(filter) : undefined;

/** Says that counters know more than is left, where a window that begins on a UTC day holds days that retention has been to. */
export const RecordsRemoved: FC<{ frame: PageFrame; from: string | undefined }> = ({ frame: { kept }, from }) =>
  from && kept.wholeFrom && from < kept.wholeFrom ? (
    <p class="soft">
      Of the records received before {kept.wholeFrom} some or all are no longer kept. Numbers count all that came; links
      lead to what is left.
    </p>
  ) : null;

/** The empty state of a view; `what` says which records would fill it. */
export const NothingInScope: FC<{ scope: ScopeValues; byWeek?: boolean; what: string }> = ({ scope, byWeek, what }) => (
  <EmptyState title={`Nothing in ${scopeText(scope, byWeek)}`}>
    <p>
      {what} Choose a longer window, another OS or fleet, or <a href="/telemetryui/connect">connect machines</a>.
    </p>
  </EmptyState>
);
