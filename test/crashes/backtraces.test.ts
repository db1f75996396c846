import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createDemangler, type Demangler } from '../../src/crashes/demangle/demangle.ts';
import { chooseGuilty } from '../../src/crashes/guilty.ts';
import { type ListEntry, matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { framesOf } from '../../src/crashes/reason.ts';
import { type Frame, shownFunction } from '../../src/dialects/frame.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { starterList } from './starter-list.ts';

const STARTER_LIST = await starterList();
const STARTER = matcherOf(STARTER_LIST);

import { CASES } from './data/backtraces.ts';
import { FIELD_CASES } from './data/field.ts';

const RULES = {
  known: 'first known frame',
  remembered: 'remembered unknown frame',
  last: 'last never-guilty frame',
  reason: 'made from the reason',
  none: 'no frames',
} as const;

let demangler: Demangler;
beforeAll(() => {
  demangler = createDemangler();
});
afterAll(() => demangler.close());

for (const { name, payload, list = [], guilty, rule, steps, frames, says = {} } of CASES) {
  test(name, async () => {
    const crash = readCrash(payload);
    const found = framesOf(crash);
    const verdict = chooseGuilty(await shown(found), matcherOf([...STARTER_LIST, ...list.map(toEntry)]));
    expect(verdict.guilty && `${verdict.guilty.function} - [${verdict.guilty.module}]`).toBe(guilty);
    expect(verdict.rule).toBe(RULES[rule]);
    expect(verdict.steps.map(step => LETTERS[step.outcome]).join('')).toBe(steps);
    expect(verdict.steps.map(step => step.frame)).toEqual([...steps].map((_, index) => index));
    expect(found).toHaveLength(frames ?? steps.length);
    expect(crash).toMatchObject(says);
  });
}

for (const { name, kernel, frames, guilty, steps } of FIELD_CASES) {
  test(`${kernel ? 'kernel' : 'user space'}: ${name}`, async () => {
    const lines = frames.map(
      (frame, n) => `#${n + Number(kernel)} ${withModule(frame, kernel ? 'kernel' : '/usr/bin/app')}`,
    );
    const found = framesOf(readCrash(['A report', ...lines, ''].join('\n')));
    const verdict = chooseGuilty(await shown(found), STARTER);
    expect(`${verdict.guilty!.function} - [${verdict.guilty!.module}]`).toBe(guilty);
    if (steps !== undefined) expect(verdict.steps.map(step => LETTERS[step.outcome]).join('')).toBe(steps);
  });
}

function withModule(frame: string, module: string) {
  return frame.includes(' - ') ? frame : `${frame} - [${module}]`;
}

test('there are at least 60 of them, each named once', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThanOrEqual(60);
});

const LETTERS = { 'never-guilty': 'n', unknown: 'u', unreliable: 'r', 'no name': '-', handler: 'h', chosen: 'c' };

async function shown(frames: Frame[]) {
  const names = await demangler.demangle(frames.map(frame => frame.mangled ?? ''));
  return frames.map((frame, index) => ({ ...frame, function: shownFunction(frame, names[index]!.demangled) }));
}

function toEntry(frame: string): ListEntry {
  const at = frame.lastIndexOf(' - [');
  return { function: frame.slice(0, at), module: frame.slice(at + 4, -1), pattern: false };
}
