import type { FC } from 'hono/jsx';
import { slotsOf } from '../../src/time/window.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { recordPath, recordsPath } from '../parts/links.ts';
import { Cut, count, counted, EmptyState, Pager, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { type Backtrace, BacktraceBlock } from './backtrace.tsx';
import { FunctionName } from './guilty-name.tsx';
import {
  backtracesPath,
  type CrashFilter,
  crashesPath,
  DEFAULT_DAYS,
  editFromRecordPath,
  type GuiltyRef,
  guiltyApiPath,
  guiltyPath,
  scope,
} from './links.ts';

/** Records with the same stack. */
export interface Stack extends Backtrace {
  id: number;
  records: number;
  machines: number;
  /** Most first; the rest is counted in `otherPrograms`. */
  programs: { program: string; records: number }[];
  otherPrograms: number;
  signals: { signal: string; records: number }[];
  /** Null where its records are gone and only their number is left. */
  newest: { id: number; receivedAt: Date } | null;
}

interface BacktracesPageProps {
  frame: PageFrame;
  guilty: GuiltyRef & { hidden: boolean };
  filter: CrashFilter;
  /** Those of this page, most records first. */
  stacks: Stack[];
  /** The number of the first of them. */
  firstStack: number;
  /** Over all pages. */
  totalStacks: number;
  totalRecords: number;
  moreHref?: string | undefined;
  fewerHref?: string | undefined;
}

export const BacktracesPage: FC<BacktracesPageProps> = props => {
  const { frame, guilty, filter, stacks, firstStack } = props;
  return (
    <Page frame={frame} title="Backtraces" help="crashes" current="crashes" live>
      <p class="lead of-guilty">
        <FunctionName text={guilty.function} /> <span class="mono">{visible(guilty.module)}</span>
        {guilty.hidden && ' (hidden)'}
      </p>
      <nav class="links" aria-label="This guilty">
        <a href={guiltyPath(guilty.id, filter)}>← This guilty</a>
        <a href={crashesPath({ ...filter, build: undefined })}>Crashes</a>
        <a href={guiltyApiPath(guilty.id, filter, '/backtraces')}>JSON</a>
      </nav>
      <section id="results" tabindex={-1} aria-label="Backtraces, most frequent first">
        <div class="summary">
          <p role="status">{found(props)}</p>
          <Narrowed id={guilty.id} filter={filter} />
        </div>
        {stacks.map((stack, n) => (
          <StackSection {...props} stack={stack} number={firstStack + n} />
        ))}
        {stacks.length === 0 && <NoStacks {...props} />}
        <Pager newerHref={props.fewerHref} olderHref={props.moreHref} swaps="results" texts={BY_FREQUENCY} />
      </section>
    </Page>
  );
};

const BY_FREQUENCY = { newer: '← More frequent', older: 'Less frequent →' };

const found = ({ totalStacks, totalRecords, filter }: BacktracesPageProps): string =>
  `${counted(totalStacks, 'different stack')} in ${counted(totalRecords, 'record')} of ${scope({ ...filter, os: undefined, fleet: undefined })}`;

const NAMES = { os: 'OS', fleet: 'Fleet', build: 'Build', machine_id: 'Machine' } as const;

/** Each filter as a link that takes it away. */
const Narrowed: FC<{ id: number; filter: CrashFilter }> = ({ id, filter }) => {
  const names = (Object.keys(NAMES) as (keyof typeof NAMES)[]).filter(name => filter[name]);
  return names.length > 0 ? (
    <ul class="chips" aria-label="Active filters">
      {names.map(name => (
        <li>
          <a class="chip" href={backtracesPath(id, { ...filter, [name]: undefined })}>
            <span class="unseen">Remove filter </span>
            {NAMES[name]} <b>{filter[name]}</b>
            <span aria-hidden="true"> ×</span>
          </a>
        </li>
      ))}
    </ul>
  ) : null;
};

type StackProps = BacktracesPageProps & { stack: Stack; number: number };

const StackSection: FC<StackProps> = props => {
  const { totalRecords, stack, number } = props;
  return (
    <article class="stack" aria-labelledby={`stack-${number}`}>
      <h2 id={`stack-${number}`}>
        <span class="soft">Stack {number} ·</span> {count(stack.records)} of {counted(totalRecords, 'record')}{' '}
        <span class="soft">from {counted(stack.machines, 'machine')}</span>
      </h2>
      {stack.newest ? (
        <Origin {...props} newest={stack.newest} />
      ) : (
        <p class="soft">Its records have been purged; their number is kept.</p>
      )}
      <BacktraceBlock backtrace={stack} label={`Frames of stack ${number}`} />
    </article>
  );
};

const Origin: FC<StackProps & { newest: { id: number; receivedAt: Date } }> = props => {
  const { frame, filter, stack, number, newest } = props;
  return (
    <>
      <p class="soft origin">
        <Programs stack={stack} />
        {stack.signals.length > 0 && <Signals stack={stack} />}
      </p>
      <nav class="links" aria-label={`Stack ${number}`}>
        <span>
          <a href={recordPath(newest.id)}>Newest record</a>, <Time at={newest.receivedAt} now={frame.now} />
        </span>
        <a href={recordsOf(stack, filter, frame.now)}>Records with this stack</a>
        {!frame.readonly && <a href={editFromRecordPath(newest.id)}>Edit the never-guilty list from it</a>}
      </nav>
    </>
  );
};

/** The very records that are counted. */
const recordsOf = ({ id }: Stack, filter: CrashFilter, now: Date): string => {
  const { os, fleet, build, machine_id, days = DEFAULT_DAYS } = filter;
  return recordsPath({ os, fleet, build, machine_id, stack: String(id), from: slotsOf({ days }, now)[0] });
};

const Programs: FC<{ stack: Stack }> = ({ stack }) => (
  <>
    {stack.programs.length === 0 && 'Program not named'}
    {stack.programs.map(({ program, records }, n) => (
      <>
        {n > 0 && ', '}
        <Cut text={visible(program)} class="mono wide" />
        {stack.programs.length > 1 && ` ${count(records)} ×`}
      </>
    ))}
    {stack.otherPrograms > 0 && ` and ${counted(stack.otherPrograms, 'other program')}`}
  </>
);

const Signals: FC<{ stack: Stack }> = ({ stack }) => (
  <>
    {' · signal '}
    {stack.signals
      .map(({ signal, records }) => (stack.signals.length > 1 ? `${signal} (${count(records)} ×)` : signal))
      .join(', ')}
  </>
);

const NoStacks: FC<BacktracesPageProps> = ({ guilty, fewerHref }) => (
  <EmptyState title={fewerHref ? 'No more backtraces' : 'No backtrace here'}>
    <p>
      {fewerHref ? (
        'This is the end of the list.'
      ) : (
        <>
          Take a filter away, or see <a href={backtracesPath(guilty.id, { days: 35 })}>the last 35 days</a>.
        </>
      )}
    </p>
  </EmptyState>
);
