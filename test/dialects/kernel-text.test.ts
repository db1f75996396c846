import { expect, test } from 'bun:test';
import { chooseGuilty } from '../../src/crashes/guilty.ts';
import type { FrameName } from '../../src/crashes/names.ts';
import { matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { framesOf } from '../../src/crashes/reason.ts';
import { readKernelText } from '../../src/dialects/kernel-text.ts';
import { kernelOf } from '../../src/dialects/kernel-version.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { starterList } from '../crashes/starter-list.ts';
import { KERNEL_CASES } from './data/kernel-reports.ts';

const lookUp = matcherOf(await starterList());

const named = ({ function: name, module }: FrameName) => (module === 'kernel' ? name : `${name} [${module}]`);

test.each([
  ['Tainted: G        W  OE    --------- -  - 4.18.0-80.el8.x86_64 #1', 'G W OE', '4.18.0-80.el8.x86_64'],
  ['Tainted: G    B      ------------ T 3.10.0-957.el7.x86_64 #1', 'G B T', '3.10.0-957.el7.x86_64'],
  ['Tainted: G           --------- -t - 4.18.0 #1', 'G t', '4.18.0'],
  ['Tainted: P           -------  ---  5.14.0-70.el9.x86_64 #1', 'P', '5.14.0-70.el9.x86_64'],
  ['Not tainted ------------ 3.10.0 #1', 'Not tainted', '3.10.0'],
])('%s names the flags and the kernel', (text, tainted, kernel) => {
  expect(kernelOf(`CPU: 1 PID: 7 Comm: demo ${text}`)).toEqual({ tainted, kernel });
});

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

test('of two processors that write at once, the lines of the one that began are read', () => {
  const text = `[    1.1][   C1] BUG: soft lockup - CPU#1 stuck for 22s! [a:1]
[    1.1][   C2] BUG: soft lockup - CPU#2 stuck for 22s! [b:2]
[    1.1][   C1] Call Trace:
[    1.1][   C2] Call Trace:
[    1.1][   C1]  a1+0x1/0x2
[    1.1][   C2]  b1+0x1/0x2
[    1.1][   C1]  a2+0x1/0x2
[    1.1][   C2]  b2+0x1/0x2`;
  const { reason, frames } = readKernelText(text);
  expect([reason, ...frames.map(frame => frame.function)]).toEqual([
    'BUG: soft lockup - CPU#1 stuck for 22s! [a:1]',
    'a1',
    'a2',
  ]);
});
