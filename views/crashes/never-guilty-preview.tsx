import type { FC } from 'hono/jsx';
import { Page, type PageFrame } from '../layout.tsx';
import { BarCell } from '../parts/bars.tsx';
import { counted, EmptyState, Scroll } from '../parts/parts.tsx';
import { visible } from '../parts/visible.ts';
import { FunctionName, GuiltyName } from './guilty-name.tsx';
import { type GuiltyRef, guiltyPath } from './links.ts';

/** Without an id, a guilty that no record has been put down to yet. */
type PreviewedGuilty = Omit<GuiltyRef, 'id'> & { id: number | null };

interface GuiltyMove {
  from: PreviewedGuilty | null;
  to: PreviewedGuilty | null;
  stacks: number;
  records: number;
}

interface ChangePreviewPageProps {
  frame: PageFrame;
  change: 'add' | 'remove';
  functions: { function: string; module: string }[];
  /** Over all moves. */
  stacks: number;
  records: number;
  /** Most records first. */
  moves: GuiltyMove[];
  /** Moves that are left out of `moves`. */
  otherMoves: number;
  /** Where the change is made, and the fields that name it. */
  confirm: { action: string; fields: [string, string][] };
  cancelHref: string;
}

export const ChangePreviewPage: FC<ChangePreviewPageProps> = props => (
  <Page
    frame={props.frame}
    title={props.functions.length > 0 ? TITLES[props.change] : 'Recompute all records?'}
    help="crashes#the-never-guilty-list"
    current="crashes"
  >
    {props.functions.length > 0 && <Functions {...props} />}
    {props.moves.length > 0 ? <Moves {...props} /> : <NoMoves {...props} />}
    {!props.frame.readonly && <ConfirmForm {...props} />}
  </Page>
);

const TITLES = { add: 'Add to the never-guilty list?', remove: 'Remove from the never-guilty list?' };

const Functions: FC<ChangePreviewPageProps> = ({ change, functions }) => (
  <ul class="change">
    {functions.map(row => (
      <li>
        <span aria-hidden="true">{change === 'add' ? '+' : '−'}</span> <FunctionName text={row.function} />
        <span class="mono soft">{visible(row.module)}</span>
      </li>
    ))}
  </ul>
);

const Moves: FC<ChangePreviewPageProps> = ({ stacks, records, moves, otherMoves }) => {
  const most = Math.max(...moves.map(move => move.records));
  return (
    <>
      <p class="lead">
        {counted(records, 'record')} with {counted(stacks, 'stack')} would move to another guilty. Nothing has changed
        yet.
      </p>
      <Scroll label="What would change">
        <table class="moves">
          <thead>
            <tr>
              <th>From</th>
              <th>To</th>
              <th class="num">Records</th>
              <th class="num">Stacks</th>
            </tr>
          </thead>
          <tbody>
            {moves.map(move => (
              <tr>
                <td class="guilty-cell">
                  <End guilty={move.from} />
                </td>
                <td class="guilty-cell">
                  <End guilty={move.to} />
                </td>
                <BarCell n={move.records} of={most} />
                <td class="num">{move.stacks}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {otherMoves > 0 && <p class="small soft">And {counted(otherMoves, 'smaller move')}.</p>}
    </>
  );
};

const End: FC<{ guilty: PreviewedGuilty | null }> = ({ guilty }) =>
  guilty ? (
    <GuiltyName guilty={guilty} href={guilty.id === null ? undefined : guiltyPath(guilty.id)} />
  ) : (
    <span class="soft">no guilty</span>
  );

const NoMoves: FC<ChangePreviewPageProps> = ({ functions }) => (
  <EmptyState title="No record would move">
    <p>{functions.length > 0 ? 'The list would change; every' : 'Every'} crash so far keeps its guilty.</p>
  </EmptyState>
);

const ConfirmForm: FC<ChangePreviewPageProps> = ({ confirm, cancelHref, records }) => (
  <form method="post" action={confirm.action} class="row after">
    {confirm.fields.map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <button type="submit" class="primary">
      {records > 0 ? `Submit and recompute ${counted(records, 'record')}` : 'Submit'}
    </button>
    <a href={cancelHref}>Cancel</a>
  </form>
);
