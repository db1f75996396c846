import type { FC } from 'hono/jsx';
import type { LeftOut } from '../../src/rates/signals.ts';
import type { Shares } from '../../src/stats/queries.ts';
import { slotsOf } from '../../src/time/window.ts';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { BuildName } from '../builds/build-name.tsx';
import { Page, type PageFrame } from '../layout.tsx';
import { BarTable } from '../parts/bars.tsx';
import { recordsPath } from '../parts/links.ts';
import { count, counted, EmptyState, Pager } from '../parts/parts.tsx';
import { WhatToDo } from '../parts/scope-form.tsx';
import { RatesExplained } from '../rates/rate.tsx';
import { BuildLinks, CrashesFilterForm } from './filter.tsx';
import {
  type CrashFilter,
  crashesPath,
  DEFAULT_DAYS,
  failedPath,
  guiltiesApiPath,
  hiddenInPath,
  hiddenPath,
  neverGuiltyPath,
  scope,
} from './links.ts';
import { type RankedGuilty, TopTable } from './top.tsx';

interface CrashesPageProps {
  frame: PageFrame;
  /** As it is in force: the OS and the window chosen or by default. */
  filter: CrashFilter;
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
  systems: string[];
  fleets: string[];
  /** The newest in use. */
  builds: DrawnBuild[];
  /** Those of this page. */
  guilties: RankedGuilty[];
  leftOut: LeftOut[];
  /** The rank of the first of them. */
  firstRank: number;
  higherHref?: string | undefined;
  lowerHref?: string | undefined;
  /** Guilties with records in this window that are hidden. */
  hidden: number;
  byClassification: Shares<{ classification: string; records: number }>;
  /** Of the records that were analysed. */
  byBuild: Shares<{ os: string; build: string; records: number }>;
  /** Crash records that wait for analysis, and those set aside after failing. */
  waiting: number;
  failed: number;
  /** The classifications whose records hold backtraces. */
  classifications: string[];
}

const LEAD = 'A guilty is the function most likely to blame for a crash. Crashes with the same guilty count together.';

export const CrashesPage: FC<CrashesPageProps> = props => {
  const { filter } = props;
  return (
    <Page frame={props.frame} title="Crashes" lead={LEAD} help="crashes" current="crashes" live>
      <CrashesFilterForm {...props} action={crashesPath({ build: filter.build })} sorts />
      <BuildLinks filter={filter} builds={props.builds} />
      <Pending waiting={props.waiting} failed={props.failed} />
      <section id="results" tabindex={-1} aria-labelledby="top">
        <div class="heading">
          <h2 id="top">{heading(filter)}</h2>
          <nav class="links" aria-label="Crashes">
            <a href={neverGuiltyPath()}>Never-guilty list</a>
            {props.hidden > 0 ? (
              <a href={hiddenInPath(filter)}>Hidden ({count(props.hidden)})</a>
            ) : (
              <a href={hiddenPath}>Hidden</a>
            )}
            <a href={guiltiesApiPath(filter)}>JSON</a>
          </nav>
        </div>
        {!props.errors && <Analysed {...props} />}
        {props.guilties.length ? <TopTable {...props} /> : <NothingOnTop {...props} />}
        <Pager newerHref={props.higherHref} olderHref={props.lowerHref} swaps="results" texts={BY_RANK} />
        {props.guilties.length > 0 && <RatesExplained what="such a crash" leftOut={props.leftOut} />}
      </section>
      {!props.errors && <Halves {...props} />}
    </Page>
  );
};

const BY_RANK = { newer: '← Previous', older: 'Next →' };

const heading = (filter: CrashFilter): string =>
  `Top crashes of ${scope(filter)}${filter.build === undefined ? '' : `, build ${filter.build}`}`;

const Analysed: FC<CrashesPageProps> = ({ filter, byBuild: { rows, records } }) => (
  <p>
    {counted(
      filter.build === undefined ? records : rows.reduce((sum, row) => sum + row.records, 0),
      'analysed crash record',
    )}
  </p>
);

const Pending: FC<{ waiting: number; failed: number }> = ({ waiting, failed }) => (
  <>
    {waiting > 0 && (
      <p class="notice">
        {counted(waiting, 'crash record')} {waiting === 1 ? 'is' : 'are'} waiting to be analysed and not yet counted
        below.
      </p>
    )}
    {failed > 0 && (
      <p class="notice warning">
        {counted(failed, 'crash record')} could not be analysed and {failed === 1 ? 'was' : 'were'} set aside:{' '}
        <a href={failedPath}>see why</a>.
      </p>
    )}
  </>
);

const NothingOnTop: FC<CrashesPageProps> = props => {
  const { filter, hidden, waiting, errors = {}, higherHref } = props;
  if (Object.keys(errors).length) {
    return (
      <EmptyState title="Nothing was searched">
        <p>Correct the fields marked above.</p>
      </EmptyState>
    );
  }
  if (higherHref) {
    return (
      <EmptyState title="No more guilties">
        <p>This is the end of the list.</p>
      </EmptyState>
    );
  }
  if (hidden > 0) {
    return (
      <EmptyState title="Everything here is hidden">
        <p>
          {counted(hidden, 'guilty function')} crashed in this window, and all are hidden.{' '}
          <a href={hiddenInPath(filter)}>Show hidden guilties</a>
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title={waiting > 0 ? 'Nothing analysed yet' : `No crash in ${scope(filter)}`}>
      {waiting > 0 ? <p>The first results appear here within moments.</p> : <WhatFillsIt {...props} />}
    </EmptyState>
  );
};

const WhatFillsIt: FC<CrashesPageProps> = ({ frame, filter, classifications }) => (
  <>
    <p>
      <WhatToDo frame={frame} otherwise="Choose a longer window or another OS" />
      {filter.build !== undefined && (
        <>
          {' '}
          Or look at <a href={crashesPath({ ...filter, build: undefined })}>all builds</a>.
        </>
      )}
    </p>
    <p class="soft">
      Records of these classifications are analysed:{' '}
      {classifications.map((classification, n) => (
        <>
          {n > 0 && ', '}
          <code>{classification}</code>
        </>
      ))}
    </p>
  </>
);

const Halves: FC<CrashesPageProps> = ({ frame, filter, builds, byClassification, byBuild }) => {
  const { os, fleet, build, days = DEFAULT_DAYS } = filter;
  const [from] = slotsOf({ days }, frame.now);
  return (
    <div class="halves">
      {byClassification.names > 0 && (
        <section>
          <h2>Crash records by classification</h2>
          <BarTable
            label="Crash records by classification"
            heads={['Classification', 'Records']}
            whole={{ names: byClassification.names, n: byClassification.records }}
            rows={byClassification.rows.map(({ classification, records }) => ({
              name: classification,
              href: recordsPath({ os, fleet, build, classification, from }),
              n: records,
            }))}
          />
        </section>
      )}
      {byBuild.names > 0 && (
        <section>
          <h2>Analysed crash records by build</h2>
          <BarTable
            label="Analysed crash records by build"
            heads={['Build', 'Records']}
            whole={{ names: byBuild.names, n: byBuild.records }}
            rows={byBuild.rows.map(row => ({
              name: <BuildName os={row.os} build={row.build} drawn={builds} ofSystem={os === undefined} />,
              href: row.os ? crashesPath({ ...filter, os: row.os, build: row.build }) : undefined,
              n: row.records,
            }))}
          />
        </section>
      )}
    </div>
  );
};
