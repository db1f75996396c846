import type { FC } from 'hono/jsx';
import { count, counted, Scroll } from './parts.tsx';

export interface DayNumbers {
  /** `2026-11-23`, in UTC. */
  day: string;
  records: number;
  machines: number;
}

const SLOT = 10;
const HEIGHT = 100;

/** Records as bars and machines as a line over days without gaps, oldest first, with the numbers as a table. */
export const DayChart: FC<{ days: DayNumbers[] }> = ({ days }) => {
  const top = roundedUp(Math.max(...days.map(day => Math.max(day.records, day.machines))));
  return (
    <figure class={days.length <= 3 ? 'chart few' : 'chart'}>
      <figcaption>
        <span class="key records">Records a day</span>
        <span class="key machines">Machines a day</span>
      </figcaption>
      <div class="plot">
        <Scale top={top} />
        <Plot days={days} top={top} />
        <Dates days={days} />
      </div>
      <details>
        <summary>As a table</summary>
        <DayTable days={days} />
      </details>
    </figure>
  );
};

/** The next even number that reads well, so that half of it does, too. */
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

const Plot: FC<{ days: DayNumbers[]; top: number }> = ({ days, top }) => {
  const y = (n: number) => (HEIGHT * (1 - n / top)).toFixed(1);
  const middle = (slot: number) => slot * SLOT + SLOT / 2;
  const width = days.length * SLOT;
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary(days)}>
      <path class="grid" d={`M0 0H${width}M0 ${HEIGHT / 2}H${width}M0 ${HEIGHT}H${width}`} />
      {days.map(({ records }, slot) => (
        <rect class="records" x={slot * SLOT + 1.5} width={SLOT - 3} y={y(records)} height={(HEIGHT * records) / top} />
      ))}
      <polyline
        class="machines"
        points={days.map(({ machines }, slot) => `${middle(slot)},${y(machines)}`).join(' ')}
      />
      <path
        class="machines points"
        d={days.map(({ machines }, slot) => `M${middle(slot)} ${y(machines)}h0`).join('')}
      />
      {days.map((day, slot) => (
        <rect class="hover" x={slot * SLOT} width={SLOT} y="0" height={HEIGHT}>
          <title>{`${day.day}: ${counted(day.records, 'record')}, ${counted(day.machines, 'machine')}`}</title>
        </rect>
      ))}
    </svg>
  );
};

const summary = (days: DayNumbers[]): string => {
  const highest = days.reduce((a, b) => (b.records > a.records ? b : a));
  return (
    `Records and machines a day from ${days[0]?.day} to ${days.at(-1)?.day}; ` +
    `most records on ${highest.day}: ${counted(highest.records, 'record')} from ${counted(highest.machines, 'machine')}`
  );
};

const LABELS = 5;
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

const Dates: FC<{ days: DayNumbers[] }> = ({ days }) => {
  const step = Math.ceil(days.length / LABELS);
  return (
    <div class="dates" aria-hidden="true">
      {days.map(({ day }, slot) => (
        <span>{(days.length - 1 - slot) % step === 0 && DATE.format(new Date(day))}</span>
      ))}
    </div>
  );
};

const DayTable: FC<{ days: DayNumbers[] }> = ({ days }) => (
  <Scroll label="Records and machines a day" fit>
    <table>
      <thead>
        <tr>
          <th>Day</th>
          <th class="num">Records</th>
          <th class="num">Machines</th>
        </tr>
      </thead>
      <tbody>
        {days.toReversed().map(({ day, records, machines }) => (
          <tr>
            <th scope="row">{day}</th>
            <td class="num">{count(records)}</td>
            <td class="num">{count(machines)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);
