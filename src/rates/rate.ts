/** How often machines had a fault, on the days on which they could have had it. */
export interface Rate {
  /** Machine ids that were affected and sent heartbeats. */
  affected: number;
  /** Days on which machine ids sent heartbeats. */
  machineDays: number;
  /** For each 1,000 machine-days; undefined where there are too few to say. */
  perThousand: Estimate | undefined;
}

interface Estimate {
  rate: number;
  /** An interval of 95 %. */
  low: number;
  high: number;
}

/** Fewer machine-days say nothing. */
export const LEAST_MACHINE_DAYS = 30;
/** Of an interval of 95 %, on both sides. */
export const Z = 1.959964;

export function rateOf(affected: number, machineDays: number): Rate {
  return {
    affected,
    machineDays,
    perThousand: machineDays < LEAST_MACHINE_DAYS ? undefined : estimate(affected, machineDays),
  };
}

/** Wilson's interval; where nothing was seen, the rule of three. */
function estimate(affected: number, machineDays: number): Estimate {
  const rate = (1_000 * affected) / machineDays;
  if (affected === 0) return { rate, low: 0, high: 3_000 / machineDays };
  // A machine may be affected on a day without a heartbeat, so that there may be more of them than days.
  const share = Math.min(1, affected / machineDays);
  const weight = Z ** 2 / machineDays;
  const middle = (share + weight / 2) / (1 + weight);
  const half = (Z * Math.sqrt((share * (1 - share)) / machineDays + weight / machineDays / 4)) / (1 + weight);
  return { rate, low: 1_000 * Math.max(0, middle - half), high: Math.max(rate, 1_000 * Math.min(1, middle + half)) };
}

/** A rate that has risen, or fallen, since another one: their intervals don't touch. */
export function trendOf(before: Rate, after: Rate): 'up' | 'down' | undefined {
  if (!before.perThousand || !after.perThousand) return undefined;
  if (after.perThousand.low > before.perThousand.high) return 'up';
  return after.perThousand.high < before.perThousand.low ? 'down' : undefined;
}

/** The columns of a rate in a table of the API. */
export const RATE_COLUMNS = ['affected', 'machine_days', 'per_1000', 'per_1000_low', 'per_1000_high'] as const;

/** A rate as these columns; the last three are null where there are too few machine-days. */
export function rateRow({ affected, machineDays, perThousand }: Rate) {
  const rounded = (value: number | undefined) => (value === undefined ? null : Number(value.toFixed(3)));
  return {
    affected,
    machine_days: machineDays,
    per_1000: rounded(perThousand?.rate),
    per_1000_low: rounded(perThousand?.low),
    per_1000_high: rounded(perThousand?.high),
  };
}
