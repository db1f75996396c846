import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { globOf } from '../../src/crashes/glob.ts';
import { type ListEntry, matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { processorMs } from '../time.ts';

const exact = (name: string, module: string): ListEntry => ({ function: name, module, pattern: false });
const pattern = (name: string, module: string): ListEntry => ({ function: name, module, pattern: true });

test.each<[pattern: string, text: string, matches: boolean]>([
  ['*', '', true],
  ['*', 'anything', true],
  ['core::panicking::*', 'core::panicking::panic_fmt', true],
  ['core::panicking::*', 'core::panicking', false],
  ['*printf()', 'vsnprintf()', true],
  ['*printf()', 'vsnprintf() ', false],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'axxbyybzzc', true],
  ['a*b*c', 'ac', false],
  ['ab*ba', 'aba', false],
  ['ab*ba', 'abba', true],
  ['a*a', 'a', false],
  ['a**a', 'aa', true],
  ['abort()', 'abort()', true],
  ['abort()', 'xabort()', false],
  ['operator delete(void\\*)', 'operator delete(void*)', true],
  ['operator delete(void\\*)', 'operator delete(void*, unsigned long)', false],
  ['back\\\\slash\\', 'back\\slash\\', true],
  ['a.c', 'abc', false],
  ['(x)?[y]', '(x)?[y]', true],
])('%s and %s: %p', (glob, text, matches) => {
  expect(globOf(glob).matches(text)).toBe(matches);
});

test('a pattern matches what the regular expression does', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(letters, text, (glob, subject) => {
      const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(subject);
      expect(globOf(glob).matches(subject)).toBe(expected);
    }),
    { numRuns: 5_000 },
  );
});

test.each<[entries: ListEntry[], name: string, module: string, found: string | undefined]>([
  // The pair itself before anything else, then what it is compared by, then patterns.
  [[exact('f()', 'm'), exact('f.cold()', 'm'), pattern('f*', '*')], 'f.cold()', 'm', 'f.cold()'],
  [[exact('f()', 'm'), pattern('f*', '*')], 'f.part.0()', 'm', 'f()'],
  [[exact('f()', 'libm.so.6'), pattern('f*', '*')], '__GI_f@@V_1()', '/usr/lib/libm.so.6.0.1 (deleted)', 'f()'],
  [[pattern('f*', '*')], 'f.part.0()', 'm', 'f*'],
  [[pattern('f()', '*')], 'f.part.0()', 'm', 'f()'],
  [[pattern('*.part.0()', '*')], 'f.part.0()', 'm', '*.part.0()'],
  [[exact('app::f::h0123456789abcdef', 'm')], 'app::f::hfedcba9876543210', 'm', 'app::f::h0123456789abcdef'],
  [[exact('? f', 'kernel')], 'f', 'kernel', '? f'],
  [[exact('__GI_f()', 'm'), exact('f()', 'm'), exact('f.cold()', 'm')], 'f.part.0()', 'm', 'f()'],
  [[pattern('*', 'libx.so.*')], 'any()', '/usr/lib/libx.so.1.2.3', '*'],
  [[pattern('*', 'libx.so.*')], 'any()', 'liby.so.1', undefined],
  [[pattern('*', 'libx.so.1')], 'any()', 'libx.so.1', '*'],
  [[pattern('runtime.*()', '*')], 'runtime.throw.abi0()', '/bin/x', 'runtime.*()'],
  [[pattern('runtime.*()', '*')], 'runtime.throw', '/bin/x', undefined],
  // An exact entry is no pattern, whatever stars it holds.
  [[exact('operator delete(void*)', 'm')], 'operator delete(void*, unsigned long)', 'm', undefined],
  [[exact('f()', 'm')], 'F()', 'm', undefined],
  [[exact('f()', 'm')], 'f', 'm', undefined],
  [[exact('f()', 'm')], 'f()', 'n', undefined],
  [[], 'f()', 'm', undefined],
])('%j: %s of %s is on the list by %p', (entries, name, module, found) => {
  expect(matcherOf(entries)(name, module).entry?.function).toBe(found!);
});

test('thousands of entries cost a frame hardly more than ten', () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, n) => [
      exact(`exact_${n}()`, 'm'),
      pattern(`${n}_pattern_${n}_*`, `lib${n}*`),
    ]).flat();
  const frames = Array.from({ length: 20_000 }, (_, n) => `${n % 7_000}_pattern_${n % 7_000}_of_${n}()`);
  const timeOf = (count: number) => {
    const lookUp = matcherOf(entries(count));
    return processorMs(() => {
      for (const name of frames) lookUp(name, 'elsewhere.so');
    });
  };
  let [few, many] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 15 && many > 4 * few; round++) {
    few = Math.min(few, timeOf(10));
    many = Math.min(many, timeOf(5_000));
  }
  expect(many, `${few} ms with few, ${many} ms with many`).toBeLessThanOrEqual(4 * few);
});
