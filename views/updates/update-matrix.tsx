import type { FC } from 'hono/jsx';
import type { Matrix, MatrixCell, UpdatePath } from '../../src/updates/queries.ts';
import { count } from '../parts/parts.tsx';

interface UpdateMatrixProps {
  matrix: Matrix;
  /** Whether to name the systems of builds as well. */
  ofSystem: boolean;
  recordsOf: (path: Omit<UpdatePath, 'records'>) => string | undefined;
}

const HEATS = 6;

/** From builds in rows to builds in columns, with totals at the ends. Scrolls on its own under its headings. */
export const UpdateMatrix: FC<UpdateMatrixProps> = ({ matrix: { builds, cells, known }, ofSystem, recordsOf }) => {
  const numbers = new Map(cells.map(({ from, to, records }) => [key(from, to), records]));
  const most = Math.max(...cells.filter(({ from, to }) => from !== null && to !== null).map(({ records }) => records));
  const total = (ofCell: (cell: MatrixCell) => boolean) =>
    cells.filter(ofCell).reduce((sum, { records }) => sum + records, 0);
  const places = [...builds.keys(), ...(known > builds.length ? [null] : [])];
  const heading = (place: number | null) => {
    if (place === null) return 'others';
    const { os, build } = builds[place]!;
    return ofSystem ? `${os} ${build}` : build;
  };
  return (
    <section class="scroll matrix" aria-label="Updates from build to build" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th class="corner">
              <span class="unseen">From, to</span>
            </th>
            {places.map(to => (
              <th scope="col" class="mono">
                <span>{heading(to)}</span>
              </th>
            ))}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          {places.map(from => (
            <tr>
              <th scope="row" class="mono">
                {heading(from)}
              </th>
              {places.map(to => {
                const n = numbers.get(key(from, to)) ?? 0;
                if (from === null || to === null) return <td class="others">{n > 0 && count(n)}</td>;
                const look = to <= from ? 'dim' : `heat-${heat(n, most)}`;
                const { os, build } = builds[from]!;
                const path = { os, from: build, to: builds[to]!.build };
                return <td class={look}>{n > 0 && <a href={recordsOf(path)}>{count(n)}</a>}</td>;
              })}
              <td class="total">{count(total(cell => cell.from === from))}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            {places.map(to => (
              <td class="total">{count(total(cell => cell.to === to))}</td>
            ))}
            <td class="total">{count(total(() => true))}</td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
};

const key = (from: number | null, to: number | null): string => `${from} ${to}`;

/** 0 for none, else 1 to 6 by the logarithm, since numbers of updates span several orders of magnitude. */
const heat = (n: number, most: number): number =>
  n === 0 ? 0 : Math.max(1, Math.ceil((HEATS * Math.log1p(n)) / Math.log1p(most)));
