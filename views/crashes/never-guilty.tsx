import type { FC } from 'hono/jsx';
import { exact } from '../../src/time/ago.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { TextField } from '../parts/fields.tsx';
import { count, counted, EmptyState, Pager, Scroll, Time } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { RecomputeAllForm } from './forms.tsx';
import { FunctionName } from './guilty-name.tsx';
import { hiddenPath, neverGuiltyPath, recomputationPath } from './links.ts';

interface NeverGuiltyEntry {
  id: number;
  function: string;
  module: string;
  /** `*` in them stands for any text. */
  pattern: boolean;
  origin: 'built-in' | 'analyst';
  addedAt: Date;
}

interface SeenFunction {
  function: string;
  module: string;
  /** Stacks that it occurs in. */
  stacks: number;
  /** It is on the list, by its own name or by an entry that stands for it. */
  listed: boolean;
}

interface NeverGuiltyListPageProps {
  frame: PageFrame;
  /** Those of this page, of analysts first; with a search, of those that match it. */
  entries: NeverGuiltyEntry[];
  nextHref?: string | undefined;
  previousHref?: string | undefined;
  counts: { builtIn: number; byAnalysts: number };
  version: number;
  /** What was searched for, and what was found among all functions seen. */
  search?: { q: string; found: SeenFunction[]; more: boolean } | undefined;
  /** The recomputation that runs or waits. */
  running?: { id: number } | undefined;
}

const LEAD =
  'Functions that are where a crash ends up but never why it happened: the search for the guilty frame passes them over.';

export const NeverGuiltyListPage: FC<NeverGuiltyListPageProps> = props => (
  <Page
    frame={props.frame}
    title="Never-guilty list"
    help="crashes#the-never-guilty-list"
    current="crashes"
    lead={LEAD}
    live
  >
    <nav class="links" aria-label="Crashes">
      <a href="/telemetryui/crashes">← Crashes</a>
      <a href={hiddenPath}>Hidden guilties</a>
      <a href="/api/never-guilty">JSON</a>
    </nav>
    {props.running && (
      <p class="notice">
        Crash records are being recomputed: <a href={recomputationPath(props.running.id)}>see the progress</a>.
      </p>
    )}
    <SearchForm q={props.search?.q} />
    <section id="results" tabindex={-1} aria-label="Functions">
      {props.search && <SearchResult {...props} search={props.search} />}
      <div class="heading">
        <h2>{props.search ? 'On the list and matching' : 'On the list'}</h2>
        <p class="soft" role="status">
          {standing(props)}
        </p>
      </div>
      {props.entries.length > 0 ? <Entries {...props} /> : <NoEntries searched={props.search !== undefined} />}
      <Pager newerHref={props.previousHref} olderHref={props.nextHref} swaps="results" texts={BY_NAME} />
    </section>
    {!props.frame.readonly && !props.running && <Recompute />}
  </Page>
);

const BY_NAME = { newer: '← Previous', older: 'Next →' };

const standing = ({ counts, version }: NeverGuiltyListPageProps): string =>
  `Version ${count(version)}: ${counted(counts.builtIn + counts.byAnalysts, 'function')}, ` +
  `${count(counts.builtIn)} built in and ${count(counts.byAnalysts)} added by analysts`;

const SearchForm: FC<{ q: string | undefined }> = ({ q }) => (
  <form
    class="filters"
    action={neverGuiltyPath()}
    method="get"
    aria-label="Search functions"
    data-tidy
    hx-get={neverGuiltyPath()}
    hx-trigger="submit, input delay:300ms"
    hx-sync="this:replace"
    hx-target="#results"
    hx-select="#results"
    hx-swap="outerMorph"
    hx-push-url="true"
  >
    <TextField
      name="q"
      label="Search all functions seen"
      value={q}
      hint="A part of the function or of the module; the results appear below"
      wide
      mono
    />
    <div class="actions">
      <button type="submit" class="primary">
        Search
      </button>
      <span class="busy soft" aria-hidden="true">
        …
      </span>
    </div>
  </form>
);

const SearchResult: FC<
  NeverGuiltyListPageProps & { search: NonNullable<NeverGuiltyListPageProps['search']> }
> = props => {
  const { q, found, more } = props.search;
  return (
    <>
      <h2>{`Seen in backtraces and matching “${visible(q)}”`}</h2>
      <p class="soft" role="status">
        {more
          ? `The first ${count(found.length)}; search for more of the name to see the others`
          : counted(found.length, 'function')}
      </p>
      {found.length > 0 && <FoundTable found={found} readonly={props.frame.readonly} />}
    </>
  );
};

const FoundTable: FC<{ found: SeenFunction[]; readonly: boolean }> = ({ found, readonly }) => (
  <Scroll label="Functions seen">
    <table class="functions">
      <thead>
        <tr>
          <th>Function</th>
          <th>Module</th>
          <th class="num">Stacks</th>
          <th>Never guilty</th>
        </tr>
      </thead>
      <tbody>
        {found.map(row => (
          <tr>
            <td class="function">
              <FunctionName text={row.function} />
            </td>
            <td class="mono module">{visible(row.module)}</td>
            <td class="num">{count(row.stacks)}</td>
            <td class="nowrap">
              {row.listed ? <span class="soft">on the list</span> : !readonly && <AddForm row={row} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const AddForm: FC<{ row: SeenFunction }> = ({ row }) => (
  <form method="post" action="/telemetryui/crashes/guilty_edit/add">
    <input type="hidden" name="function" value={row.function} />
    <input type="hidden" name="module" value={row.module} />
    <button type="submit">
      Add…<span class="unseen"> {visible(row.function)}</span>
    </button>
  </form>
);

const Entries: FC<NeverGuiltyListPageProps> = ({ frame, entries }) => (
  <Scroll label="Never-guilty functions">
    <table class="functions">
      <thead>
        <tr>
          <th>Function</th>
          <th>Module</th>
          <th>Origin</th>
          <th>Added</th>
          <th>
            <span class="unseen">Remove</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map(entry => (
          <tr>
            <td class="function">
              <FunctionName text={entry.function} />
              {entry.pattern && <span class="small soft kept">pattern: * stands for any text</span>}
            </td>
            <td class="module">
              {entry.pattern && entry.module === '*' ? (
                <span class="soft">any module</span>
              ) : (
                <span class="mono">{visible(entry.module)}</span>
              )}
            </td>
            <td class="nowrap">{entry.origin === 'built-in' ? <span class="soft">built in</span> : 'by an analyst'}</td>
            <td class="nowrap soft" title={exact(entry.addedAt)}>
              <Time at={entry.addedAt} now={frame.now} />
            </td>
            <td class="nowrap">{!frame.readonly && <RemoveForm entry={entry} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const RemoveForm: FC<{ entry: NeverGuiltyEntry }> = ({ entry }) => (
  <form method="post" action="/telemetryui/crashes/guilty_edit/remove">
    <input type="hidden" name="id" value={String(entry.id)} />
    <button type="submit">
      Remove…<span class="unseen"> {visible(entry.function)}</span>
    </button>
  </form>
);

const NoEntries: FC<{ searched: boolean }> = ({ searched }) =>
  searched ? (
    <EmptyState title="None on the list matches" />
  ) : (
    <EmptyState title="The list is empty">
      <p>Search for a function above, or tick frames on the page of a crash record.</p>
    </EmptyState>
  );

const Recompute: FC = () => (
  <>
    <h2>Recompute</h2>
    <p class="soft">
      Every change of the list recomputes what it touches. To decide every stack anew with the list as it stands:
    </p>
    <RecomputeAllForm />
  </>
);
