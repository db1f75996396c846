import { describe, expect, test } from 'bun:test';
import { modulesOf, packageOf } from '../../src/dialects/coredump-modules.ts';
import { readJournalEntry } from '../../src/dialects/journal-entry.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { COREDUMP_CASES } from './data/coredumps.ts';

for (const { name, entry, says, frames, package: inPackage, modules } of COREDUMP_CASES) {
  test.each([
    ['as journalctl prints it', JSON.stringify(entry)],
    ['as older ones print it, with blanks', JSON.stringify(entry).replaceAll(/(?<=[^\\]"):(?=["[n])/g, ' : ')],
    ['as journalctl -o json-pretty prints it', `${JSON.stringify(entry, null, '\t')}\n`],
    ['as journalctl -o json-seq prints it', `\x1e${JSON.stringify(entry)}\n`],
  ])(`${name}: %s`, (_, payload) => {
    const crash = readCrash(payload);
    expect(crash).toMatchObject(says);
    expect(crash.frames.map(frame => `${frame.function} [${frame.module}] ${frame.offset ?? '-'}`)).toEqual(frames);
    expect(crash.frames.map(frame => frame.number)).toEqual(frames.map((_frame, n) => n));
    for (const frame of crash.frames) {
      expect(frame.unknown).toBe(frame.function === '???');
      expect(frame.mangled === null ? '???' : `${frame.mangled}()`).toBe(frame.function);
    }
    const read = readJournalEntry(payload)!;
    if (inPackage) expect(packageOf(read)).toEqual(inPackage);
    if (modules) {
      const found = modulesOf(read);
      expect(found.map(found => `${found.module} ${found.buildId ?? '-'} ${found.package ?? '-'}`)).toEqual(modules);
    }
  });
}

test.each([
  ['12', 'crashed'],
  ['11', 'waiting'],
  ['99', 'waiting'],
  [undefined, 'waiting'],
])('the frames are those of the thread that the entry names: %s', (COREDUMP_TID, name) => {
  const MESSAGE = `Process 10 (demo) of user 0 dumped core.

Stack trace of thread 11:
#0  0x01 waiting (demo + 0x1)

Stack trace of thread 12:
#0  0x02 crashed (demo + 0x2)`;
  const { frames, thread } = readCrash(JSON.stringify({ MESSAGE, COREDUMP_TID }));
  expect(frames.map(frame => frame.mangled)).toEqual([name]);
  expect(thread).toBe(name === 'crashed' ? 12 : 11);
});

describe('the package in a message', () => {
  test.each([
    ['deb gcc-13-base-13.2.0-1.amd64', 'gcc-13-base', '13.2.0-1'],
    ['deb base-files-12.4+deb12u5.all', 'base-files', '12.4+deb12u5'],
    ['deb dpkg-1.21.22.arm64', 'dpkg', '1.21.22'],
    ['rpm python3.12-3.12.4-1.fc40.x86_64', 'python3.12', '3.12.4-1.fc40'],
    ['rpm demo', 'demo', null],
    ['package demo-tools', 'demo-tools', null],
    ['pacman demo-2.0-1.any', 'demo', '2.0-1'],
  ])('%s', (written, name, version) => {
    const entry = readJournalEntry(
      JSON.stringify({ MESSAGE: `Module demo from ${written}\n`, COREDUMP_EXE: '/usr/bin/demo' }),
    )!;
    expect(packageOf(entry)).toEqual({ name, version });
  });
});

test('what is no journal entry is read otherwise', () => {
  for (const payload of ['{}', '{"a":1}', '[]', '{"MESSAGE":', 'MESSAGE=x', '"MESSAGE"', '{"message":"x"}'])
    expect(readJournalEntry(payload)).toBeUndefined();
});
