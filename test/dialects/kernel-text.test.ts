import { expect, test } from 'bun:test';
import { chooseGuilty } from '../../src/crashes/guilty.ts';
import type { FrameName } from '../../src/crashes/names.ts';
import { matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { framesOf } from '../../src/crashes/reason.ts';
import { kernelOf } from '../../src/dialects/kernel-version.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { starterList } from '../crashes/starter-list.ts';
import { KERNEL_CASES } from './data/kernel-reports.ts';

const lookUp = matcherOf(await starterList());

const named = ({ function: name, module }: FrameName) => (module === 'kernel' ? name : `${name} [${module}]`);

for (const { name, text, reason, frames, guilty, kernel, tainted } of KERNEL_CASES) {
  test(name, () => {
    const crash = readCrash(text);
    expect(crash.reason).toBe(reason);
    expect(crash.frames.map(named)).toEqual(frames);
    const verdict = chooseGuilty(framesOf(crash), lookUp);
    expect(verdict.guilty && named(verdict.guilty)).toBe(guilty);
    if (kernel !== undefined) expect(kernelOf(text)).toMatchObject({ kernel, ...(tainted && { tainted }) });
  });
}
