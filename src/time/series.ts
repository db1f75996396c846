export interface ChartSeries {
  name: string;
  /** One number for each slot, in their order. */
  values: number[];
  /** If undefined, the series' place decides. */
  colour?: number | undefined;
  /** The build that it counts, if it counts one. */
  build?: { os: string; build: string } | undefined;
}

export interface SlotSeries {
  /** Days, or Mondays of weeks, oldest first. */
  slots: string[];
  series: ChartSeries[];
}

/** Sorts the series by size: a chart draws the first one at the bottom. */
export function largestFirst({ slots, series }: SlotSeries): SlotSeries {
  const total = ({ values }: ChartSeries) => values.reduce((sum, n) => sum + n, 0);
  return { slots, series: series.toSorted((a, b) => total(b) - total(a)) };
}

/** Turns numbers by slot and name into series over all slots, in the order in which names first come. */
export function seriesOf(slots: string[], numbers: readonly { slot: string; name: string; n: number }[]): SlotSeries {
  const place = new Map(slots.map((slot, n) => [slot, n]));
  const series = new Map<string, number[]>();
  for (const { slot, name, n } of numbers) {
    const values = series.get(name) ?? new Array<number>(slots.length).fill(0);
    series.set(name, values);
    const at = place.get(slot);
    if (at !== undefined) values[at] = n;
  }
  return { slots, series: [...series].map(([name, values]) => ({ name, values })) };
}

/** Turns series into rows with a column for each name. */
export function seriesRows(column: string, { slots, series }: SlotSeries) {
  return {
    columns: [column, ...series.map(({ name }) => name)],
    rows: slots.map((slot, n) => ({
      [column]: slot,
      ...Object.fromEntries(series.map(({ name, values }) => [name, values[n] ?? 0])),
    })),
  };
}
