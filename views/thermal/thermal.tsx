import type { FC } from 'hono/jsx';
import type { ThermalView } from '../../src/thermal/thermal.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { BuildsOfClasses, BuildsOrder, WeeksCounted } from '../parts/builds-of-classes.tsx';
import { counted } from '../parts/parts.tsx';
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

interface ThermalPageProps extends ThermalView {
  frame: PageFrame;
  systems: string[];
  fleets: string[];
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
}

const PATH = '/telemetryui/thermal';
const WINDOWS = [35, 91, 182, 364];

export const ThermalPage: FC<ThermalPageProps> = props => {
  const { frame, systems, fleets, scope, sort, weeks, classifications, errors } = props;
  const values = { os: scope.systemName, fleet: scope.fleet, days: scope.days };
  const total = weeks.series.flatMap(({ values: n }) => n).reduce((sum, n) => sum + n, 0);
  return (
    <Page frame={frame} title="Thermal events" help="views" current="thermal" live explore>
      <ScopeForm
        action={PATH}
        label="Filter thermal events"
        scope={values}
        systems={systems}
        fleets={fleets}
        windows={WINDOWS}
        byWeek
        errors={errors}
      >
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
            {counted(total, 'thermal event')} in {scopeText(values, true)}
          </h2>
          <SeriesChart
            over={weeks}
            byWeek
            unit="thermal events"
            open
            hrefOf={(days, { name }) =>
              recordsOfDays(frame, { os: scope.systemName, fleet: scope.fleet, ...days, classification: name })
            }
          />
          <WeeksCounted slots={weeks.slots} />
          <RecordsRemoved frame={frame} from={weeks.slots[0]} />
          <BuildsOfClasses {...props} from={weeks.slots[0]} unit="thermal events" />
          <ExportLinks
            href={withScope('/api/thermal', { ...values, sort })}
            tables={{ weeks: 'Weeks', builds: 'Builds' }}
          />
        </>
      )}
    </Page>
  );
};
