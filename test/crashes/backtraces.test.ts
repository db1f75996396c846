import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createDemangler, type Demangler } from '../../src/crashes/demangle.ts';
import { type Frame, parseCrash, shownFunction } from '../../src/crashes/frames.ts';
import { chooseGuilty } from '../../src/crashes/guilty.ts';
import { type FrameName, listOf } from '../../src/crashes/never-guilty-list.ts';
import { starterList } from './starter-list.ts';

const STARTER_LIST = await starterList();

import { CASES } from './data/backtraces.ts';

const RULES = {
  known: 'first known frame',
  remembered: 'remembered unknown frame',
  last: 'last never-guilty frame',
  none: 'no frames',
} as const;

let demangler: Demangler;
beforeAll(() => {
  demangler = createDemangler();
});
afterAll(() => demangler.close());

for (const { name, payload, list = [], guilty, rule, steps, frames, says = {} } of CASES) {
  test(name, async () => {
    const crash = parseCrash(payload);
    const verdict = chooseGuilty(await shown(crash.frames), listOf([...STARTER_LIST, ...list.map(toEntry)]).has);
    expect(verdict.guilty && `${verdict.guilty.function} - [${verdict.guilty.module}]`).toBe(guilty);
    expect(verdict.rule).toBe(RULES[rule]);
    expect(verdict.steps.map(step => LETTERS[step.outcome]).join('')).toBe(steps);
    expect(verdict.steps.map(step => step.frame)).toEqual([...steps].map((_, index) => index));
    expect(crash.frames).toHaveLength(frames ?? steps.length);
    expect(crash).toMatchObject(says);
  });
}

test('there are at least 60 of them, each named once', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThanOrEqual(60);
});

const LETTERS = { 'never-guilty': 'n', unknown: 'u', unreliable: 'r', chosen: 'c' };

async function shown(frames: Frame[]) {
  const names = await demangler.demangle(frames.map(frame => frame.mangled ?? ''));
  return frames.map((frame, index) => ({ ...frame, function: shownFunction(frame, names[index]!.demangled) }));
}

function toEntry(frame: string): FrameName {
  const at = frame.lastIndexOf(' - [');
  return { function: frame.slice(0, at), module: frame.slice(at + 4, -1) };
}
