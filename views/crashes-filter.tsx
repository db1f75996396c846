import type { FC } from 'hono/jsx';
import { type CrashFilter, crashesPath, DEFAULT_DAYS } from './crashes-links.ts';
import { SelectField } from './fields.tsx';
import { ScopeForm } from './scope-form.tsx';

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

const WINDOWS = [1, 3, 7, 14, 35];

export const CrashesFilterForm: FC<CrashesFilterFormProps> = ({ filter, sorts, ...props }) => (
  <ScopeForm
    {...props}
    label="Filter crashes"
    scope={{ ...filter, days: filter.days ?? DEFAULT_DAYS }}
    windows={WINDOWS}
  >
    {sorts && (
      <SelectField
        name="sort"
        label="Order by"
        value={filter.sort ?? 'records'}
        error={props.errors?.sort}
        options={SORTS}
      />
    )}
  </ScopeForm>
);

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
