import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createDemangler, type Demangler } from '../../src/crashes/demangle/demangle.ts';
import { quickest } from '../executable/program.ts';

let demangler: Demangler;
beforeAll(() => {
  demangler = createDemangler();
});
afterAll(() => demangler.close());

const TABLE = readFileSync(join(import.meta.dir, 'data/demangled.tsv'), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(line => line.split('\t') as [name: string, demangled: string]);

describe('real names', () => {
  test('come out as c++filt prints them', async () => {
    const results = await demangler.demangle(TABLE.map(([name]) => name));
    expect(results.map(({ name, demangled }) => [name, demangled])).toEqual(TABLE);
    expect(results.filter(({ note }) => note !== null)).toEqual([]);
  });

  test('are many', () => {
    expect(TABLE.length).toBeGreaterThanOrEqual(300);
  });

  test('may be asked for in any order, twice, and by several at once', async () => {
    const names = TABLE.map(([name]) => name);
    const answers = await Promise.all([
      demangler.demangle([...names, ...names]),
      demangler.demangle(names.toReversed()),
      demangler.demangle([]),
    ]);
    const demangled = TABLE.map(([, text]) => text);
    expect(answers[0].map(result => result.demangled)).toEqual([...demangled, ...demangled]);
    expect(answers[1].map(result => result.demangled)).toEqual(demangled.toReversed());
    expect(answers[2]).toEqual([]);
  });

  test('of any text: always one answer', async () => {
    const name = fc.tuple(fc.constantFrom('', '_Z', '_ZN', '_R', '_GLOBAL__I_'), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(fc.array(name.map(parts => parts.join(''))), async names => {
        const results = await demangler.demangle(names);
        expect(results.map(result => result.name)).toEqual(names);
      }),
      { numRuns: 300 },
    );
  });
});

describe('hostile names', () => {
  test('over 4 KB stay as they are, their neighbours do not', async () => {
    const results = await demangler.demangle(['_ZN1a1bEv', doubling(10), doubling(3), '_ZN1c1dEv@@V1']);
    expect(results.map(({ note }) => note)).toEqual([null, 'too long', null, null]);
    expect(results[1]!.demangled).toBe(doubling(10));
    expect(results[0]!.demangled).toBe('a::b()');
    expect(results[3]!.demangled).toBe('c::d()@@V1');
  });

  test('that take too long are given up, within bounded time and memory, and remembered', async () => {
    const own = createDemangler();
    const hostile = [doubling(24), doubling(30), `${doubling(26)}i`];
    const before = performance.now();
    const results = await own.demangle(['_ZN1a1bEv', ...hostile, '_ZN1c1dEv']);
    const took = performance.now() - before;
    expect(results.map(({ note }) => note)).toEqual([null, 'took too long', 'took too long', 'took too long', null]);
    expect(results.map(({ demangled }) => demangled)).toEqual(['a::b()', ...hostile, 'c::d()']);
    expect(took).toBeLessThan(30_000);

    const again = await quickest(5, async () => {
      expect(await own.demangle(hostile)).toEqual(results.slice(1, 4));
    });
    expect(again).toBeLessThan(took / 10);
    await own.close();
  });

  test('longer than c++filt takes are not tried', async () => {
    const longest = `_ZN1a1013${'x'.repeat(1013)}Ev`;
    const tooLong = `_ZN1a1015${'x'.repeat(1015)}Ev`;
    const results = await demangler.demangle([longest, tooLong, `_Z${'9'.repeat(300_000)}`]);
    expect(results.map(({ note }) => note)).toEqual([null, 'too long', 'too long']);
    expect(results[0]!.demangled).toBe(`a::${'x'.repeat(1013)}()`);
  });

  test('of Rust are bounded, too', async () => {
    const took = await quickest(3, async () => {
      // Of its own, since results are remembered.
      const own = createDemangler();
      const results = await own.demangle([
        doublingRust(2),
        doublingRust(30),
        '_RNvB_1a',
        `_RMC1aFG${'z'.repeat(9)}_EuE`,
      ]);
      expect(results.map(({ note }) => note)).toEqual([null, 'too long', null, 'too long']);
      expect(results[0]!.demangled).toBe(
        'a[0]::b::<((), ()), (((), ()), ((), ())), ((((), ()), ((), ())), (((), ()), ((), ())))>',
      );
      await own.close();
    });
    expect(took).toBeLessThan(5_000);
  });
});

test('the child is started again after it was killed', async () => {
  const own = createDemangler();
  for (let round = 0; round < 3; round++) {
    expect((await own.demangle([`${doubling(25)}${'i'.repeat(round)}`]))[0]!.note).toBe('took too long');
    expect((await own.demangle([`_ZN1a1b${round}Ev`, `_ZN1a1bE${'i'.repeat(round + 1)}`]))[1]!.note).toBeNull();
  }
  await own.close();
});

/** f(p<…>) whose arguments each hold the one before twice: 2 to the power of `levels` times the first. */
function doubling(levels: number): string {
  const pairs = Array.from({ length: levels }, (_, i) => `S_IS${base36(i)}_S${base36(i)}_E`);
  return `_Z1f1pIiiE${pairs.join('')}`;
}

function base36(value: number): string {
  return value.toString(36).toUpperCase();
}

/** a::b::<…> with tuples that each refer twice to the one before, by its place behind `_R`. */
function doublingRust(levels: number): string {
  let symbol = 'INvC1a1b';
  let last = symbol.length;
  symbol += 'TuuE';
  for (let i = 0; i < levels; i++) {
    const reference = `B${base62(last)}`;
    last = symbol.length;
    symbol += `T${reference}${reference}E`;
  }
  return `_R${symbol}E`;
}

/** 0 is `_`, every other number one less and `_`. */
function base62(value: number): string {
  return `${value === 0 ? '' : digits62(value - 1)}_`;
}

function digits62(value: number): string {
  const digit = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'[value % 62]!;
  return value < 62 ? digit : digits62(Math.floor(value / 62)) + digit;
}
