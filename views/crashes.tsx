import type { FC } from 'hono/jsx';
import { BarTable } from './bars.tsx';
import { BuildLinks, CrashesFilterForm } from './crashes-filter.tsx';
import {
  type CrashFilter,
  crashesPath,
  DEFAULT_DAYS,
  failedPath,
  guiltiesApiPath,
  hiddenPath,
  neverGuiltyPath,
  scope,
} from './crashes-links.ts';
import { type TopGuilty, TopTable } from './crashes-top.tsx';
import { type Frame, Page } from './layout.tsx';
import { recordsPath } from './links.ts';
import { counted, EmptyState, Pager } from './parts.tsx';
import { slotsOf } from './window.ts';

export interface CrashesPageProps {
  frame: Frame;
  /** As it is in force: the OS and the window chosen or by default. */
  filter: CrashFilter;
  /** Messages by parameter name. */
  errors?: Record<string, string> | undefined;
  systems: string[];
  fleets: string[];
  /** The newest builds of the OS, newest first, at most 8. */
  builds: string[];
  /** Those of this page. */
  guilties: TopGuilty[];
  /** The rank of the first of them. */
  firstRank: number;
  higherHref?: string | undefined;
  lowerHref?: string | undefined;
  /** Guilties with records in this window that are hidden. */
  hidden: number;
  byClassification: { classification: string; records: number }[];
  /** The newest 10, newest first. */
  byBuild: { build: string; records: number }[];
  /** Crash records that wait for analysis, and those set aside after failing. */
  waiting: number;
  failed: number;
  /** The classifications whose records hold backtraces. */
  classifications: string[];
}

export const CrashesPage: FC<CrashesPageProps> = props => {
  const { filter } = props;
  return (
    <Page frame={props.frame} title="Crashes" current="crashes" live>
      <CrashesFilterForm {...props} action={crashesPath({ build: filter.build })} sorts />
      <BuildLinks filter={filter} builds={props.builds} />
      <Pending waiting={props.waiting} failed={props.failed} />
      <section id="results" tabindex={-1} aria-labelledby="top">
        <div class="heading">
          <h2 id="top">{heading(filter)}</h2>
          <nav class="links" aria-label="Crashes">
            <a href={neverGuiltyPath()}>Never-guilty list</a>
            <a href={hiddenPath}>{props.hidden > 0 ? `Hidden (${props.hidden})` : 'Hidden'}</a>
            <a href={guiltiesApiPath(filter)}>JSON</a>
          </nav>
        </div>
        {props.guilties.length ? <TopTable {...props} /> : <NothingOnTop {...props} />}
        <Pager newerHref={props.higherHref} olderHref={props.lowerHref} swaps="results" texts={BY_RANK} />
      </section>
      <Shares {...props} />
    </Page>
  );
};

const BY_RANK = { newer: '← Higher', older: 'Lower →' };

const heading = (filter: CrashFilter): string =>
  `Top crashes of ${scope(filter)}${filter.build === undefined ? '' : `, build ${filter.build}`}`;

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
          <a href={hiddenPath}>Show hidden guilties</a>
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

const WhatFillsIt: FC<CrashesPageProps> = ({ filter, classifications }) => (
  <>
    <p>
      Choose a longer window or another OS, or <a href="/telemetryui/connect">connect machines</a>.
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

const Shares: FC<CrashesPageProps> = ({ frame, filter, byClassification, byBuild }) => {
  const { os, fleet, days = DEFAULT_DAYS } = filter;
  const [from] = slotsOf({ days }, frame.now);
  return (
    <div class="halves">
      {byClassification.length > 0 && (
        <section>
          <h2>Crash records by classification</h2>
          <BarTable
            label="Crash records by classification"
            heads={['Classification', 'Records']}
            rows={byClassification.map(({ classification, records }) => ({
              name: classification,
              href: recordsPath({ os, fleet, classification, from }),
              n: records,
            }))}
          />
        </section>
      )}
      {byBuild.length > 0 && (
        <section>
          <h2>Crash records by build, newest first</h2>
          <BarTable
            label="Crash records by build"
            heads={['Build', 'Records']}
            rows={byBuild.map(({ build, records }) => ({
              name: <span class="mono">{build}</span>,
              href: crashesPath({ ...filter, build }),
              n: records,
            }))}
          />
        </section>
      )}
    </div>
  );
};
