import type { FC, PropsWithChildren } from 'hono/jsx';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { BuildName } from '../builds/build-name.tsx';
import { SelectField } from '../parts/fields.tsx';
import { ScopeForm } from '../parts/scope-form.tsx';
import { type CrashFilter, crashesPath, DEFAULT_DAYS } from './links.ts';

interface CrashesFilterFormProps {
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
  ['rate', 'rate'],
];

/** The list over all builds, and that of each of the newest. */
export const BuildLinks: FC<{ filter: CrashFilter; builds: DrawnBuild[] }> = ({ filter, builds }) => {
  const isAmong = builds.some(({ os, build }) => os === filter.os && build === filter.build);
  return (
    <nav aria-label="Builds" class="builds">
      <ul class="chips">
        <BuildLink filter={filter} to={{ ...filter, build: undefined }}>
          Overall
        </BuildLink>
        {builds.map(({ os, build }) => (
          <BuildLink filter={filter} to={{ ...filter, os, build }}>
            <BuildName os={os} build={build} drawn={builds} ofSystem={filter.os === undefined} />
          </BuildLink>
        ))}
        {filter.build !== undefined && !isAmong && (
          <BuildLink filter={filter} to={filter}>
            {filter.build}
          </BuildLink>
        )}
      </ul>
    </nav>
  );
};

const BuildLink: FC<PropsWithChildren<{ filter: CrashFilter; to: CrashFilter }>> = ({ filter, to, children }) => (
  <li>
    <a
      class="chip"
      href={crashesPath(to)}
      aria-current={to.os === filter.os && to.build === filter.build ? 'page' : undefined}
    >
      {children}
    </a>
  </li>
);
