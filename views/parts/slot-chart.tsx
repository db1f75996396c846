import type { FC } from 'hono/jsx';
import type { ChartSeries, SlotSeries } from '../../src/time/series.ts';
import { isoWeek, lastDayOf } from '../../src/time/window.ts';
import { count, Scroll } from './parts.tsx';

export interface SlotChartProps {
  /** What a slot is: `Day`, `Hour`, `ISO week`. */
  slot: string;
  /** The slots without gaps, oldest first: `name` appears in the table and on hover, `tick` on the axis. */
  slots: { name: string; tick: string }[];
  /** Drawn as bars on top of one another. */
  bars: ChartSeries[];
  line?: ChartSeries | undefined;
  /** What the numbers count, in the plural: `records`. */
  unit: string;
  /** Whether the table is open from the start. */
  open?: boolean | undefined;
  /** The last slot is not over. */
  unfinished?: boolean | undefined;
  /** Replaces the drawing by a chart to explore if scripts run; the page must load them. */
  explore?: boolean | undefined;
  /** The address of the records behind a number, by the index of its slot and by its series. */
  hrefOf?: ((slot: number, series: ChartSeries) => string | undefined) | undefined;
}

/** The series for everything without a series of its own; no other series is grey. */
export const OTHERS = { name: 'others', colour: 9 };

const SLOT = 10;
const HEIGHT = 100;

/** Bars and a line over hours, days or weeks, with the numbers as a table. */
export const SlotChart: FC<SlotChartProps> = props => {
  const { slots, bars, line, open, explore } = props;
  const top = roundedUp(Math.max(...slots.map((_, n) => Math.max(stacked(bars, n), line?.values[n] ?? 0))));
  return (
    <figure class={slots.length <= 3 ? 'chart few' : 'chart'} data-explore={explore ? '' : undefined}>
      <figcaption>
        {bars.map((series, n) => (
          <span class={`key ${colour(series, n)}`}>{series.name}</span>
        ))}
        {line && <span class="key line">{line.name}</span>}
      </figcaption>
      <div class="plot">
        <Scale top={top} />
        <Plot {...props} top={top} />
        <Ticks slots={slots} />
      </div>
      <details open={open}>
        <summary>As a table</summary>
        <NumbersTable {...props} />
      </details>
    </figure>
  );
};

const colour = (series: ChartSeries, n: number): string => `s${series.colour ?? n + 1}`;

const stacked = (bars: ChartSeries[], slot: number, below = bars.length): number =>
  bars.slice(0, below).reduce((sum, { values }) => sum + (values[slot] ?? 0), 0);

/** The next round number that is even, so that its half is round too. */
const roundedUp = (n: number): number => {
  const unit = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return Math.max(2, ([1, 2, 4, 6, 8, 10].find(step => step * unit >= n) ?? 10) * unit);
};

const Scale: FC<{ top: number }> = ({ top }) => (
  <div class="scale" aria-hidden="true">
    <span>{count(top)}</span>
    <span>{count(top / 2)}</span>
    <span>0</span>
  </div>
);

const Plot: FC<SlotChartProps & { top: number }> = props => {
  const { slots, bars, line, top, unfinished } = props;
  const y = (n: number) => (HEIGHT * (1 - n / top)).toFixed(1);
  const height = (n: number) => ((HEIGHT * n) / top).toFixed(1);
  const middle = (slot: number) => slot * SLOT + SLOT / 2;
  const width = slots.length * SLOT;
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary(props)}>
      {unfinished && <rect class="unfinished" x={width - SLOT} width={SLOT} y="0" height={HEIGHT} />}
      <path class="grid" d={`M0 0H${width}M0 ${HEIGHT / 2}H${width}M0 ${HEIGHT}H${width}`} />
      {bars.map((series, n) => (
        <path
          class={colour(series, n)}
          d={series.values
            .map((value, slot) =>
              value > 0
                ? `M${slot * SLOT + 1.5} ${y(stacked(bars, slot, n + 1))}h${SLOT - 3}v${height(value)}h${3 - SLOT}z`
                : '',
            )
            .join('')}
        />
      ))}
      {line && <polyline class="line" points={line.values.map((n, slot) => `${middle(slot)},${y(n)}`).join(' ')} />}
      {line && <path class="line points" d={line.values.map((n, slot) => `M${middle(slot)} ${y(n)}h0`).join('')} />}
      {slots.map(({ name }, slot) => (
        <rect class="hover" x={slot * SLOT} width={SLOT} y="0" height={HEIGHT}>
          <title>{`${name}: ${numbersOf(props, slot)}`}</title>
        </rect>
      ))}
    </svg>
  );
};

const numbersOf = ({ bars, line }: SlotChartProps, slot: number): string =>
  [...bars, ...(line ? [line] : [])]
    .filter(({ values }, n) => bars.length <= 2 || n >= bars.length || (values[slot] ?? 0) > 0)
    .map(({ name, values }) => `${name} ${count(values[slot] ?? 0)}`)
    .join(', ') || '0';

const summary = ({ slot, slots, bars, unit }: SlotChartProps): string => {
  const totals = slots.map((_, n) => stacked(bars, n));
  const highest = totals.indexOf(Math.max(...totals));
  const what = `${unit[0]!.toUpperCase()}${unit.slice(1)} by ${slot === 'ISO week' ? slot : slot.toLowerCase()}`;
  return `${what} from ${slots[0]?.name} to ${slots.at(-1)?.name}; most in ${slots[highest]?.name}: ${count(totals[highest] ?? 0)}`;
};

const LABELS = 5;

const Ticks: FC<Pick<SlotChartProps, 'slots'>> = ({ slots }) => {
  const step = Math.ceil(slots.length / LABELS);
  return (
    <div class="dates" aria-hidden="true">
      {slots.map(({ tick }, slot) => (
        <span>{(slots.length - 1 - slot) % step === 0 && tick}</span>
      ))}
    </div>
  );
};

const NumbersTable: FC<SlotChartProps> = ({ slot, slots, bars, line, unit, explore, hrefOf }) => {
  const columns = [...bars, ...(line ? [line] : [])];
  return (
    <Scroll label={`${unit} by ${slot}`} fit>
      <table>
        <thead>
          <tr>
            <th>{slot}</th>
            {columns.map(({ name }) => (
              <th class="num">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {slots
            .map(({ name, tick }, n) => (
              <tr>
                <th scope="row" data-tick={explore ? tick : undefined}>
                  {name}
                </th>
                {columns.map(series => (
                  <NumberCell n={series.values[n] ?? 0} href={hrefOf?.(n, series)} />
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </Scroll>
  );
};

const NumberCell: FC<{ n: number; href: string | undefined }> = ({ n, href }) => (
  <td class="num">{href && n > 0 ? <a href={href}>{count(n)}</a> : count(n)}</td>
);

const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** The slot of a UTC day, `2026-11-23`. */
export const daySlot = (day: string) => ({ name: day, tick: DATE.format(new Date(day)) });

export interface SeriesChartProps {
  over: SlotSeries;
  byWeek?: boolean | undefined;
  unit: string;
  open?: boolean | undefined;
  /** The address of the records behind a number, if one address shows them all. */
  hrefOf?: ((days: { from: string; to: string }, series: ChartSeries) => string | undefined) | undefined;
}

/** Series over the days or ISO weeks of a window that ends today, as a chart to explore. */
export const SeriesChart: FC<SeriesChartProps> = ({ over: { slots, series }, byWeek, unit, open, hrefOf }) => (
  <SlotChart
    slot={byWeek ? 'ISO week' : 'Day'}
    slots={slots.map((slot, n) => soFar((byWeek ? weekSlot : daySlot)(slot), n === slots.length - 1))}
    bars={series}
    unit={unit}
    open={open}
    unfinished
    explore
    hrefOf={(n, one) => hrefOf?.({ from: slots[n]!, to: lastDayOf(slots[n]!, byWeek) }, one)}
  />
);

const soFar = ({ name, tick }: SlotChartProps['slots'][number], unfinished: boolean) => ({
  name: unfinished ? `${name} so far` : name,
  tick,
});

/** The slot of the ISO week that begins on a Monday. */
const weekSlot = (monday: string) => ({ name: isoWeek(monday), tick: isoWeek(monday).slice(5) });
