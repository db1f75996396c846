import { mix } from './random.ts';
import { DAY, HOUR } from './releases.ts';

const HOURLY = [34, 30, 28, 28, 30, 36, 48, 66, 86, 98, 102, 100, 96, 98, 102, 100, 96, 88, 76, 68, 62, 56, 48, 40];
const WEEKEND = 0.62;

/** The part of a day's records that has come by the end of each hour. */
const BY_HOUR = [0, ...HOURLY].map((_, hour) => sum(HOURLY.slice(0, hour)) / sum(HOURLY));

/** A UTC day's share of the records. */
export interface DayPlan {
  start: number;
  /** The first moment that no longer belongs to the day, or that comes after the fleet's end. */
  end: number;
  /** How many records came on earlier days. */
  first: number;
  count: number;
}

/** Shares the records out over the days: fewer at weekends, and only what has come so far on the last one. */
export function planDays(records: number, days: number, until: number, seed: number): DayPlan[] {
  const lastStart = Math.floor((until - 1) / DAY) * DAY;
  const starts = Array.from({ length: days }, (_, day) => lastStart - (days - 1 - day) * DAY);
  const weights = starts.map(start => {
    const weekday = new Date(start).getUTCDay();
    const chance = 0.96 + (mix(seed ^ (start / DAY)) % 81) / 1000;
    return chance * (weekday === 0 || weekday === 6 ? WEEKEND : 1) * partOfDay(Math.min(DAY, until - start));
  });
  const total = sum(weights);
  const plans: DayPlan[] = [];
  let weight = 0;
  let first = 0;
  starts.forEach((start, day) => {
    weight += weights[day]!;
    const next = day === days - 1 ? records : Math.round((weight / total) * records);
    plans.push({ start, end: Math.min(start + DAY, until), first, count: next - first });
    first = next;
  });
  return plans;
}

/** The moments of reception in order, more of them by day than by night. */
export class Clock {
  readonly #plan: DayPlan;
  readonly #part: number;
  #hour = 0;

  constructor(plan: DayPlan) {
    this.#plan = plan;
    this.#part = partOfDay(plan.end - plan.start);
  }

  /** `progress` from 0 to 1 must never fall. */
  at(progress: number): number {
    const part = progress * this.#part;
    while (this.#hour < 23 && part >= BY_HOUR[this.#hour + 1]!) this.#hour++;
    const from = BY_HOUR[this.#hour]!;
    const within = (part - from) / (BY_HOUR[this.#hour + 1]! - from);
    const moment = this.#plan.start + Math.floor((this.#hour + within) * HOUR);
    return Math.min(moment, this.#plan.end - 1);
  }
}

/** The part of a day's records that has come after so many milliseconds. */
export function partOfDay(elapsed: number): number {
  const hour = Math.min(23, Math.floor(elapsed / HOUR));
  return BY_HOUR[hour]! + (BY_HOUR[hour + 1]! - BY_HOUR[hour]!) * (elapsed / HOUR - hour);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
