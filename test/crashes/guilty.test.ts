import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseGuilty, type ShownFrame } from '../../src/crashes/guilty.ts';
import { type ListEntry, matcherOf } from '../../src/crashes/never-guilty-matcher.ts';

const frame = (name: string, module = '/usr/bin/app'): ShownFrame => ({
  function: name,
  module,
  unknown: name === '???',
  unreliable: name.startsWith('? '),
});

/** What the server before this one did, which is what holds where nothing says otherwise. */
function plainChoice(frames: ShownFrame[], listed: Set<string>): number {
  let remembered: number | undefined;
  for (const [index, { function: name, unknown, unreliable }] of frames.entries()) {
    if (listed.has(name)) continue;
    if (unknown || (unreliable && remembered === undefined)) remembered ??= index;
    else return index;
  }
  return remembered ?? frames.length - 1;
}

describe('where no frame is of a handler and no module a runtime library', () => {
  const name = fc.constantFrom('a()', 'b()', 'main()', 'c', '? d', '? e', '???');
  const frames = fc.array(
    fc.tuple(name, fc.constantFrom('/usr/bin/app', 'libapp.so.1')).map(([text, module]) => frame(text, module)),
    { minLength: 1, maxLength: 12 },
  );

  test.each<[string, string[]]>([
    ['without any list', []],
    ['with a list', ['a()', 'c']],
  ])('the guilty is the first known frame, else the first unknown one, else the last: %s', (_, listed) => {
    const entries = listed.flatMap((text): ListEntry[] => [{ function: text, module: '*', pattern: true }]);
    const lookUp = matcherOf(entries);
    fc.assert(
      fc.property(frames, found => {
        const verdict = chooseGuilty(found, lookUp);
        expect(verdict.frame).toBe(plainChoice(found, new Set(listed)));
        expect(verdict.guilty).toEqual({
          function: found[verdict.frame!]!.function.replace('? ', ''),
          module: found[verdict.frame!]!.module,
        });
        expect(verdict.steps.map(step => step.frame)).toEqual(verdict.steps.map((_step, index) => index));
      }),
      { numRuns: 3_000 },
    );
  });
});

const lookUp = matcherOf([
  { function: 'abort()', module: 'libc.so.6', pattern: false },
  { function: 'raise()', module: 'libc.so.6', pattern: false },
  { function: 'core::panicking::*', module: '*', pattern: true },
]);

test('each passed frame says by which entry, where that is not written like the frame', () => {
  const { steps } = chooseGuilty(
    [
      frame('raise()', 'libc.so.6'),
      frame('__GI_abort()', '/lib/libc-2.31.so'),
      frame('core::panicking::panic'),
      frame('work()'),
    ],
    lookUp,
  );
  expect(steps).toEqual([
    { frame: 0, outcome: 'never-guilty' },
    { frame: 1, outcome: 'never-guilty', entry: { function: 'abort()', module: 'libc.so.6' } },
    { frame: 2, outcome: 'never-guilty', entry: { function: 'core::panicking::*', module: '*' } },
    { frame: 3, outcome: 'chosen' },
  ]);
});

test('the explanation names the frame below which the crash is', () => {
  const handled = [frame('on_crash()'), frame('__restore_rt()', 'libc.so.6'), frame('work()')];
  expect(chooseGuilty(handled, lookUp)).toMatchObject({ frame: 2, trap: { frame: 1, kind: 'signal' } });
  const fault = [frame('? die', 'kernel'), frame('? asm_exc_page_fault', 'kernel'), frame('? demo', 'kernel')];
  expect(chooseGuilty(fault, lookUp)).toMatchObject({ frame: 2, trap: { frame: 1, kind: 'exception' } });
  expect(chooseGuilty([frame('work()'), frame('main()')], lookUp).trap).toBeUndefined();
});
