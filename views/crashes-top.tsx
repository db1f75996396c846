import type { FC } from 'hono/jsx';
import { BarCell } from './bars.tsx';
import { CommentForm, HideForm } from './crashes-forms.tsx';
import { backtracesPath, type CrashFilter, crashesPath, type GuiltyRef, guiltyPath } from './crashes-links.ts';
import { GuiltyName } from './guilty-name.tsx';
import type { Frame } from './layout.tsx';
import { Scroll } from './parts.tsx';

export interface TopGuilty extends GuiltyRef {
  records: number;
  machines: number;
  /** Records on each of the page's builds, in their order. */
  perBuild: number[];
  /** Of all time. */
  firstBuild: string | null;
  lastBuild: string | null;
  comment: string;
}

export interface TopTableProps {
  frame: Frame;
  filter: CrashFilter;
  builds: string[];
  guilties: TopGuilty[];
  firstRank: number;
}

export const TopTable: FC<TopTableProps> = props => {
  const { filter, builds, guilties, firstRank } = props;
  const sort = filter.sort ?? 'records';
  const most = {
    records: Math.max(...guilties.map(guilty => guilty.records)),
    machines: Math.max(...guilties.map(guilty => guilty.machines)),
    onBuild: Math.max(...guilties.flatMap(guilty => guilty.perBuild)),
  };
  return (
    <Scroll label="Top crashes">
      <table class="top-crashes">
        <thead>
          <tr>
            <th class="num">#</th>
            <th>Guilty</th>
            <th class="num" aria-sort={sort === 'records' ? 'descending' : undefined}>
              Records
            </th>
            <th class="num" aria-sort={sort === 'machines' ? 'descending' : undefined}>
              Machines
            </th>
            {builds.map(build => (
              <th class="num mono">
                <a href={crashesPath({ ...filter, build })}>{build}</a>
              </th>
            ))}
            <th>Seen in</th>
            <th>Comment</th>
          </tr>
        </thead>
        <tbody>
          {guilties.map((guilty, n) => (
            <TopRow {...props} guilty={guilty} rank={firstRank + n} most={most} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

interface TopRowProps extends TopTableProps {
  guilty: TopGuilty;
  rank: number;
  most: { records: number; machines: number; onBuild: number };
}

const TopRow: FC<TopRowProps> = ({ frame, filter, builds, guilty, rank, most }) => (
  <tr>
    <td class="num soft">{rank}</td>
    <td class="guilty-cell">
      <GuiltyName guilty={guilty} href={guiltyPath(guilty.id, filter)} />
    </td>
    <BarCell n={guilty.records} of={most.records} href={backtracesPath(guilty.id, { ...filter, sort: undefined })} />
    <BarCell n={guilty.machines} of={most.machines} />
    {builds.map((_, n) => (
      <BarCell n={guilty.perBuild[n] ?? 0} of={most.onBuild} />
    ))}
    <td class="nowrap mono soft">{buildRange(guilty)}</td>
    <td class="comment-cell">
      {frame.readonly ? guilty.comment : <Comment guilty={guilty} back={crashesPath(filter)} />}
    </td>
  </tr>
);

const buildRange = ({ firstBuild, lastBuild }: TopGuilty): string =>
  firstBuild === lastBuild ? (firstBuild ?? '') : `${firstBuild ?? '?'} – ${lastBuild ?? '?'}`;

const Comment: FC<{ guilty: TopGuilty; back: string }> = ({ guilty, back }) => (
  <details class="edit">
    <summary>
      {guilty.comment} <span class="mark">edit</span>
      <span class="unseen"> comment on {guilty.function}, or hide it</span>
    </summary>
    <CommentForm guilty={guilty} back={back} />
    <HideForm id={guilty.id} back={back} />
  </details>
);
