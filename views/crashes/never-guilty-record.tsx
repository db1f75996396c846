import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';
import { recordPath } from '../parts/links.ts';
import { EmptyState, Scroll } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { type BacktraceFrame, FrameFunction, FrameNumber, FrameVerdict } from './backtrace.tsx';
import { GuiltyName } from './guilty-name.tsx';
import { type GuiltyRef, guiltyPath, neverGuiltyPath } from './links.ts';

export interface EditableFrame extends BacktraceFrame {
  /** What stands for it in the form. */
  value: number;
  /** `listed` is on the list already; `fixed` is never offered, such as `_start()`. */
  choice: 'offered' | 'listed' | 'fixed';
  /** The entry that it is on the list by. */
  listed: { function: string; module: string } | null;
  ticked: boolean;
}

interface NeverGuiltyFromRecordPageProps {
  frame: PageFrame;
  recordId: number;
  guilty: GuiltyRef | null;
  frames: EditableFrame[];
  /** After applying: the guilty before and now. */
  applied?: { from: GuiltyRef | null; to: GuiltyRef | null } | undefined;
}

const LEAD =
  'Tick the frames whose functions are never to blame. Apply puts them on the list, recomputes this record now and shows ' +
  'its new guilty; the preview counts what would change over all records before anything does.';

export const NeverGuiltyFromRecordPage: FC<NeverGuiltyFromRecordPageProps> = props => {
  const { frame, recordId, guilty, frames, applied } = props;
  return (
    <Page
      frame={frame}
      title={`Never guilty, from record ${recordId}`}
      help="crashes#the-never-guilty-list"
      current="crashes"
      lead={LEAD}
    >
      <nav class="links" aria-label="This record">
        <a href={recordPath(recordId)}>← Record {recordId}</a>
        {guilty && <a href={guiltyPath(guilty.id)}>Its guilty</a>}
        <a href={neverGuiltyPath()}>Never-guilty list</a>
      </nav>
      {applied && <Applied {...applied} />}
      {frames.length > 0 ? <FramesForm {...props} /> : <NoFrames />}
    </Page>
  );
};

const Applied: FC<{ from: GuiltyRef | null; to: GuiltyRef | null }> = ({ from, to }) => (
  <div class="notice done" role="status">
    <p>
      {from?.id === to?.id ? 'Recomputed: the guilty of this record stays the same.' : 'Recomputed: this record moved.'}
    </p>
    {from?.id !== to?.id && (
      <dl>
        <MoveEnd name="Was" guilty={from} />
        <MoveEnd name="Now" guilty={to} />
      </dl>
    )}
    <p>Other records with these functions keep their guilty until the preview for all records is submitted.</p>
  </div>
);

const MoveEnd: FC<{ name: string; guilty: GuiltyRef | null }> = ({ name, guilty }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {guilty ? <GuiltyName guilty={guilty} href={guiltyPath(guilty.id)} /> : <span class="soft">no guilty</span>}
    </dd>
  </div>
);

const FramesForm: FC<NeverGuiltyFromRecordPageProps> = ({ frame, recordId, frames }) => (
  <form method="post" action="/telemetryui/crashes/guilty_edit/preview">
    <input type="hidden" name="record" value={String(recordId)} />
    <Scroll label="Frames of this record">
      <table class="frames editable">
        <thead>
          <tr>
            <th>Never guilty</th>
            <th class="num">Frame</th>
            <th>Verdict</th>
            <th>Function</th>
            <th>Module</th>
          </tr>
        </thead>
        <tbody>
          {frames.map(row => (
            <EditableRow row={row} readonly={frame.readonly} />
          ))}
        </tbody>
      </table>
    </Scroll>
    {!frame.readonly && (
      <div class="row after">
        <button type="submit" formaction="/telemetryui/crashes/guilty_edit/apply">
          Apply to this record
        </button>
        <button type="submit" class="primary">
          Preview for all records
        </button>
      </div>
    )}
  </form>
);

const EditableRow: FC<{ row: EditableFrame; readonly: boolean }> = ({ row, readonly }) => {
  const id = `frame-${row.value}`;
  return (
    <tr class={row.guilty ? 'at-fault' : undefined}>
      <td class="nowrap tick-cell">
        {row.choice === 'fixed' ? (
          <span class="small soft">not offered</span>
        ) : (
          <input
            type="checkbox"
            name="frame"
            value={String(row.value)}
            aria-labelledby={`${id}-function ${id}-module`}
            checked={row.choice === 'listed' || row.ticked}
            disabled={row.choice === 'listed' || readonly}
          />
        )}
        {row.listed && (
          <a class="small" href={neverGuiltyPath(row.listed.function)}>
            on the list
          </a>
        )}
      </td>
      <FrameNumber frame={row} />
      <td class="verdict">
        <FrameVerdict frame={row} />
      </td>
      <td class="function" id={`${id}-function`}>
        <FrameFunction frame={row} />
      </td>
      <td class="mono module" id={`${id}-module`}>
        {visible(row.module)}
      </td>
    </tr>
  );
};

const NoFrames: FC = () => (
  <EmptyState title="This record holds no frames">
    <p>Its payload has no backtrace, so there is nothing to tick.</p>
  </EmptyState>
);
