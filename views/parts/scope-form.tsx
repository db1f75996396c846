import type { FC, PropsWithChildren } from 'hono/jsx';
import { windowText } from '../../src/time/window.ts';
import type { PageFrame } from '../layout.tsx';
import { OtherErrors, SelectField } from './fields.tsx';
import { type FilterValues, recordsPath } from './links.ts';
import { EmptyState } from './parts.tsx';

/** What a view over counts is restricted to, as its address says. */
interface ScopeValues {
  os?: string | undefined;
  fleet?: string | undefined;
  /** The window in days. */
  days?: number | undefined;
}

export interface ScopeFormProps {
  /** The address that the form leads to, without a query. */
  action: string;
  /** For screen readers: `Filter crashes`. */
  label: string;
  scope: ScopeValues;
  systems: string[];
  fleets: string[];
  /** Windows to choose from, in days. */
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

/** A form to choose operating system, window and fleet; its children are further fields. */
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

/** A path with a query of the given values. */
export const withScope = (path: string, values: { [name: string]: string | number | undefined }): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') query.set(name, String(value));
  return query.size ? `${path}?${query}` : path;
};

/** `the last 14 days on clear-linux-os, fleet lab` */
export const scopeText = ({ os, fleet, days = 1 }: ScopeValues, byWeek?: boolean): string =>
  `the last ${windowText({ days, byWeek }).replace(/^1 /, '')}${os ? ` on ${os}` : ''}${fleet ? `, fleet ${fleet}` : ''}`;

/** The address of some days' records; undefined if none of these days are kept. */
export const recordsOfDays = ({ kept }: PageFrame, filter: FilterValues & { to: string }): string | undefined =>
  kept.from === undefined || filter.to >= kept.from ? recordsPath(filter) : undefined;

/** Says that counters count more records than are left, if retention has removed some of the window's days. */
export const RecordsRemoved: FC<{ frame: PageFrame; from: string | undefined }> = ({ frame: { kept }, from }) =>
  from && kept.wholeFrom && from < kept.wholeFrom ? (
    <p class="soft">
      Of the records received before {kept.wholeFrom} some or all are no longer kept. Numbers count all that came; links
      lead to what is left.
    </p>
  ) : null;

interface NothingInScopeProps {
  frame: PageFrame;
  scope: ScopeValues;
  byWeek?: boolean;
  /** Which records would fill the view. */
  what: string;
}

/** Shown if a view is empty. */
export const NothingInScope: FC<NothingInScopeProps> = ({ frame, scope, byWeek, what }) => (
  <EmptyState title={`Nothing in ${scopeText(scope, byWeek)}`}>
    <p>
      {what} <WhatToDo frame={frame} otherwise="Choose a longer window, another OS or fleet" />
    </p>
  </EmptyState>
);

/** What fills an empty view: without any record nothing else than machines can. */
export const WhatToDo: FC<{ frame: PageFrame; otherwise: string }> = ({ frame: { kept }, otherwise }) => (
  <>
    {kept.from === undefined ? 'No record has arrived yet:' : `${otherwise}, or`}{' '}
    <a href="/telemetryui/connect">connect machines</a>.
  </>
);
