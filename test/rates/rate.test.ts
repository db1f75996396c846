import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LEAST_MACHINE_DAYS, rateOf, rateRow, trendOf } from '../../src/rates/rate.ts';

describe('a rate', () => {
  // By the formula of Wilson, and 3 / n.
  test.each([
    [1, 100, 10, 1.77, 54.5],
    [37, 1_350, 27.41, 19.94, 37.55],
    [50, 100, 500, 403.8, 596.2],
    [100, 100, 1_000, 963, 1_000],
    [0, 300, 0, 0, 10],
    [0, 30, 0, 0, 100],
  ])('of %d machines on %d machine-days is %d, from %d to %d', (affected, machineDays, rate, low, high) => {
    const found = rateOf(affected, machineDays).perThousand!;
    expect(found.rate).toBeCloseTo(rate, 1);
    expect(found.low).toBeCloseTo(low, 1);
    expect(found.high).toBeCloseTo(high, 1);
  });

  test('of fewer than 30 machine-days is none', () => {
    expect(LEAST_MACHINE_DAYS).toBe(30);
    expect(rateOf(5, 29).perThousand).toBeUndefined();
    expect(rateRow(rateOf(5, 29))).toEqual({
      affected: 5,
      machine_days: 29,
      per_1000: null,
      per_1000_low: null,
      per_1000_high: null,
    });
  });

  test('lies in its interval, which is the narrower the more machine-days there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 1_000_000 }), fc.nat(1_200_000), (days, affected) => {
        const { rate, low, high } = rateOf(affected, days).perThousand!;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(Math.min(1_000, rate) + 1e-9);
        expect(high).toBeGreaterThanOrEqual(rate);
        if (affected <= days) {
          const more = rateOf(4 * affected, 4 * days).perThousand!;
          expect(more.high - more.low).toBeLessThan(high - low + 1e-9);
        }
      }),
    );
  });

  test('has risen or fallen only where the intervals say so', () => {
    expect(trendOf(rateOf(10, 1_000), rateOf(40, 1_000))).toBe('up');
    expect(trendOf(rateOf(40, 1_000), rateOf(10, 1_000))).toBe('down');
    expect(trendOf(rateOf(10, 1_000), rateOf(13, 1_000))).toBeUndefined();
    expect(trendOf(rateOf(1, 20), rateOf(90, 1_000))).toBeUndefined();
  });
});
