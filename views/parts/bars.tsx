import type { Child, FC } from 'hono/jsx';
import type { Rate } from '../../src/rates/rate.ts';
import { RateCell } from '../rates/rate.tsx';
import { count, counted, Scroll } from './parts.tsx';

/** A cell with a bar behind its number. A bar as long as the cell stands for `of`. */
export const BarCell: FC<{ n: number; of: number; href?: string | undefined }> = ({ n, of, href }) => (
  <td class="num bar-cell">
    <Bar n={n} of={of} />
    <span class={n === 0 ? 'soft' : undefined}>{href && n > 0 ? <a href={href}>{count(n)}</a> : count(n)}</span>
  </td>
);

interface SplitBarCellProps {
  n: number;
  /** Drawn behind `n` in the bar, and shown in brackets unless it is 0. */
  other: number;
  of: number;
  href?: string | undefined;
}

/** A cell whose number has two parts. */
export const SplitBarCell: FC<SplitBarCellProps> = ({ n, other, of, href }) => (
  <td class="num bar-cell">
    <Bar n={n} of={of} other={other} />
    <span class={n + other === 0 ? 'soft' : undefined}>
      {href && n + other > 0 ? <a href={href}>{count(n + other)}</a> : count(n + other)}
      {other > 0 && <small class="soft"> ({count(other)})</small>}
    </span>
  </td>
);

const Bar: FC<{ n: number; of: number; other?: number }> = ({ n, of, other = 0 }) => {
  if (n + other === 0 || of === 0) return null;
  const width = (part: number) => (part === 0 ? 0 : Math.min(100, Math.max(1, (100 * part) / of)));
  return (
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect width={width(n).toFixed(1)} height="1" />
      {other > 0 && <rect class="other" x={width(n).toFixed(1)} width={width(other).toFixed(1)} height="1" />}
    </svg>
  );
};

interface BarRow {
  /** Text, or an element with the text. */
  name: Child;
  href?: string | undefined;
  n: number;
  /** One for each of the table's `rateHeads`. */
  rates?: Rate[];
}

export interface BarTableProps {
  label: string;
  /** The headings of the names and of the numbers. */
  heads: [string, string];
  rateHeads?: string[];
  rows: BarRow[];
  /** What the shares are of, if the rows are only a part: the number of all names, and their sum. */
  whole?: { names: number; n: number } | undefined;
}

/** Numbers with their shares as bars: chart and table in one. A last row, `others`, holds what has no row of its own. */
export const BarTable: FC<BarTableProps> = ({ label, heads, rateHeads = [], rows, whole }) => {
  const shown = rows.reduce((sum, row) => sum + row.n, 0);
  const { names, n: total } = whole ?? { names: rows.length, n: shown };
  const others = { names: names - rows.length, n: total - shown };
  const most = Math.max(others.n, ...rows.map(row => row.n));
  return (
    <Scroll label={label}>
      <table class="bars">
        <thead>
          <tr>
            <th>{heads[0]}</th>
            <th class="num">{heads[1]}</th>
            <th class="num">Share</th>
            <th>
              <span class="unseen">As a bar</span>
            </th>
            {rateHeads.map(head => (
              <th class="num rate-head">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr>
              <th scope="row">{row.href ? <a href={row.href}>{row.name}</a> : row.name}</th>
              <td class="num">{count(row.n)}</td>
              <td class="num soft">{share(row.n, total)}</td>
              <td class="bar-cell">
                <Bar n={row.n} of={most} />
              </td>
              {row.rates?.map(rate => (
                <RateCell rate={rate} />
              ))}
            </tr>
          ))}
          {others.names > 0 && (
            <tr class="others">
              <th scope="row">{counted(others.names, 'other')}</th>
              <td class="num">{count(others.n)}</td>
              <td class="num soft">{share(others.n, total)}</td>
              <td class="bar-cell">
                <Bar n={others.n} of={most} />
              </td>
              {rateHeads.map(() => (
                <td></td>
              ))}
            </tr>
          )}
        </tbody>
      </table>
    </Scroll>
  );
};

/** `12 %` */
export const share = (n: number, total: number): string => {
  if (total === 0) return '';
  const percent = (100 * n) / total;
  return percent > 0 && percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
};
