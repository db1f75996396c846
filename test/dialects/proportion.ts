import { expect } from 'bun:test';
import { processorMs } from '../time.ts';

/** Reading takes time in proportion to the length of the text: four times what a quarter takes, where quadratic would be sixteen. */
export function expectProportion(read: (text: string) => unknown, text: string, mostMs = 200) {
  const quarter = text.slice(0, text.length / 4);
  let [ofQuarter, ofWhole] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const inProportion = () => ofWhole < 8 * ofQuarter + 10;
  // The best of some rounds: collecting garbage makes any single one slow.
  for (let round = 0; round < 30 && !inProportion(); round++) {
    ofQuarter = Math.min(
      ofQuarter,
      processorMs(() => read(quarter)),
    );
    ofWhole = Math.min(
      ofWhole,
      processorMs(() => read(text)),
    );
  }
  expect(inProportion(), `${ofQuarter} ms for a quarter, ${ofWhole} ms for the whole`).toBe(true);
  expect(ofWhole).toBeLessThan(mostMs);
}
