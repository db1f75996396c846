import type { FC } from 'hono/jsx';
import type { SystemBuilds } from '../../src/mce/queries.ts';
import type { LeftOut, Signal } from '../../src/rates/signals.ts';
import type { Scope } from '../../src/time/scope.ts';
import { isoWeek, lastDayOf } from '../../src/time/window.ts';
import { RatesExplained, SIGNAL_NAMES } from '../rates/rate.tsx';
import { BarTable } from './bars.tsx';
import { SelectField } from './fields.tsx';
import { recordsPath } from './links.ts';

/** The dates of the ISO weeks that a page counts. */
export const WeeksCounted: FC<{ slots: string[] }> = ({ slots }) => (
  <p class="soft">
    ISO weeks {isoWeek(slots[0]!)} to {isoWeek(slots.at(-1)!)}, from Monday {slots[0]} to Sunday{' '}
    {lastDayOf(slots.at(-1)!, true)}, in UTC. The last one isn't over.
  </p>
);

interface BuildsOfClassesProps {
  scope: Scope;
  builds: SystemBuilds[];
  /** The classifications that are counted, as configured. */
  classifications: string[];
  /** The first day that is counted. */
  from: string | undefined;
  /** What the numbers count: `thermal events`. */
  unit: string;
  /** What rates are of, in their order, and whom they leave out. */
  signals: Signal[];
  leftOut: LeftOut[];
}

/** Records by build, a list for each OS, newest build first. */
export const BuildsOfClasses: FC<BuildsOfClassesProps> = ({
  scope,
  builds,
  classifications,
  from,
  unit,
  signals,
  leftOut,
}) => (
  <>
    <div class="halves">
      {builds.map(({ os, newest, builds: known, records }) => (
        <section>
          <h2>{os === '' ? 'Newest builds of unnamed systems' : `Newest builds of ${os}`}</h2>
          <BarTable
            label={`${unit} by build of ${os}`}
            heads={['Build', 'Records']}
            rateHeads={signals.map(signal => `${capital(SIGNAL_NAMES[signal])} per 1,000 machine-days`)}
            whole={{ names: known, n: records }}
            rows={newest.map(({ build, records: n, rates }) => ({
              name: <span class="mono">{build}</span>,
              n,
              rates,
              href: os
                ? recordsPath({ os, build, fleet: scope.fleet, classification: classifications.join(','), from })
                : undefined,
            }))}
          />
        </section>
      ))}
    </div>
    <RatesExplained what={signals.map(signal => SIGNAL_NAMES[signal]).join(' or ')} leftOut={leftOut} />
  </>
);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Their order. */
export const BuildsOrder: FC<{ sort: string | undefined; error: string | undefined }> = ({ sort, error }) => (
  <SelectField name="sort" label="Order builds by" value={sort ?? 'version'} error={error} options={SORTS} />
);

const SORTS: [string, string][] = [
  ['version', 'version'],
  ['rate', 'rate, highest first'],
];
