import type { FC } from 'hono/jsx';

export interface Trend {
  /** One number for each day, oldest first. */
  days: number[];
  /** Whether the rate of the later half is above or below that of the earlier one, beyond doubt. */
  direction: 'up' | 'down' | undefined;
}

const ARROWS = { up: '↑', down: '↓' };
const WORDS = { up: 'rising', down: 'falling' };

/** Numbers by day as a line, and an arrow where they rise or fall; in words for a screen reader. */
export const Sparkline: FC<Trend & { what: string }> = ({ days, direction, what }) => (
  <span class="trend">
    <svg
      class="sparkline"
      viewBox={`0 0 ${Math.max(1, days.length - 1)} 1`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={pointsOf(days)} />
    </svg>
    {direction && (
      <span class={direction} aria-hidden="true" title={WORDS[direction]}>
        {ARROWS[direction]}
      </span>
    )}
    <span class="unseen">
      {direction && `${WORDS[direction]}: `}
      {what} by day: {days.join(', ')}
    </span>
  </span>
);

const pointsOf = (days: number[]): string => {
  const most = Math.max(1, ...days);
  return days.map((n, place) => `${place},${(1 - n / most).toFixed(3)}`).join(' ');
};
