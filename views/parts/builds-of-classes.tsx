import type { FC } from 'hono/jsx';
import type { SystemBuilds } from '../../src/mce/queries.ts';
import type { Scope } from '../../src/time/scope.ts';
import { isoWeek, lastDayOf } from '../../src/time/window.ts';
import { BarTable } from './bars.tsx';
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
}

/** Records by build, a list for each OS, newest build first. */
export const BuildsOfClasses: FC<BuildsOfClassesProps> = ({ scope, builds, classifications, from, unit }) => (
  <div class="halves">
    {builds.map(({ os, newest, builds: known, records }) => (
      <section>
        <h2>{os === '' ? 'Newest builds of unnamed systems' : `Newest builds of ${os}`}</h2>
        <BarTable
          label={`${unit} by build of ${os}`}
          heads={['Build', 'Records']}
          whole={{ names: known, n: records }}
          rows={newest.map(({ build, records: n }) => ({
            name: <span class="mono">{build}</span>,
            n,
            href: os
              ? recordsPath({ os, build, fleet: scope.fleet, classification: classifications.join(','), from })
              : undefined,
          }))}
        />
      </section>
    ))}
  </div>
);
