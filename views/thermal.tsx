import type { FC } from 'hono/jsx';
import type { ThermalView } from '../src/thermal/thermal.ts';
import { BuildsOfClasses, WeeksCounted } from './classes.tsx';
import { ExportLinks } from './export-links.tsx';
import { type Frame, Page } from './layout.tsx';
import { recordsPath } from './links.ts';
import { count, counted, Scroll } from './parts.tsx';
import { NothingInScope, ScopeForm, scopeText, withScope } from './scope-form.tsx';
import { SeriesChart } from './slot-chart.tsx';
import { isoWeek, lastDayOf } from './window.ts';

export interface ThermalPageProps extends ThermalView {
  frame: Frame;
  systems: string[];
  fleets: string[];
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/thermal';
const WINDOWS = [35, 91, 182, 364];

export const ThermalPage: FC<ThermalPageProps> = props => {
  const { frame, systems, fleets, scope, weeks, classifications, errors } = props;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  const total = weeks.series.flatMap(({ values: n }) => n).reduce((sum, n) => sum + n, 0);
  return (
    <Page frame={frame} title="Thermal events" current="thermal" live>
      <ScopeForm
        action={PATH}
        label="Filter thermal events"
        scope={values}
        systems={systems}
        anySystem
        fleets={fleets}
        windows={WINDOWS}
        byWeek
        errors={errors}
      />
      {total === 0 ? (
        <NothingInScope scope={values} byWeek what={`Records of ${classifications.join(', ')} fill this page.`} />
      ) : (
        <>
          <h2>
            {counted(total, 'thermal event')} in {scopeText(values, true)}
          </h2>
          <SeriesChart over={weeks} byWeek unit="thermal events" />
          <WeeksCounted slots={weeks.slots} />
          <div class="halves">
            <section>
              <h2>By week</h2>
              <WeeksTable {...props} />
            </section>
          </div>
          <BuildsOfClasses
            {...props}
            classes={weeks.series.map(({ name }) => name)}
            from={weeks.slots[0]}
            unit="thermal events"
          />
          <ExportLinks href={withScope('/api/thermal', values)} tables={{ weeks: 'Weeks', builds: 'Builds' }} />
        </>
      )}
    </Page>
  );
};

const WeeksTable: FC<ThermalPageProps> = ({ scope, weeks }) => (
  <Scroll label="Thermal events by week">
    <table>
      <thead>
        <tr>
          <th>ISO week</th>
          <th>From Monday</th>
          {weeks.series.map(({ name }) => (
            <th class="num">{weeks.series.length === 1 ? 'Records' : name}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.slots
          .map((monday, n) => (
            <tr>
              <th scope="row">
                {isoWeek(monday)} {n === weeks.slots.length - 1 && <span class="soft">so far</span>}
              </th>
              <td>{monday}</td>
              {weeks.series.map(({ name, values }) => (
                <td class="num">
                  <a
                    href={recordsPath({
                      os: scope.systemName,
                      fleet: scope.fleet,
                      classification: name,
                      from: monday,
                      to: lastDayOf(monday, true),
                    })}
                  >
                    {count(values[n] ?? 0)}
                  </a>
                </td>
              ))}
            </tr>
          ))
          .reverse()}
      </tbody>
    </table>
  </Scroll>
);
