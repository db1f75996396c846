import type { FC } from 'hono/jsx';
import { dayOf } from '../../src/time/ago.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { count, EmptyState, Pager, Scroll, Time } from '../parts/parts.tsx';
import { UnhideForm } from './forms.tsx';
import { GuiltyName } from './guilty-name.tsx';
import {
  type CrashFilter,
  type GuiltyRef,
  guiltyPath,
  hiddenInPath,
  hiddenPath,
  neverGuiltyPath,
  scope,
} from './links.ts';

interface HiddenGuilty extends GuiltyRef {
  comment: string;
  /** Of all time. */
  records: number;
  lastSeen: Date | null;
  hiddenAt: Date;
}

interface HiddenGuiltiesPageProps {
  frame: PageFrame;
  /** What they crashed in; undefined: they are all there are. */
  filter: CrashFilter | undefined;
  /** Hidden last first. */
  guilties: HiddenGuilty[];
  /** On all pages of the list. */
  total: number;
  olderHref?: string | undefined;
  newerHref?: string | undefined;
}

const LEAD = 'Left out of the top crashes. Their records are analysed and counted as ever.';

export const HiddenGuiltiesPage: FC<HiddenGuiltiesPageProps> = props => (
  <Page frame={props.frame} title="Hidden guilties" help="crashes#the-pages-of-crashes" current="crashes" lead={LEAD}>
    <nav class="links" aria-label="Crashes">
      <a href="/telemetryui/crashes">← Crashes</a>
      <a href={neverGuiltyPath()}>Never-guilty list</a>
      {props.filter && <a href={hiddenPath}>All hidden guilties</a>}
    </nav>
    {props.total > 0 && (
      <h2>
        {count(props.total)} hidden {props.total === 1 ? 'guilty' : 'guilties'}
        {props.filter && ` crashed in ${where(props.filter)}`}
      </h2>
    )}
    {props.guilties.length > 0 ? <HiddenTable {...props} /> : <NothingHidden filter={props.filter} />}
    <Pager newerHref={props.newerHref} olderHref={props.olderHref} />
  </Page>
);

const where = (filter: CrashFilter): string =>
  `${scope(filter)}${filter.build === undefined ? '' : `, build ${filter.build}`}`;

const HiddenTable: FC<HiddenGuiltiesPageProps> = ({ frame, filter, guilties }) => (
  <Scroll label="Hidden guilties">
    <table class="hidden-guilties">
      <thead>
        <tr>
          <th>Guilty</th>
          <th class="num">Records, ever</th>
          <th>Last seen</th>
          <th>Hidden</th>
          <th>Comment</th>
          <th>
            <span class="unseen">Show again</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {guilties.map(guilty => (
          <tr>
            <td class="guilty-cell">
              <GuiltyName guilty={guilty} href={guiltyPath(guilty.id)} />
            </td>
            <td class="num">{count(guilty.records)}</td>
            <td class="nowrap">{guilty.lastSeen && dayOf(guilty.lastSeen)}</td>
            <td class="nowrap">
              <Time at={guilty.hiddenAt} now={frame.now} />
            </td>
            <td class="comment-cell">{guilty.comment}</td>
            <td class="nowrap">
              {!frame.readonly && <UnhideForm guilty={guilty} back={filter ? hiddenInPath(filter) : hiddenPath} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

const NothingHidden: FC<Pick<HiddenGuiltiesPageProps, 'filter'>> = ({ filter }) => (
  <EmptyState title={filter ? `Nothing is hidden that crashed in ${where(filter)}` : 'Nothing is hidden'}>
    <p>A guilty that needs no more attention can be hidden from the top crashes or from its own page.</p>
  </EmptyState>
);
