import type { FC } from 'hono/jsx';
import { exact } from '../../src/time/ago.ts';
import { Page, type PageFrame } from '../layout.tsx';
import { count, counted, Time } from '../parts/parts.tsx';
import { neverGuiltyPath, recomputationPath } from './links.ts';

export interface ShownRecomputation {
  id: number;
  state: 'running' | 'finished' | 'failed';
  /** In distinct stacks. */
  done: number;
  total: number;
  /** Records put down to another guilty so far. */
  moved: number;
  startedAt: Date;
  finishedAt: Date | null;
  error: string | null;
}

interface RecomputationPageProps {
  frame: PageFrame;
  recomputation: ShownRecomputation;
}

export const RecomputationPage: FC<RecomputationPageProps> = ({ frame, recomputation }) => (
  <Page
    frame={frame}
    title={`Recomputation ${recomputation.id}`}
    help="crashes#the-never-guilty-list"
    current="crashes"
    live
  >
    <nav class="links" aria-label="Crashes">
      <a href="/telemetryui/crashes">← Crashes</a>
      <a href={neverGuiltyPath()}>Never-guilty list</a>
      <a href={`/api/recomputations/${recomputation.id}`}>JSON</a>
    </nav>
    <p class="soft">
      Started {exact(recomputation.startedAt)}, <Time at={recomputation.startedAt} now={frame.now} />
    </p>
    <RecomputationProgress recomputation={recomputation} />
  </Page>
);

const STATES = { running: 'Running', finished: 'Finished', failed: 'Stopped by an error' };

/** Page part and fragment. It asks for itself again as long as it runs; only the state is read out. */
export const RecomputationProgress: FC<{ recomputation: ShownRecomputation }> = ({ recomputation }) => {
  const { id, state, done, total, moved } = recomputation;
  const polling = state === 'running' && {
    'hx-get': `${recomputationPath(id)}/progress`,
    'hx-trigger': 'every 1s',
    'hx-swap': 'outerMorph',
    'hx-sync': 'this:drop',
    'data-idle-when-hidden': true,
  };
  return (
    <div id="progress" class={`recomputation ${state}`} {...polling}>
      <p role="status" class="state">
        <b>{STATES[state]}</b>
      </p>
      <progress value={done} max={Math.max(total, 1)} aria-label="Stacks decided">
        {`${done} of ${total}`}
      </progress>
      <p>
        {count(done)} of {counted(total, 'stack')} decided anew, {counted(moved, 'record')} moved to another guilty.
      </p>
      <After recomputation={recomputation} />
    </div>
  );
};

const After: FC<{ recomputation: ShownRecomputation }> = ({ recomputation }) => {
  switch (recomputation.state) {
    case 'running':
      return (
        <p class="small soft">
          It goes on without this page, and after a restart of the server.{' '}
          <a href={recomputationPath(recomputation.id)}>Look again</a>
        </p>
      );
    case 'finished':
      return (
        <p>
          {recomputation.finishedAt && `Done ${exact(recomputation.finishedAt)}. `}
          <a href="/telemetryui/crashes">See the top crashes</a>
        </p>
      );
    case 'failed':
      return (
        <p class="notice error">
          {recomputation.error ?? 'No reason was noted.'} What was decided before stays; start it again from the{' '}
          <a href={neverGuiltyPath()}>never-guilty list</a>.
        </p>
      );
  }
};
