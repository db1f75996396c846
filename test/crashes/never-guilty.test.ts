import { expect, test } from 'bun:test';
import { isCandidate } from '../../src/crashes/guilty.ts';
import { matcherOf } from '../../src/crashes/never-guilty-matcher.ts';
import { starterList } from './starter-list.ts';

test('function and module must both match', () => {
  const lookUp = matcherOf([
    { function: 'abort()', module: 'libc.so.6', pattern: false },
    { function: 'log()', module: '/usr/lib/liba.so', pattern: false },
  ]);
  const matches = (name: string, module: string) => lookUp(name, module).entry !== undefined;
  expect(matches('abort()', 'libc.so.6')).toBeTrue();
  expect(matches('abort()', '/usr/lib/liba.so')).toBeFalse();
  expect(matches('abort', 'libc.so.6')).toBeFalse();
  expect(matches('constructor', 'constructor')).toBeFalse();
});

test('the starter list names each function once, the way frames show it', async () => {
  const entries = await starterList();
  const keys = entries.map(entry => `${entry.function} - [${entry.module}]`);
  expect(new Set(keys).size).toBe(keys.length);
  const inKernel = new Set(['kernel', 'xfs', 'btrfs', 'spl', 'zfs']);
  for (const { function: name, module, pattern } of entries) {
    if (!pattern) expect(name).toMatch(inKernel.has(module) ? /^\w+$/ : /\(.*\)( const)?$/);
    expect(pattern && !`${name}${module}`.includes('*') ? name : '').toBe('');
    expect(name).not.toStartWith('_Z');
  }
});

test.each([
  ['_start()', '/usr/bin/app', false],
  ['_start', '/usr/bin/app', true],
  ['__libc_start_main()', 'libc.so.6', false],
  ['__libc_start_main()', '/usr/lib64/libc.so.6', false],
  ['__libc_start_main()', '/lib/libc-2.31.so', false],
  ['__libc_start_main@@GLIBC_2.34()', 'libc.so.6', false],
  ['__libc_start_main@GLIBC_2.2.5()', 'libc.so.6', false],
  ['__libc_start_main()', '/usr/bin/app', true],
  ['__libc_start_main()', 'libcups.so.2', true],
  ['__libc_start_call_main()', 'libc.so.6', true],
  ['main()', '/usr/bin/app', true],
  ['???', '/usr/bin/app', true],
  ['dump_stack', 'kernel', true],
])('%s in %s may be ticked: %s', (name, module, expected) => {
  expect(isCandidate({ function: name, module })).toBe(expected);
});
