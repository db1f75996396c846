import { describe, expect, test } from 'bun:test';
import { stackHashOf } from '../../src/crashes/payload-hash.ts';
import { MAX_FRAMES } from '../../src/dialects/frame.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';
import { parseCrashHeading } from '../../src/parsers/built-in/crash.ts';
import { asSatyrPrints, CORE, JAVA, KERNELOOPS, PYTHON, RUBY, type Ureport } from './data/ureports.ts';

const framesOf = (report: Ureport) =>
  readCrash(JSON.stringify(report)).frames.map(
    ({ number, function: name, module, offset, source }) => `${number} ${name} [${module}] ${offset ?? source ?? '-'}`,
  );

const withProblem = (report: Ureport, changes: object) => ({ ...report, problem: { ...report.problem, ...changes } });

describe('the frames of', () => {
  test.each<[string, Ureport, string[]]>([
    [
      'core: the thread that crashed, a library by its file and the program by its path',
      CORE,
      [
        '0 raise() [libc.so.6] 0x35c59',
        '1 ??? [libsteam.so.0.9.1] 0x1000',
        '2 _ZN6Kettle4boilEv() [/usr/bin/kettle] 0x1e61',
        '3 main() [/usr/bin/kettle] 0x22b8',
      ],
    ],
    [
      'core, where no thread is said to have crashed',
      withProblem(CORE, { stacktrace: CORE.problem.stacktrace.slice(0, 1) }),
      ['0 poll() [libc.so.6] 0x5'],
    ],
    [
      'kerneloops: where it happened, then what is certain',
      KERNELOOPS,
      [
        '0 pot_fill [teapot] 0x89',
        '1 pot_pour [teapot] 0xac',
        '2 kthread [kernel] 0xc0',
        '3 ret_from_fork [kernel] 0x7c',
      ],
    ],
    [
      'kerneloops without the text: what ABRT has read of it',
      withProblem(KERNELOOPS, { raw_oops: undefined }),
      ['0 pot_pour [teapot] -', '1 ? pot_lid [teapot] -', '2 kthread [kernel] -'],
    ],
    [
      'python',
      PYTHON,
      [
        '0 raw_decode() [/usr/lib64/python3.14/json/decoder.py] decoder.py:355',
        '1 steep() [/usr/lib/python3.14/site-packages/brew/leaf.py] leaf.py:41',
        '2 <module> [/usr/bin/brew] brew:7',
      ],
    ],
    [
      'python in no file',
      withProblem(PYTHON, { stacktrace: [{ special_file: 'string', file_line: 1, special_function: 'lambda' }] }),
      ['0 <lambda> [<string>] <string>:1'],
    ],
    [
      'java: the exception that caused the others, without what each process names otherwise',
      JAVA,
      [
        '0 java.util.ArrayList.get() [ArrayList.java] ArrayList.java:427',
        '1 org.example.tea.Pot.lambda$fill$0() [Pot.java] Pot.java:12',
        '2 org.example.tea.Pot$$Lambda#.run() [] -',
      ],
    ],
    [
      'ruby',
      RUBY,
      [
        '0 connect() [/usr/share/ruby/net/http.rb] http.rb:987',
        '1 warm?() [/usr/share/gems/gems/tea-1.2.3/lib/tea.rb] tea.rb:13',
        '2 <main> [/usr/bin/tea] tea:3',
      ],
    ],
    ['a type that is not known', withProblem(CORE, { type: 'javascript' }), []],
    ['a problem that is none', { ...CORE, problem: 'core' }, []],
    ['a core without a stack', withProblem(CORE, { stacktrace: null }), []],
    [
      'a core of values that are none',
      withProblem(CORE, { stacktrace: [{ frames: [1, null, {}, { function_name: 5, build_id_offset: -1 }] }] }),
      Array.from({ length: 4 }, (_, n) => `${n} ??? [] -`),
    ],
    [
      'java of values that are none',
      withProblem(JAVA, { threads: [null, { frames: 'x' }, { frames: [7] }] }),
      ['0 ??? [] -'],
    ],
    ['python of values that are none', withProblem(PYTHON, { stacktrace: { 0: {} } }), []],
  ])('%s', (_, report, frames) => expect(framesOf(report)).toEqual(frames));

  test('as many as are kept', () => {
    const stacktrace = [{ crash_thread: true, frames: Array.from({ length: 300 }, () => ({ function_name: 'f' })) }];
    const crash = readCrash(JSON.stringify(withProblem(CORE, { stacktrace })));
    expect(crash.frames).toHaveLength(MAX_FRAMES);
    expect(crash.truncated).toBe(true);
  });
});

test('program, signal and reason', () => {
  expect(readCrash(asSatyrPrints(CORE))).toMatchObject({
    program: '/usr/bin/kettle',
    signal: 11,
    reason: null,
    pid: null,
  });
  expect(readCrash(JSON.stringify(withProblem(CORE, { signal: 'x' }))).signal).toBe(null);
  expect(readCrash(asSatyrPrints(KERNELOOPS)).reason).toStartWith('WARNING: CPU: 3 PID: 528 at drivers/tea/pot.c:795');
});

test('a stack is the same one, whoever reports it', () => {
  const message = `Process 7 (kettle) of user 1000 dumped core.

Stack trace of thread 7:
#0  0x00007f8df8f4986b raise (libc.so.6 + 0x1)
#1  0x00007f8df8f4986b n/a (libsteam.so.0.9.1 + 0x2)
#2  0x00007f8df8f4986b _ZN6Kettle4boilEv (/usr/bin/kettle + 0x3)
#3  0x00007f8df8f4986b main (/usr/bin/kettle + 0x4)`;
  const ours = JSON.stringify({ MESSAGE: message, COREDUMP_EXE: '/usr/bin/kettle' });
  expect(stackHashOf(asSatyrPrints(CORE))).toBe(stackHashOf(ours));
  expect(stackHashOf(asSatyrPrints(KERNELOOPS))).toBe(stackHashOf(KERNELOOPS.problem.raw_oops));
});

describe('no part of a stack is', () => {
  const moved = (report: Ureport, from: string, to: string) =>
    JSON.parse(JSON.stringify(report).replaceAll(from, () => to));
  test.each<[string, Ureport, Ureport]>([
    ['an address or a build id', CORE, moved(moved(CORE, '"address":3', '"address":9'), '"aa"', '"bb"')],
    ['an offset', CORE, moved(CORE, '7777', '7778')],
    ['the version of Python', PYTHON, moved(PYTHON, 'python3.14', 'python3.15')],
    ['the version of a gem', RUBY, moved(RUBY, 'tea-1.2.3', 'tea-1.3.0')],
    [
      'a class that was made at run time',
      JAVA,
      moved(JAVA, '$$Lambda$31/0x00007f1c2c0a1248', '$$Lambda$7/0x00007f1c2c0b0000'),
    ],
    ['packages', CORE, { ...CORE, packages: [] }],
  ])('%s', (_, one, other) => {
    expect(one).not.toEqual(other);
    expect(stackHashOf(JSON.stringify(one))).toBe(stackHashOf(JSON.stringify(other)));
  });
});

describe('what parsers find in', () => {
  test.each<[string, Ureport, ReturnType<typeof parseCrashHeading>]>([
    [
      'core',
      CORE,
      {
        program: '/usr/bin/kettle',
        signal: 11,
        reason: 'kettle killed by SIGSEGV',
        component: 'kettle',
        package: 'kettle',
        package_version: '2:4.1-3.fc44',
        package_names: ['kettle', 'libsteam'],
        packages: ['kettle-2:4.1-3.fc44', 'libsteam-0.9-1.fc44'],
      },
    ],
    [
      'python',
      PYTHON,
      {
        reason: PYTHON.reason,
        component: 'brew',
        exception: 'TypeError',
        package: 'brew',
        package_version: '2:4.1-3.fc44',
        package_names: ['brew'],
        packages: ['brew-2:4.1-3.fc44'],
      },
    ],
    [
      'java without packages',
      { ...JAVA, packages: [] },
      { reason: JAVA.reason, component: 'teahouse', exception: 'java.lang.IllegalStateException' },
    ],
  ])('%s', (_, report, found) => expect(parseCrashHeading(asSatyrPrints(report))).toEqual(found));
});
