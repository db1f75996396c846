import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseGuilty } from '../../src/crashes/guilty.ts';
import { matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { shownFunction } from '../../src/dialects/frame.ts';
import { readTelemetrics } from '../../src/dialects/telemetrics.ts';
import { starterList } from '../crashes/starter-list.ts';
import { expectProportion } from './proportion.ts';

const lookUp = matcherOf(await starterList());

function frameOf(line: string) {
  return readTelemetrics(`Process: a\n${line}\n`).frames[0];
}

describe('a frame', () => {
  test('with everything', () => {
    expect(frameOf('#12 _ZN1a1bEv() - [/usr/bin/a]+0x1F - /src/a [1].c:10')).toEqual({
      number: 12,
      function: '_ZN1a1bEv()',
      mangled: '_ZN1a1bEv',
      module: '/usr/bin/a',
      offset: '0x1F',
      source: '/src/a [1].c:10',
      unreliable: false,
      unknown: false,
    });
  });

  test('of the kernel', () => {
    expect(frameOf('#4 ? __queue_work - [kernel]')).toEqual({
      number: 4,
      function: '? __queue_work',
      mangled: null,
      module: 'kernel',
      offset: null,
      source: null,
      unreliable: true,
      unknown: false,
    });
  });

  test('without a symbol', () => {
    expect(frameOf('#0 ??? - [/usr/bin/a]')).toMatchObject({ function: '???', mangled: null, unknown: true });
    expect(frameOf('#0 ????() - [/usr/bin/a]')).toMatchObject({ unknown: false, unreliable: false });
  });

  test.each([
    ['#0 f() - [/opt/a[1]/b] - c.c:1', '/opt/a[1]/b', 'c.c:1'],
    ['#0 f() - [/opt/a] - b[0].c:1', '/opt/a', 'b[0].c:1'],
    ['#0 f() - [a] - ', 'a', null],
    ['#0 f() - [a]trailing', 'a', null],
    ['#0 f() - [a]+0x - b.c:1', 'a', 'b.c:1'],
    ['#0 f() - [a] (x)', 'a', null],
  ])('%s', (line, module, source) => {
    expect(frameOf(line)).toMatchObject({ function: 'f()', module, source, offset: null });
  });
});

describe('the name shown', () => {
  const frame = frameOf('#0 _ZN1a1bEv() - [a]')!;

  test('is the demangled one where there is one', () => {
    expect(shownFunction(frame, 'a::b()')).toBe('a::b()');
  });

  test('keeps its parentheses where nothing changed', () => {
    expect(shownFunction(frame, '_ZN1a1bEv')).toBe('_ZN1a1bEv()');
    expect(shownFunction(frame, undefined)).toBe('_ZN1a1bEv()');
  });
});

describe('any payload', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '#1 ',
      '#',
      ' - [',
      ']',
      '()',
      '???',
      '? ',
      '\n',
      '\r\n',
      '+0x1',
      ' - ',
      'Backtrace (TID 1):',
      'PID: ',
    ),
    fc.string({ unit: 'binary' }),
  );
  const payload = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map(pieces => pieces.join('')),
    fc.uint8Array({ maxLength: 500 }).map(bytes => new TextDecoder().decode(bytes)),
  );

  test('is read, and a verdict found, without throwing', () => {
    fc.assert(
      fc.property(payload, text => {
        const { frames } = readTelemetrics(text);
        const verdict = chooseGuilty(frames, lookUp);
        expect(verdict.guilty === null).toBe(frames.length === 0);
        expect(verdict.steps.length).toBeLessThanOrEqual(frames.length);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['one long line', 'x'.repeat(300_000)],
    ['one long frame', `a\n#0 ${'f'.repeat(300_000)}() - [m]`],
    ['a frame that never ends', `a\n#0 ${' - ['.repeat(75_000)}`],
    ['brackets that close too often', `a\n#0 f() - [${']x'.repeat(150_000)}`],
    ['brackets everywhere', `a\n#0 ${' - []'.repeat(60_000)}`],
    ['headings', 'Backtrace (TID 1'.repeat(18_000)],
    ['blanks', `Reason: ${' '.repeat(300_000)}`],
    ['newlines', '\n'.repeat(300_000)],
    ['lines', 'PID: x\r\n'.repeat(37_000)],
    ['frames', `a\n${'#0 f() - [m]\n'.repeat(23_000)}`],
    ['almost frames', `a\n${'#0 f() - [m\n'.repeat(25_000)}`],
    ['digits', `a\n#${'1'.repeat(300_000)}`],
  ])('takes time in proportion to its length: %s', (_, text) => expectProportion(readTelemetrics, text));
});
