import type { FC } from 'hono/jsx';
import type { Rate } from '../../src/rates/rate.ts';
import type { LeftOut, Signal } from '../../src/rates/signals.ts';
import { count, counted } from '../parts/parts.tsx';

/** What a signal is called in a sentence: `machines with …`. */
export const SIGNAL_NAMES: Record<Signal, string> = {
  crash: 'program crashes',
  kernel: 'kernel reports',
  uncorrected: 'uncorrected machine checks',
  corrected: 'corrected machine checks',
  thermal: 'thermal events',
  update: 'failed updates',
};

export const RATE_HEAD = 'Per 1,000 machine-days';

/** A cell with a rate and its interval of 95 %. */
export const RateCell: FC<{ rate: Rate }> = ({ rate }) => (
  <td class="num rate" title={`${counted(rate.affected, 'machine')} on ${counted(rate.machineDays, 'machine-day')}`}>
    <RateText rate={rate} />
  </td>
);

const RateText: FC<{ rate: Rate }> = ({ rate: { perThousand } }) =>
  perThousand ? (
    <>
      {short(perThousand.rate)}{' '}
      <small class="soft">
        {short(perThousand.low)} to {short(perThousand.high)}
      </small>
    </>
  ) : (
    <small class="soft">too few machines</small>
  );

const short = (n: number): string =>
  n === 0 ? '0' : n < 0.1 ? n.toFixed(2) : n < 10 ? n.toFixed(1) : count(Math.round(n));

interface RatesExplainedProps {
  /** What the machines had: `program crashes`. */
  what: string;
  leftOut: LeftOut[];
}

/** What the rates of a page are, and whom they leave out. */
export const RatesExplained: FC<RatesExplainedProps> = ({ what, leftOut }) => (
  <p class="soft">
    Rates are machines with {what} per 1,000 machine-days, with an interval of 95 %. A machine-day is a day on which a
    machine sent a heartbeat. A machine counts once in 3 days, however often it reports.
    {leftOut
      .filter(({ unexposed }) => unexposed > 0)
      .map(({ signal, affected, unexposed }) => (
        <>
          {' '}
          {count(unexposed)} of {counted(affected, 'machine')} with {SIGNAL_NAMES[signal]} sent no heartbeat in{' '}
          {unexposed === 1 ? 'its 3 days and is' : 'their 3 days and are'} in no rate.
        </>
      ))}
  </p>
);
