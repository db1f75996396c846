import type { FC } from 'hono/jsx';
import { type CrashFilter, crashesPath, DEFAULT_DAYS } from './crashes-links.ts';
import { SelectField } from './fields.tsx';

export interface CrashesFilterFormProps {
  /** Where the form leads, without a query. */
  action: string;
  filter: CrashFilter;
  systems: string[];
  fleets: string[];
  /** Offers the order as well. */
  sorts?: boolean | undefined;
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

export const CrashesFilterForm: FC<CrashesFilterFormProps> = ({ action, filter, systems, fleets, sorts, errors }) => (
  <form class="filters" action={action} method="get" aria-label="Filter crashes" data-tidy hx-get={action} {...LIVE}>
    {systems.length > 0 && (
      <SelectField name="os" label="OS" value={filter.os} error={errors?.os} options={systems.map(same)} />
    )}
    <SelectField
      name="days"
      label="Window"
      value={String(filter.days ?? DEFAULT_DAYS)}
      error={errors?.days}
      options={WINDOWS}
    />
    {fleets.length > 1 && (
      <SelectField
        name="fleet"
        label="Fleet"
        value={filter.fleet}
        error={errors?.fleet}
        options={[['', 'All'], ...fleets.map(same)]}
      />
    )}
    {sorts && (
      <SelectField name="sort" label="Order by" value={filter.sort ?? 'records'} error={errors?.sort} options={SORTS} />
    )}
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

const same = (text: string): [string, string] => [text, text];

const WINDOWS: [string, string][] = [1, 3, 7, 14, 35].map(n => [String(n), n === 1 ? '1 day' : `${n} days`]);

const SORTS: [string, string][] = [
  ['records', 'records'],
  ['machines', 'machines'],
];

/** The list over all builds, and that of each of the newest. */
export const BuildLinks: FC<{ filter: CrashFilter; builds: string[] }> = ({ filter, builds }) => (
  <nav aria-label="Builds" class="builds">
    <ul class="chips">
      <BuildLink filter={filter} build={undefined} text="Overall" />
      {builds.map(build => (
        <BuildLink filter={filter} build={build} text={build} />
      ))}
      {filter.build !== undefined && !builds.includes(filter.build) && (
        <BuildLink filter={filter} build={filter.build} text={filter.build} />
      )}
    </ul>
  </nav>
);

const BuildLink: FC<{ filter: CrashFilter; build: string | undefined; text: string }> = ({ filter, build, text }) => (
  <li>
    <a class="chip" href={crashesPath({ ...filter, build })} aria-current={build === filter.build ? 'page' : undefined}>
      {text}
    </a>
  </li>
);
