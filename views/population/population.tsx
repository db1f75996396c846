import type { FC } from 'hono/jsx';
import type { PopulationView } from '../../src/population/population.ts';
import type { BuildPopulation, Counted } from '../../src/population/queries.ts';
import type { Scope } from '../../src/time/scope.ts';
import { slotsOf } from '../../src/time/window.ts';
import { BuildName, type BuildNameProps, BuildsDrawn } from '../builds/build-name.tsx';
import { Page, type PageFrame } from '../layout.tsx';
import { SplitBarCell } from '../parts/bars.tsx';
import { recordsPath } from '../parts/links.ts';
import { count, Pager, Scroll } from '../parts/parts.tsx';
import { NothingInScope, recordsOfDays, ScopeForm, scopeText, withScope } from '../parts/scope-form.tsx';
import { SeriesChart } from '../parts/slot-chart.tsx';
import { ExportLinks } from '../records/export-links.tsx';

interface PopulationPageProps extends PopulationView {
  frame: PageFrame;
  fleets: string[];
  pageSize: number;
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/population';
const WINDOWS = [7, 14, 35, 91, 364];
/** The window in which a machine keeps its id. */
const HONEST = 1;
/** In the order in which they are counted. */
const TRAILING_DAYS = [1, 3, 7, 14];

export const PopulationPage: FC<PopulationPageProps> = props => {
  const { frame, systems, fleets, scope, whole, builds, offset, more, adoption, pageSize, errors } = props;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  return (
    <Page frame={frame} title="Population" help="views" current="population" live explore>
      <ScopeForm
        action={PATH}
        label="Filter population"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        errors={errors}
      />
      {whole === undefined ? (
        <NothingInScope frame={frame} scope={values} what="Any record of a machine fills this page." />
      ) : (
        <>
          <h2>
            About {count(sum(whole.trailing[HONEST]!))} machines{scope.systemName && ` on ${scope.systemName}`}
          </h2>
          <p>
            This page counts the ids of machines that sent any record. A machine takes a new id every 3 days: the 3-day
            figure is close to the number of machines in use, while the 14-day figure counts the same machine up to five
            times. Nothing shows whether two ids are the same machine.
          </p>
          <SeriesChart
            over={adoption}
            byWeek={scope.byWeek}
            unit="machine ids"
            hrefOf={(days, { build }) =>
              build && !scope.byWeek ? recordsOfDays(frame, { ...build, fleet: scope.fleet, ...days }) : undefined
            }
          />
          <p class="soft">
            Machine ids {scope.byWeek ? 'a day, on average over each ISO week,' : 'of each day'} by build, in{' '}
            {scopeText(values)}. One that updates counts on both builds that day.
          </p>
          <BuildsDrawn />
          <div id="results" tabindex={-1}>
            <PopulationTable {...props} rows={offset === 0 ? [whole, ...builds] : builds} />
            <Pager
              newerHref={
                offset > 0 ? withScope(PATH, { ...values, offset: offset - pageSize || undefined }) : undefined
              }
              olderHref={more ? withScope(PATH, { ...values, offset: offset + pageSize }) : undefined}
              swaps="main"
              texts={{ newer: '← Newer builds', older: 'Older builds →' }}
            />
          </div>
          <ExportLinks
            href={withScope('/api/population', { ...values, offset: offset || undefined })}
            tables={{ machines: 'Machines', adoption: 'Adoption' }}
          />
        </>
      )}
    </Page>
  );
};

const PopulationTable: FC<PopulationPageProps & { rows: BuildPopulation[] }> = ({
  frame,
  scope,
  whole,
  rows,
  drawn,
}) => (
  <Scroll label="Machine ids by build">
    <table>
      <thead>
        <tr>
          {anySystem(scope) && <th>OS</th>}
          <th>Build</th>
          <th class="num">Today</th>
          <th class="num honest">3 days</th>
          <th class="num">7 days</th>
          <th class="num">14 days</th>
          <th class="num">Ever</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ os, build, trailing, overall }) => (
          <tr>
            {anySystem(scope) && (
              <td class="nowrap">{os === '' ? <span class="soft">unnamed</span> : (os ?? 'All')}</td>
            )}
            <th scope="row">
              {build === null ? 'All builds' : <LinkedName os={os ?? ''} build={build} drawn={drawn} scope={scope} />}
            </th>
            {[...trailing, overall].map((counted, n) => (
              <SplitBarCell
                {...parts(counted)}
                of={sum([...(whole?.trailing ?? []), whole?.overall][n] ?? NONE)}
                href={hrefOf(frame, scope, { os, build }, TRAILING_DAYS[n])}
              />
            ))}
          </tr>
        ))}
      </tbody>
      <caption>
        <span class="key">internal</span> <span class="key other">external, also in brackets</span> The bars are shares
        of all builds. Use the figure of "3 days".
      </caption>
    </table>
  </Scroll>
);

const anySystem = ({ systemName }: Scope): boolean => systemName === undefined;

const LinkedName: FC<BuildNameProps & { scope: Scope }> = ({ scope, ...name }) =>
  name.os === '' ? (
    <BuildName {...name} />
  ) : (
    <a href={recordsPath({ os: name.os, fleet: scope.fleet, build: name.build })}>
      <BuildName {...name} />
    </a>
  );

/**
 * The records of a trailing window. No link for all time, since it is not known which records are left, or for a
 * nameless system, which can't be searched for.
 */
const hrefOf = (
  frame: PageFrame,
  { fleet }: Scope,
  { os, build }: Pick<BuildPopulation, 'os' | 'build'>,
  days: number | undefined,
): string | undefined =>
  days === undefined || os === ''
    ? undefined
    : recordsPath({ os: os ?? undefined, fleet, build: build ?? undefined, from: slotsOf({ days }, frame.now)[0] });

const NONE: Counted = { internal: 0, external: 0 };

const sum = ({ internal, external }: Counted): number => internal + external;

const parts = ({ internal, external }: Counted) => ({ n: internal, other: external });
