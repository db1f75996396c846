import type { FC } from 'hono/jsx';
import type { MceView } from '../../src/mce/mce.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BarCell, BarTable } from '../parts/bars.tsx';
import { BuildsOfClasses, BuildsOrder, WeeksCounted } from '../parts/builds-of-classes.tsx';
import { SelectField } from '../parts/fields.tsx';
import { type FilterValues, machinePath, recordsPath } from '../parts/links.ts';
import { count, counted, Scroll } from '../parts/parts.tsx';
import {
  NothingInScope,
  RecordsRemoved,
  recordsOfDays,
  ScopeForm,
  scopeText,
  withScope,
} from '../parts/scope-form.tsx';
import { SeriesChart } from '../parts/slot-chart.tsx';
import { ExportLinks } from '../records/export-links.tsx';

interface McePageProps extends MceView {
  frame: PageFrame;
  systems: string[];
  fleets: string[];
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/mce';
const WINDOWS = [28, 91, 182, 364];
const DEFAULT_TOP = 10;

export const McePage: FC<McePageProps> = props => {
  const { frame, systems, fleets, scope, top, sort, classes, cpus, classifications, errors } = props;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  const totals = classes.series.map(({ name, values: n }) => ({ name, n: sum(n) }));
  const total = sum(totals.map(({ n }) => n));
  const [from] = classes.slots;
  const behind = { os: scope.systemName, fleet: scope.fleet, from };
  return (
    <Page frame={frame} title="Machine checks" help="views" current="mce" live explore>
      <ScopeForm
        action={PATH}
        label="Filter machine checks"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        byWeek
        errors={errors}
      >
        <SelectField name="top" label="Machines at most" value={String(top)} error={errors?.top} options={TOPS} />
        <BuildsOrder sort={sort} error={errors?.sort} />
      </ScopeForm>
      {total === 0 ? (
        <NothingInScope
          frame={frame}
          scope={values}
          byWeek
          what={`This page counts records of ${classifications.join(', ')}.`}
        />
      ) : (
        <>
          <h2>
            {counted(total, 'machine check')} in {scopeText(values, true)}
          </h2>
          <SeriesChart
            over={classes}
            byWeek
            unit="machine checks"
            hrefOf={(days, { name }) => recordsOfDays(frame, { ...behind, ...days, classification: name })}
          />
          <WeeksCounted slots={classes.slots} />
          <RecordsRemoved frame={frame} from={from} />
          <div class="halves">
            <section>
              <h2>By class</h2>
              <BarTable
                label="Machine checks by class"
                heads={['Class', 'Records']}
                rows={totals
                  .toSorted((a, b) => b.n - a.n)
                  .map(({ name, n }) => ({ name, n, href: recordsPath({ ...behind, classification: name }) }))}
              />
              <h2>By CPU model</h2>
              <BarTable
                label="Machine checks by CPU model"
                heads={['CPU model', 'Records']}
                whole={{ names: cpus.models, n: cpus.records }}
                rows={cpus.rows.map(({ cpu_model: name, records }) => ({
                  name: name || <span class="soft">unknown</span>,
                  n: records,
                  href: recordsPath({ ...behind, classification: classifications.join(','), cpu_model: name || '-' }),
                }))}
              />
            </section>
            <section>
              <h2>Machines with most checks</h2>
              <MachinesTable {...props} behind={{ ...behind, classification: classifications.join(',') }} />
            </section>
          </div>
          <BuildsOfClasses {...props} from={from} unit="machine checks" />
          <ExportLinks
            href={withScope('/api/mce', { ...values, top: top === DEFAULT_TOP ? undefined : top, sort })}
            tables={{ weeks: 'Weeks', machines: 'Machines', builds: 'Builds', cpus: 'CPU models' }}
          />
        </>
      )}
    </Page>
  );
};

const TOPS: [string, string][] = ['10', '25', '50', '100', '500'].map(n => [n, n]);

const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);

const BUILDS_A_MACHINE = 4;

interface MachinesTableProps extends Pick<McePageProps, 'machines'> {
  /** What all machine checks that are counted have in common. */
  behind: FilterValues;
}

const MachinesTable: FC<MachinesTableProps> = ({ machines, behind }) => {
  const most = Math.max(...machines.map(({ records }) => records));
  return (
    <Scroll label="Machines with most machine checks">
      <table>
        <thead>
          <tr>
            <th>Machine id</th>
            <th class="num">Records</th>
            <th>On builds</th>
          </tr>
        </thead>
        <tbody>
          {machines.map(({ machineId, records, builds }) => (
            <tr>
              <th scope="row" class="mono">
                <a href={machinePath(machineId)}>{machineId}</a>
              </th>
              <BarCell n={records} of={most} href={recordsPath({ ...behind, machine_id: machineId })} />
              <td>
                <ul class="inline">
                  {builds.slice(0, BUILDS_A_MACHINE).map(({ os, build, records: n }) => (
                    <li>
                      <span class="soft">{os}</span> <span class="mono">{build}</span>{' '}
                      {os ? (
                        <a href={recordsPath({ ...behind, machine_id: machineId, os, build })}>{count(n)}</a>
                      ) : (
                        count(n)
                      )}
                    </li>
                  ))}
                  {builds.length > BUILDS_A_MACHINE && (
                    <li class="soft">and {counted(builds.length - BUILDS_A_MACHINE, 'more build')}</li>
                  )}
                </ul>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};
