import type { FC } from 'hono/jsx';
import type { BuildsView } from '../../src/builds/builds.ts';
import { slotsOf } from '../../src/time/window.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BarCell, share } from '../parts/bars.tsx';
import { SelectField } from '../parts/fields.tsx';
import { recordsPath } from '../parts/links.ts';
import { counted, Pager, Scroll } from '../parts/parts.tsx';
import {
  NothingInScope,
  RecordsRemoved,
  recordsOfDays,
  ScopeForm,
  scopeText,
  withScope,
} from '../parts/scope-form.tsx';
import { SeriesChart } from '../parts/slot-chart.tsx';
import { RATE_HEAD, RateCell, RatesExplained, SIGNAL_NAMES } from '../rates/rate.tsx';
import { ExportLinks } from '../records/export-links.tsx';
import { BuildName, BuildsDrawn } from './build-name.tsx';

interface BuildsPageProps extends BuildsView {
  frame: PageFrame;
  fleets: string[];
  pageSize: number;
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const RATES = Object.entries(SIGNAL_NAMES);
const SORTS: [string, string][] = [
  ['version', 'version'],
  ['rate', 'rate, highest first'],
];

const PATH = '/telemetryui/builds';
const WINDOWS = [1, 3, 7, 14, 35, 91, 364];

export const BuildsPage: FC<BuildsPageProps> = props => {
  const { frame, systems, fleets, scope, rows, offset, total, overTime, pageSize, choice, leftOut, errors } = props;
  const values = {
    os: scope.systemName,
    fleet: scope.fleet,
    days: scope.days,
    signal: choice.signal === 'crash' ? undefined : choice.signal,
    sort: choice.sort === 'version' ? undefined : choice.sort,
  };
  const query = { ...values, offset: offset || undefined };
  const [from] = slotsOf(scope, frame.now);
  return (
    <Page frame={frame} title="Builds" help="views" current="builds" live explore>
      <ScopeForm
        action={PATH}
        label="Filter builds"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        errors={errors}
      >
        <SelectField name="signal" label="Rate of" value={choice.signal} error={errors?.signal} options={RATES} />
        <SelectField name="sort" label="Order by" value={choice.sort} error={errors?.sort} options={SORTS} />
      </ScopeForm>
      {total.records === 0 ? (
        <NothingInScope frame={frame} scope={values} what="Any record fills this page." />
      ) : (
        <>
          <h2>
            {counted(total.records, 'record')} of {counted(total.builds, 'build')} in {scopeText(values)}
          </h2>
          <SeriesChart
            over={overTime}
            byWeek={scope.byWeek}
            unit="records"
            hrefOf={(days, { build }) =>
              build ? recordsOfDays(frame, { ...build, fleet: scope.fleet, ...days }) : undefined
            }
          />
          <BuildsDrawn />
          <RecordsRemoved frame={frame} from={from} />
          <div id="results" tabindex={-1}>
            <BuildsTable {...props} />
            <Pager
              newerHref={
                offset > 0 ? withScope(PATH, { ...values, offset: offset - pageSize || undefined }) : undefined
              }
              olderHref={
                offset + rows.length < total.builds
                  ? withScope(PATH, { ...values, offset: offset + pageSize })
                  : undefined
              }
              swaps="main"
              texts={{ newer: '← Newer builds', older: 'Older builds →' }}
            />
          </div>
          <p class="soft">
            Machines are machine ids that reported from the build in the window; a machine changes its id every 3 days.
          </p>
          <RatesExplained what={SIGNAL_NAMES[choice.signal]} leftOut={leftOut} />
          <ExportLinks href={withScope('/api/builds', query)} tables={{ builds: 'Builds', over_time: 'Over time' }} />
        </>
      )}
    </Page>
  );
};

const BuildsTable: FC<BuildsPageProps> = ({ frame, scope, rows, total, drawn, choice }) => {
  const most = {
    records: Math.max(...rows.map(row => row.records)),
    machines: Math.max(...rows.map(row => row.machines)),
  };
  const [from] = slotsOf(scope, frame.now);
  const anySystem = scope.systemName === undefined;
  return (
    <Scroll label="Records by build">
      <table>
        <thead>
          <tr>
            {anySystem && <th>OS</th>}
            <th>Build</th>
            <th class="num">Records</th>
            <th class="num">Share</th>
            <th class="num">Machines</th>
            <th class="num" aria-sort={choice.sort === 'rate' ? 'descending' : undefined}>
              {RATE_HEAD}
              <span class="unseen"> with {SIGNAL_NAMES[choice.signal]}</span>
            </th>
            <th>First day</th>
            <th>Last day</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ os, build, records, machines, rate, firstDay, lastDay }) => (
            <tr>
              {anySystem && <td class="nowrap">{os || <span class="soft">not named</span>}</td>}
              <th scope="row">
                <BuildName os={os} build={build} drawn={drawn} />
              </th>
              <BarCell
                n={records}
                of={most.records}
                href={
                  os === '' || (frame.kept.from && lastDay < frame.kept.from)
                    ? undefined
                    : recordsPath({ os, fleet: scope.fleet, build, from })
                }
              />
              <td class="num soft">{share(records, total.records)}</td>
              <BarCell n={machines} of={most.machines} />
              <RateCell rate={rate} />
              <td class="nowrap">{firstDay}</td>
              <td class="nowrap">{lastDay}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};
