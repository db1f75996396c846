import type { FC } from 'hono/jsx';
import type { BuildCount } from '../src/mce/queries.ts';
import type { Scope } from '../src/scope.ts';
import { BarTable } from './bars.tsx';
import { recordsPath } from './links.ts';
import { isoWeek, lastDayOf } from './window.ts';

/** Which ISO weeks a page counts, in dates. */
export const WeeksCounted: FC<{ slots: string[] }> = ({ slots }) => (
  <p class="soft">
    ISO weeks {isoWeek(slots[0]!)} to {isoWeek(slots.at(-1)!)}, from Monday {slots[0]} to Sunday{' '}
    {lastDayOf(slots.at(-1)!, true)}, in UTC. The last one isn't over.
  </p>
);

export interface BuildsOfClassesProps {
  scope: Scope;
  builds: BuildCount[];
  /** The classifications that were counted. */
  classes: string[];
  /** The first day counted. */
  from: string | undefined;
  /** What the numbers count: `thermal events`. */
  unit: string;
}

/** Records by build, each OS apart, the newest build first. */
export const BuildsOfClasses: FC<BuildsOfClassesProps> = ({ scope, builds, classes, from, unit }) => (
  <div class="halves">
    {[...Map.groupBy(builds, ({ os }) => os)].map(([os, rows]) => (
      <section>
        <h2>{os === '' ? 'Newest builds of systems that are not named' : `Newest builds of ${os}`}</h2>
        <BarTable
          label={`${unit} by build of ${os}`}
          heads={['Build', 'Records']}
          rows={rows.map(({ build, records }) => ({
            name: <span class="mono">{build}</span>,
            n: records,
            href: os
              ? recordsPath({ os, build, fleet: scope.fleet, classification: commonClassification(classes), from })
              : undefined,
          }))}
        />
      </section>
    ))}
  </div>
);

/** The classification, or the pattern with `*` that the records search takes, that covers all of some; undefined where none does. */
export const commonClassification = (classes: string[]): string | undefined => {
  if (classes.length === 1) return classes[0];
  const [first = ''] = classes;
  const [domain, probe] = first.split('/');
  const pattern = [`${domain}/${probe}/*`, `${domain}/*`].find(candidate =>
    classes.every(name => name.startsWith(candidate.slice(0, -1))),
  );
  return pattern;
};
