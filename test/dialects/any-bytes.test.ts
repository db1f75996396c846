import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { framesOf } from '../../src/crashes/reason.ts';
import { modulesOf, packageOf } from '../../src/dialects/coredump-modules.ts';
import { MAX_FRAMES } from '../../src/dialects/frame.ts';
import { readJournalEntry } from '../../src/dialects/journal-entry.ts';
import { kernelOf } from '../../src/dialects/kernel-version.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { parseCrashHeading } from '../../src/parsers/built-in/crash.ts';
import { withoutPrivateFields } from '../../src/privacy/journal-fields.ts';
import { processorMs } from '../time.ts';
import { COREDUMP_CASES } from './data/coredumps.ts';
import { KERNEL_CASES } from './data/kernel-reports.ts';
import { asSatyrPrints, UREPORTS } from './data/ureports.ts';
import { expectProportion } from './proportion.ts';

/** All that is done with the payload of a crash. */
function readAll(payload: string) {
  const crash = readCrash(withoutPrivateFields(payload) ?? payload);
  const entry = readJournalEntry(payload);
  if (entry) [modulesOf(entry), packageOf(entry)];
  kernelOf(payload);
  parseCrashHeading(payload);
  return crash;
}

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      '#1  0x00007f ',
      ' (',
      ')',
      ' + 0x1',
      'n/a',
      'Stack trace of thread 1:',
      'Module ',
      ' from deb ',
      ', build-id=',
    ],
    ...['{"ureport_version":2,"problem":{"type":"core","stacktrace":[', '"threads":[{"frames":['],
    ...['{"MESSAGE":"', '"', '\\n', '\\', '":[', '}', ',', 'null', '"COREDUMP_ENVIRON":', '"_HOSTNAME" : '],
    ...[
      'BUG: ',
      'Call Trace:',
      'RIP: 0010:',
      ' demo+0x1/0x2',
      ' [demo]',
      '? ',
      '[<ffffffff81000000>] ',
      '<4>',
      '[    1.0] ',
    ],
    ...[
      'pc : ',
      'NIP [c000000000000000] ',
      'Krnl PSW : ',
      '--- interrupt: 900 at ',
      ' from ',
      '0x0',
      '\n',
      '\r\n',
      '<TASK>',
    ],
  ),
  fc.string({ unit: 'binary' }),
);
const anything = fc.oneof(
  fc.array(piece, { maxLength: 60 }).map(pieces => pieces.join('')),
  fc.uint8Array({ maxLength: 500 }).map(bytes => new TextDecoder().decode(bytes)),
  fc.json().map(json => json.replace(/"/, '"MESSAGE":"",')),
  fc.array(piece, { maxLength: 60 }).map(pieces => JSON.stringify({ MESSAGE: pieces.join('') })),
);
/** A real one with something within it that does not belong there. */
const broken = fc
  .tuple(
    fc.constantFrom(
      ...KERNEL_CASES.map(({ text }) => text),
      ...COREDUMP_CASES.map(({ entry }) => JSON.stringify(entry)),
      ...Object.values(UREPORTS).map(asSatyrPrints),
    ),
    fc.double({ min: 0, max: 1, noNaN: true }),
    piece,
  )
  .map(([text, where, what]) => text.slice(0, where * text.length) + what + text.slice(where * text.length));

test.each([
  ['anything', anything],
  ['a broken report', broken],
])('%s is read without throwing', (_, payload) => {
  fc.assert(
    fc.property(payload, text => {
      const crash = readAll(text);
      expect(crash.frames.length).toBeLessThanOrEqual(MAX_FRAMES);
      for (const frame of framesOf(crash)) {
        expect(frame.function).not.toBe('');
        expect(frame.function).not.toMatch(/\n|\+0x[0-9a-f]+\/0x/);
      }
    }),
    { numRuns: 3_000 },
  );
});

describe('time is in proportion to length:', () => {
  test.each([
    ['one long line', 'x'.repeat(300_000)],
    ['a long function', `BUG: x\nCall Trace:\n ${'f'.repeat(300_000)}+0x1/0x2`],
    ['places', `BUG: x\n${' f+0x1/0x2'.repeat(30_000)}`],
    ['lines of places', `BUG: x\nCall Trace:\n${' f+0x1/0x2 g\n'.repeat(23_000)}`],
    ['almost places', 'f+0x1/\n'.repeat(43_000)],
    ['prefixes', '<4>[    1.0] '.repeat(23_000)],
    ['heads of syslog', `${'Jan  1 00:00:00 host '.repeat(15_000)}kernel: `],
    ['heads of journalctl', '[    1.0] Mon 2026-11-30 21:00:00 UTC host kernel: '.repeat(6_000)],
    ['words before a head', `${'a '.repeat(150_000)}kernel:`],
    ['quotes of mails', '>'.repeat(300_000)],
    ['colours', '\x1b[31m'.repeat(60_000)],
    ['colours that never end', '\x1b[1;1;1;1;'.repeat(30_000)],
    ['a head of its own', `BUG: x\n${'host-7 10.0.0.1 | Call Trace:\n'.repeat(10_000)}`],
    ['heads of its own', `${'1 2 3 4 5 6 7 8 9 '.repeat(10)}Call Trace:\n${'1 '.repeat(150_000)}`],
    ['callers', `[ 1.0][ C1] BUG: x\n${'[ 1.0][ C2]  f+0x1/0x2\n'.repeat(13_000)}`],
    ['taints of processes', 'Comm: Tainted: G '.repeat(18_000)],
    ['lines of taints', 'Comm: Tainted: G \n'.repeat(17_000)],
    ['addresses', '[<ffffffff81000000>] '.repeat(15_000)],
    ['blanks', `Tainted: G${' '.repeat(300_000)}`],
    ['taints', 'Tainted: G W '.repeat(23_000)],
    ['newlines', '\n'.repeat(300_000)],
    ['private fields', `{"MESSAGE":"",${'"_HOSTNAME":"x",'.repeat(19_000)}`],
    ['private fields that open', `{"MESSAGE":"",${'"_HOSTNAME":['.repeat(23_000)}`],
    ['private fields that close', `{"MESSAGE":"",${'"_HOSTNAME":]'.repeat(23_000)}`],
    ['names that may be private', `{"MESSAGE":"","${'PROC_'.repeat(60_000)}`],
    ['quotes', `{"MESSAGE":${'"'.repeat(300_000)}`],
    ['backslashes', `{"MESSAGE":"","_CMDLINE":"${'\\'.repeat(300_000)}`],
    ['blanks before a colon', `{"MESSAGE":"","A"${' '.repeat(300_000)}`],
    ['blanks before fields', `{"MESSAGE":"",${`${' '.repeat(30)},"_CWD":1`.repeat(7_500)}`],
    [
      'frames of a µReport',
      `{"ureport_version":2,"problem":{"type":"core","stacktrace":[{"frames":[${'{},'.repeat(100_000)}`,
    ],
    ['nesting in a µReport', `{"ureport_version":2,"problem":${'['.repeat(300_000)}`],
    ['names in quotes', `_PID=1 ${'"A '.repeat(100_000)}`],
    ['names in strings', `{"MESSAGE":"","_CWD":"${'\\\\"_CWD\\\\":'.repeat(25_000)}`],
    ['strings in strings', `{"MESSAGE":"","log":"${'\\"_CWD\\":\\"x\\",'.repeat(17_000)}`],
    ['blanks in strings', `{"MESSAGE":"","log":"${`${'\\n'.repeat(30)}\\"_CWD\\":1`.repeat(4_000)}`],
    ['escaped names', `{"MESSAGE":"","${'\\u0041'.repeat(50_000)}`],
    ['lines of fields', '_CWD=x\n'.repeat(43_000)],
    ['lines that go on', `_CWD=x\n${' x\n'.repeat(100_000)}`],
    ['fields as bytes', '_CWD\n\x01\0\0\0\0\0\0\0x\n'.repeat(20_000)],
    ['fields as too many bytes', '_CWD\n\xff\xff\xff\xff\0\0\0\0x\n'.repeat(20_000)],
    ['fields within a line', 'x COREDUMP_CWD=1'.repeat(19_000)],
    ['fields within strings', `{"MESSAGE":"${'\\nCOREDUMP_CWD=1'.repeat(18_000)}`],
    ['labels', `  PID: 7 (x)\n${'UID: 7\n'.repeat(43_000)}`],
    ['UTF-16', '{\0"\0'.repeat(75_000)],
    ['nesting', `{"MESSAGE":${'['.repeat(300_000)}`],
    ['nesting that ends', `{"MESSAGE":${'['.repeat(150_000)}${']'.repeat(150_000)}}`],
  ])('%s', (_, text) => expectProportion(readAll, text, 1_000));

  const IN_MESSAGE: [string, string][] = [
    ['frames of a coredump', '#0  0x00007f f (m + 0x1)\n'.repeat(12_000)],
    ['parentheses that open', `#0  0x00007f ${' ('.repeat(150_000)})`],
    ['parentheses that close', `#0  0x00007f f (${')'.repeat(300_000)}`],
    ['offsets', `#0  0x00007f f (m${' + 0x1'.repeat(50_000)})`],
    ['modules', 'Module x from a b, build-id=0\n'.repeat(10_000)],
    ['a long module', `Module ${' from a b'.repeat(33_000)}`],
  ];
  const message = (text: string) => `Stack trace of thread 1:\n${text}`;
  const asText = (text: string) => readAll(JSON.stringify({ MESSAGE: message(text) }));
  const asBytes = (text: string) => readAll(JSON.stringify({ MESSAGE: [...Buffer.from(message(text))] }));
  test.each(IN_MESSAGE)('%s in a message', (_, text) => expectProportion(asText, text, 1_000));
  test.each(IN_MESSAGE.slice(0, 2))('%s in bytes', (_, text) =>
    expectProportion(asBytes, text.slice(0, 100_000), 1_000),
  );
});

test('2,000 records a second and more are read, in each dialect', () => {
  const samples = {
    coredump: JSON.stringify({
      ...COREDUMP_CASES[2]!.entry,
      MESSAGE: `${COREDUMP_CASES[2]!.entry.MESSAGE}\n${'#1  0x00007f4816e30e51 demo_call (libdemo.so.5 + 0x2a30e51)\n'.repeat(60)}`,
    }),
    kernel: KERNEL_CASES[0]!.text + KERNEL_CASES[5]!.text,
  };
  for (const [dialect, payload] of Object.entries(samples)) {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20 && best > 100; round++)
      best = Math.min(
        best,
        processorMs(() => {
          for (let n = 0; n < 200; n++) readCrash(payload);
        }),
      );
    expect(best, `${dialect}: ${Math.round(best)} ms for 200`).toBeLessThan(100);
  }
});
