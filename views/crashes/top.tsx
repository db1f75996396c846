import type { FC } from 'hono/jsx';
import type { SeenOn } from '../../src/crashes/queries.ts';
import type { Rate } from '../../src/rates/rate.ts';
import type { DrawnBuild } from '../builds/build-name.tsx';
import { BuildName } from '../builds/build-name.tsx';
import type { PageFrame } from '../layout.tsx';
import { BarCell } from '../parts/bars.tsx';
import { counted, Scroll } from '../parts/parts.tsx';
import { RATE_HEAD, RateCell } from '../rates/rate.tsx';
import { Sparkline, type Trend } from '../rates/sparkline.tsx';
import { JudgementForm } from './forms.tsx';
import { GuiltyName } from './guilty-name.tsx';
import { backtracesPath, type CrashFilter, crashesPath, type GuiltyRef, guiltyPath } from './links.ts';

export interface RankedGuilty extends GuiltyRef {
  records: number;
  machines: number;
  rate: Rate;
  /** Machines by day; undefined where one build is chosen. */
  trend: Trend | undefined;
  /** Records on each of the page's builds, in their order. */
  perBuild: number[];
  /** Of all time. */
  seenOn: SeenOn[];
  comment: string;
}

interface TopTableProps {
  frame: PageFrame;
  filter: CrashFilter;
  builds: DrawnBuild[];
  guilties: RankedGuilty[];
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
            <th class="num" aria-sort={sort === 'rate' ? 'descending' : undefined}>
              {RATE_HEAD}
            </th>
            {filter.build === undefined && <th>Trend</th>}
            {builds.map(({ os, build }) => (
              <th class="num">
                <a href={crashesPath({ ...filter, os, build })}>
                  <BuildName os={os} build={build} drawn={builds} ofSystem={filter.os === undefined} />
                </a>
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
  guilty: RankedGuilty;
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
    <RateCell rate={guilty.rate} />
    {guilty.trend && (
      <td>
        <Sparkline {...guilty.trend} what="machines" />
      </td>
    )}
    {builds.map(({ os, build }, n) => (
      <BarCell
        n={guilty.perBuild[n] ?? 0}
        of={most.onBuild}
        href={backtracesPath(guilty.id, { ...filter, sort: undefined, os, build })}
      />
    ))}
    <td class="nowrap soft">
      <SeenIn {...guilty} />
    </td>
    <td class="comment-cell">
      {frame.readonly ? guilty.comment : <Comment guilty={guilty} back={crashesPath(filter)} />}
    </td>
  </tr>
);

/** Versions have an order within a system alone. */
const SeenIn: FC<Pick<RankedGuilty, 'seenOn'>> = ({ seenOn }) => {
  const [only] = seenOn;
  if (!only || seenOn.length > 1) return <>{counted(seenOn.length, 'system')}</>;
  const { firstBuild, lastBuild } = only;
  return <span class="mono">{firstBuild === lastBuild ? firstBuild : `${firstBuild} – ${lastBuild}`}</span>;
};

const Comment: FC<{ guilty: RankedGuilty; back: string }> = ({ guilty, back }) => (
  <details class="edit">
    <summary>
      {guilty.comment} <span class="mark">edit</span>
      <span class="unseen"> comment on {guilty.function}, or hide it</span>
    </summary>
    <JudgementForm guilty={guilty} back={back} />
  </details>
);
