import { DAY_MS } from './units.ts';

/** A window that ends today, in UTC days; or in ISO weeks of which today's is the last. */
export interface Window {
  days: number;
  byWeek?: boolean | undefined;
}

/** Each day of a window, or the Monday of each of its weeks, oldest first, as `2026-11-23`. */
export function slotsOf({ days, byWeek }: Window, now: Date): string[] {
  const today = Math.floor(now.getTime() / DAY_MS);
  // Day 0 was a Thursday.
  const last = byWeek ? today - ((today + 3) % 7) : today;
  const [count, step] = byWeek ? [Math.ceil(days / 7), 7] : [days, 1];
  return Array.from({ length: count }, (_, n) => dayText(last - (count - 1 - n) * step));
}

const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** The day before the slot that follows. */
export const lastDayOf = (slot: string, byWeek?: boolean): string =>
  byWeek ? dayText(Date.parse(slot) / DAY_MS + 6) : slot;

/** `2026-W48` for any day of that ISO week, which is of the year that its Thursday lies in. */
export function isoWeek(day: string): string {
  const date = Date.parse(day) / DAY_MS;
  const thursday = new Date((date - ((date + 3) % 7) + 3) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** `1 day`, `14 days`, `13 weeks` */
export const windowText = ({ days, byWeek }: Window): string => {
  const weeks = byWeek || (days % 7 === 0 && days > 35);
  const [n, unit] = weeks ? [Math.ceil(days / 7), 'week'] : [days, 'day'];
  return n === 1 ? `1 ${unit}` : `${n} ${unit}s`;
};
