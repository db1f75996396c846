import type { FC } from 'hono/jsx';
import type { UpdatePath } from '../src/updates/queries.ts';
import { count } from './parts.tsx';

export interface UpdateMatrixProps {
  /** In the order of versions. */
  builds: string[];
  cells: UpdatePath[];
  recordsOf: (from: string, to: string) => string;
}

const HEATS = 6;

/** From builds in rows to builds in columns, with totals at the ends. Scrolls inside itself under its headings. */
export const UpdateMatrix: FC<UpdateMatrixProps> = ({ builds, cells, recordsOf }) => {
  const numbers = new Map(cells.map(({ from, to, records }) => [key(from, to), records]));
  const most = Math.max(...cells.map(({ records }) => records));
  const total = (ofCell: (cell: UpdatePath) => boolean) =>
    cells.filter(ofCell).reduce((sum, { records }) => sum + records, 0);
  return (
    <section class="scroll matrix" aria-label="Updates from build to build" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th class="corner">
              <span class="unseen">From, to</span>
            </th>
            {builds.map(to => (
              <th scope="col" class="mono">
                <span>{to}</span>
              </th>
            ))}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          {builds.map((from, row) => (
            <tr>
              <th scope="row" class="mono">
                {from}
              </th>
              {builds.map((to, column) => {
                const n = numbers.get(key(from, to)) ?? 0;
                const look = column <= row ? 'dim' : `heat-${heat(n, most)}`;
                return <td class={look}>{n > 0 && <a href={recordsOf(from, to)}>{count(n)}</a>}</td>;
              })}
              <td class="total">{count(total(cell => cell.from === from))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {builds.map(to => (
              <td class="total">{count(total(cell => cell.to === to))}</td>
            ))}
            <td class="total">{count(total(() => true))}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
};

const key = (from: string, to: string): string => `${from} ${to}`;

/** 0 for none, else 1 to 6, by the logarithm: updates spread over several orders of magnitude. */
const heat = (n: number, most: number): number =>
  n === 0 ? 0 : Math.max(1, Math.ceil((HEATS * Math.log1p(n)) / Math.log1p(most)));
