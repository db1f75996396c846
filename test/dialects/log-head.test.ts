import { describe, expect, test } from 'bun:test';
import { kernelOf } from '../../src/dialects/kernel-version.ts';
import { readCrash } from '../../src/dialects/read-crash.ts';

const LINES = [
  'BUG: kernel NULL pointer dereference, address: 0000000000000010',
  'Oops: 0000 [#1] PREEMPT SMP NOPTI',
  'CPU: 3 PID: 4711 Comm: mount Tainted: G        W  OE      6.1.0-13-amd64 #1',
  'RIP: 0010:demo_read+0x1a/0x40 [demo]',
  'Call Trace:',
  ' <TASK>',
  ' ? demo_old+0x1/0x2',
  ' demo_caller+0xa/0x100',
  ' do_syscall_64+0x3d/0x90',
  ' </TASK>',
  '---[ end trace 0000 ]---',
];
const functions = (text: string) => readCrash(text).frames.map(frame => frame.function);

type Head = (line: string, number: number) => string;
test.each<[string, Head]>([
  ['nothing', line => line],
  ['a time', (line, n) => `[ 1234.${100000 + n}] ${line}`],
  ['a time and a task', (line, n) => `[ 1234.${100000 + n}][ T123] ${line}`],
  ['a time and a processor', (line, n) => `[ 1234.${100000 + n}] [    C1] ${line}`],
  ['a level', (line, n) => `<4>[ 1234.${100000 + n}] ${line}`],
  ['dmesg -T', line => `[Mon Nov 30 21:00:00 2026] ${line}`],
  ['dmesg -x', (line, n) => `kern  :warn  : [ 1234.${100000 + n}] ${line}`],
  ['dmesg -d', (line, n) => `[ 1234.${100000 + n} <    0.000001>] ${line}`],
  ['dmesg --time-format iso', line => `2026-11-30T21:00:00,123456+00:00 ${line}`],
  ['dmesg --time-format delta', line => `[<    0.000001>] ${line}`],
  ['dmesg --time-format reltime', (line, n) => `${n === 0 ? '[Nov30 21:00]' : '[  +0.000012]'} ${line}`],
  ['dmesg --time-format ctime+delta', line => `[Mon Nov 30 21:00:00 2026 <    0.000001>] ${line}`],
  ['dmesg -L', (line, n) => `\x1b[32m[ 1234.${100000 + n}] \x1b[0m\x1b[31m\x1b[1m${line}\x1b[0m`],
  ['dmesg -L through rsyslog', line => `#033[32m[ 1234.1] #033[0m${line}#033[0m`],
  ['syslog', line => `Nov 30 21:00:00 host kernel: ${line}`],
  ['syslog and a time', (line, n) => `Nov  3 21:00:00 host kernel: [ 1234.${100000 + n}] ${line}`],
  ['syslogd to terminals', (line, n) => `kernel:[ 1234.${100000 + n}] ${line}`],
  ['syslog in German', line => `Mär 03 21:00:00 host kernel: ${line}`],
  ['syslog in French', line => ` 3 févr. 21:00:00 host kernel: ${line}`],
  ['syslog, RFC 5424', line => `2026-11-30T21:00:00.123456+00:00 host kernel: ${line}`],
  ['logread', (line, n) => `Mon Nov 30 21:00:00 2026 kern.alert kernel: [ 1234.${100000 + n}] ${line}`],
  ['journalctl -o short-iso', line => `2026-11-30T21:00:00+0000 host kernel: ${line}`],
  ['journalctl -o short-full', line => `Mon 2026-11-30 21:00:00 UTC host kernel: ${line}`],
  ['journalctl -o short-unix', line => `1796072400.123456 host kernel: ${line}`],
  ['journalctl -o short-monotonic', (line, n) => `[ 1234.${100000 + n}] host kernel: ${line}`],
  ['journalctl -o short-delta', (line, n) => `[ 1234.${100000 + n} <    0.000001 >] host kernel: ${line}`],
  ['journalctl -o with-unit', line => `Mon 2026-11-30 21:00:00 CET host kernel: ${line}`],
  ['/dev/kmsg', (line, n) => `4,${n},1234${n},-;${line}`],
  ['netconsole', (line, n) => `6.4.0,4,${n},1234${n},-,ncfrag=0/33;${line}`],
  ['netconsole with callers', (line, n) => `4,${n},1234${n},-,caller=T123;${line}`],
  ['a console that is logged', line => `[2026-11-30T21:00:00.123Z] ${line}`],
  ['Android', (line, n) => `[ 1234.${100000 + n}]  [3:  mount: 4711] ${line}`],
  ['logcat', line => `11-30 21:00:00.000     0     0 W kernel  : ${line}`],
  ['MediaTek', (line, n) => `[ 1234.${100000 + n}] (3)[4711:mount]${line}`],
  ['HiSilicon', (line, n) => `[ 1234.${100000 + n}] [pid:4711,cpu3,mount]${line}`],
  ['mails', line => `>> > ${line}`],
  ['carriage returns', line => `${line}\r\r`],
  ['NULs at ends', line => `${line}\0`],
  ['blanks', line => `\t    ${line}`],
  ['something of its own', (line, n) => `console-7 10.0.0.1 | ${20 + n}:01 | ${line}`],
  ['something of its own before a time', (line, n) => `vm${n} # [ ${9 + n}.100000] ${line}`],
])('a report is read behind %s', (_, head) => {
  const text = LINES.map(head).join('\n');
  expect(readCrash(text).reason).toBe(LINES[0]!);
  expect(functions(text)).toEqual(['demo_read', 'demo_caller', 'do_syscall_64']);
  if (!_.startsWith('something')) expect(kernelOf(text)).toEqual({ kernel: '6.1.0-13-amd64', tainted: 'G W OE' });
});

describe('where several write at once', () => {
  const OTHER = [
    'WARNING: CPU: 2 PID: 2 at x.c:1 other+0x1/0x2',
    'RIP: 0010:other+0x1/0x2',
    'Call Trace:',
    ' other_1+0x1/0x2',
  ];
  const interleaved = (caller: string, other: string, head: (caller: string) => string) =>
    LINES.flatMap((line, n) => [`${head(caller)}${line}`, ...(OTHER[n] ? [`${head(other)}${OTHER[n]}`] : [])]).join(
      '\n',
    );
  test.each([
    ['C1', 'C2', (caller: string) => `[ 1.000001][   ${caller}] `],
    ['T4711', 'C1', (caller: string) => `[ 1.000001][${caller}] `],
    ['T1', 'T12', (caller: string) => `4,1,1000001,-,caller=${caller};`],
  ])('the report of %s is read, and not that of %s', (caller, other, head) => {
    expect(functions(interleaved(caller, other, head))).toEqual(['demo_read', 'demo_caller', 'do_syscall_64']);
    expect(functions(interleaved(other, caller, head))[0]).toBe('demo_read');
  });

  test('a processor that was asked for its trace gives it', () => {
    const text = [
      '[ 1.0][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
      '[ 1.1][    C0] Sending NMI from CPU 0 to CPUs 1:',
      '[ 1.2][    C1] NMI backtrace for cpu 1',
      '[ 1.2][    C1] RIP: 0010:demo_spin+0x1/0x2',
      '[ 1.3][ T77] demo: something else',
      '[ 1.2][    C1] Call Trace:',
      '[ 1.2][    C1]  demo_loop+0x1/0x2',
    ].join('\n');
    expect(functions(text)).toEqual(['demo_spin', 'demo_loop']);
  });
});

describe('which kernel it was', () => {
  test.each([
    ['CPU: 0 PID: 1 Comm: x Tainted: G        --------- -  - 5.19.0 #1', '5.19.0', 'G'],
    [
      'CPU: 0 PID: 1 Comm: x Tainted: G        W        --------- -  - 4.18.0-80.el8.x86_64 #1',
      '4.18.0-80.el8.x86_64',
      'G W',
    ],
    ['CPU: 0 PID: 1 Comm: x Tainted: G          I      --------- -t - 4.18.0-193.el8 #1', '4.18.0-193.el8', 'G I t'],
    [
      'CPU: 0 PID: 1 Comm: x Kdump: loaded Not tainted ------------  3.10.0-957.el7 #1',
      '3.10.0-957.el7',
      'Not tainted',
    ],
    ['CPU: 0 PID: 1 Comm: x Tainted: G           OE  ------------ T 3.10.0-957.el7 #1', '3.10.0-957.el7', 'G OE T'],
    ['CPU: 0 PID: 1 Comm: x Tainted: G           OE     -------  ---  6.5.0-0.rc1.el10 #1', '6.5.0-0.rc1.el10', 'G OE'],
    ['Pid: 1, comm: x Tainted: G        W  2.6.32-71.el6.x86_64 #1', '2.6.32-71.el6.x86_64', 'G W'],
    ['CPU: 0    Not tainted  (2.6.35.3 #1)', '2.6.35.3', 'Not tainted'],
    ['      Tainted: P           OE     5.15.0-91-generic #101-Ubuntu', '5.15.0-91-generic', 'P OE'],
    ['CPU: 0 PID: 1 Comm: Tainted: G 9.9.9 Not tainted 5.4.0-1 #1', '5.4.0-1', 'Not tainted'],
    [
      'INFO: task Tainted: G 9.9:77 blocked for more than 120 seconds.\n      Not tainted 5.4.0-1 #1',
      '5.4.0-1',
      'Not tainted',
    ],
    ['CPU: 0 PID: 1 Comm: x Tainted: G        W          6.12.0-rc1 #1\nTainted: [W]=WARN', '6.12.0-rc1', 'G W'],
  ])('%s', (text, kernel, tainted) => {
    expect(kernelOf(text)).toEqual({ kernel, tainted });
  });
});

test.each([
  ['Reason: made up'],
  ['#0 made_up() - [libc.so.6]'],
  ['Process: /usr/bin/made-up\nPID: 1\nSignal: 11\nReason: x\n#0 made_up - [demo]'],
])('a report of the kernel stays one, whatever is written into it: %s', line => {
  for (const text of [`${line}\n${LINES.join('\n')}`, `${LINES.join('\n')}\n${line}`]) {
    expect(readCrash(text).reason).toBe(LINES[0]!);
    expect(functions(text)).toEqual(['demo_read', 'demo_caller', 'do_syscall_64']);
  }
});
