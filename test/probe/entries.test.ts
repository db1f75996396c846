import { beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync } from 'node:fs';
import { crash, type Entry, journalMissing, kernelLines, pstoreFile } from './journal.ts';
import { type Machine, machineMaker, type SentRecord, shells } from './machine.ts';
import { OOPS, REPORTS } from './reports.ts';

const machine = machineMaker();
const AT = 1_790_000_000;

const HARMLESS = `Linux version 6.1.0 (debian-kernel@lists.debian.org) #1 SMP
traps: app[77] general protection fault ip:7f00 sp:7ffd error:0 in libc.so.6[7f00+1000]
app[78]: segfault at 0 ip 000055 sp 00007f error 4
mce: CPU supports 10 MCE banks
EDAC MC: Ver: 3.0.0
CPU0: Thermal monitoring enabled (TM1)
WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed attacks, data leaks possible!
Warning: unable to open an initial console.
rcu: INFO: Stall ended before state dump start
[#1] x[77]: segfault at 0 ip 000055 sp 00007f error 4
BUG: x[77]: segfault at 0 ip 000055 sp 00007f error 4
soft lockup[77]: segfault at 0 ip 000055 sp 00007f error 4
traps: [#1] x[77] trap invalid opcode ip:55 sp:7f error:0
usb 1-1: Product: BUG: soft lockup [#1] critical temperature reached`;

const KEPT = `<6>[   10.100000] usb 1-1: new device
<1>[   42.000001] ${OOPS.split('\n').join('\n<4>[   42.000002] ')}`.split('\n');
const PANIC = `<0>[   43.000000] Kernel panic - not syncing: Fatal exception
<4>[   43.100000] mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000070f0f`;
/** The firmware keeps the end of the log in pieces, and all of it again when a panic follows. */
const PIECES = [
  `Panic#2 Part2\n${KEPT.slice(0, 8).join('\n')}\n`,
  `Oops#1 Part2\n${KEPT.slice(0, 8).join('\n')}\n`,
  `Panic#2 Part1\n${KEPT.slice(8).join('\n')}\n${PANIC}\n`,
  `Oops#1 Part1\n${KEPT.slice(8).join('\n')}\n`,
];

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, n) => n);
const LONG = `${'#0  0x00007f main (app + 0x1)\n'.repeat(2_200)}end "quoted" \\ back`;
const TEXTS: [string | Uint8Array, string][] = [
  ['two\nlines\n\n', 'two\nlines\n\n'],
  ['tab\t"quote" \\back\\n \\" } {"MESSAGE":"no"', 'tab\t"quote" \\back\\n \\" } {"MESSAGE":"no"'],
  ['é € 🐧 \u{10ffff}', 'é € 🐧 \u{10ffff}'],
  ['\u001b[1mbold\u001b[0m é', '\u001b[1mbold\u001b[0m é'],
  ['NUL\0 here', 'NUL\0 here'],
  [Uint8Array.from([0xe9, 0x20, 0xc3, 0xa9]), 'é Ã©'],
  [ALL_BYTES, String.fromCharCode(...ALL_BYTES)],
  [LONG, LONG],
  ['/home/alice/bin/app and "/home/bob" /home/x', '/home/[user]/.../app and "/home/[user]" /home/[user]'],
  ['/home/CORP/alice/bin/tool (deleted)', '/home/[user]/.../tool (deleted)'],
  ['"/home/Alice Smith/lib/x.so"\n/var/home/alice', '"/home/[user]/.../x.so"\n/var/home/[user]'],
  ['(/run/media/alice/USB/libz.so + 0x1)\n/media/carol/x', '(/run/media/[user]/.../libz.so + 0x1)\n/media/[user]/x'],
  ['/media/carol/a/b /Users/alice/c /run/user/1000', '/media/[user]/.../[user]'],
  ['Process 7 (app) of user 10001 dumped', 'Process 7 (app) of user [user] dumped'],
  ['at drivers/media/usb/uvc.c:7 /homework/x', 'at drivers/media/usb/uvc.c:7 /homework/x'],
];

/** Names of units as they are, and as they are sent. */
const UNITS: [string, string][] = [
  ['user@1000.service', 'user@.service'],
  ['openvpn-client@alice.smith.service', 'openvpn-client@.service'],
  ['home-alice.mount', 'home-[name].mount'],
  ['run-media-alice-USB.mount', 'run-media-[name].mount'],
  ['run-user-1000.mount', 'run-user-[name].mount'],
  ['user-1000.slice', 'user-[user].slice'],
  ['dev-disk-by\\x2duuid-5fb06bd0\\x2d0bb6.swap', 'dev-disk-by\\x2duuid-[name].swap'],
  [`docker-${'ab12'.repeat(16)}.scope`, 'docker-[id].scope'],
  ['machine-alices.scope', 'machine-[name].scope'],
  ['home-assistant.service', 'home-assistant.service'],
  ['boot-efi.mount', 'boot-efi.mount'],
];

/** Twelve seconds apart: one hardware error each. */
const ERRORS: [string, 'corrected' | 'uncorrected'][] = [
  [
    '[Hardware Error]: Corrected error, no action required.\n[Hardware Error]: CPU:12 (17:71:0) MC1_STATUS[Over|CE]: 0xdc20\nEDAC MC0: 1 CE on mc#0csrow#1 (csrow:1)\n[Hardware Error]: cache level: L1',
    'corrected',
  ],
  ['mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 7: 8c00004000010090', 'corrected'],
  ['mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 5: bea0000000000108', 'uncorrected'],
  ['EDAC MC0: 1 CE memory read error on DIMM#0 (channel:1)', 'corrected'],
  ['EDAC MC0: 1 CE memory read error on DIMM#0 (channel:1)', 'corrected'],
  [
    '{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 1\n{1}[Hardware Error]: event severity: corrected\n{1}[Hardware Error]: fru_text: DIMM SN:1234',
    'corrected',
  ],
];

/** Ten thousand seconds apart, so that what a test logs can be told from the rest. */
const at = (n: number) => AT + n * 10_000;

const LOGGED: Entry[] = [
  ...kernelLines(at(0), HARMLESS),
  ...REPORTS.flatMap(({ text }, n) => kernelLines(at(1) + n * 100, text)),
  ...PIECES.map((piece, n) => pstoreFile(at(2) + n / 10, piece)),
  ...TEXTS.map(([MESSAGE], n) => crash(at(3) + n, { MESSAGE })),
  ...TEXTS.map(([text], n) =>
    kernelBytes(at(4) + n * 100, Buffer.concat([Buffer.from('BUG: '), Buffer.from(text as string)])),
  ),
  crash(at(5), {
    COREDUMP_UNIT: 'user@1000.service',
    COREDUMP_EXE: '/home/alice/app',
    COREDUMP_CMDLINE: 'app --password=secret',
    COREDUMP_ENVIRON: 'HOME=/secret',
    COREDUMP_CWD: '/secret',
    COREDUMP_OPEN_FDS: 'secret',
    COREDUMP_PROC_MAPS: 'secret',
    COREDUMP_HOSTNAME: 'secret',
    _HOSTNAME: 'secret',
    _CMDLINE: 'secret',
    COREDUMP_PACKAGE_NAME: 'demo',
  }),
  crash(at(6), { MESSAGE: 'a line of it\n'.repeat(20_000) }),
  crash(at(6) + 1, { MESSAGE: 'x'.repeat(2_000_000) }),
  crash(at(6) + 2, { MESSAGE: 'x'.repeat(200_000) }),
  crash(at(6) + 3),
  crash(at(6) + 4, { MESSAGE: 'word '.repeat(40_000) }),
  ...UNITS.map(([COREDUMP_UNIT], n) => crash(at(7) + n, { COREDUMP_UNIT })),
  ...ERRORS.flatMap(([text], n) => kernelLines(at(8) + 12 * n, text)),
  ...ERRORS.flatMap(([text], n) => kernelLines(at(9) + 0.1 * n, text)),
  // Anybody can write these.
  crash(at(10), { _EXE: '/usr/bin/logger' }),
  crash(at(10) + 1, { _EXE: '/usr/lib/systemd/systemd-coredump' }),
  forged(at(10) + 2),
];

function forged(at: number): Entry {
  const entry = pstoreFile(at, `Oops#1 Part1\n${OOPS}\n`);
  return { ...entry, fields: { ...entry.fields, _UID: '1000' } };
}

function kernelBytes(at: number, MESSAGE: Uint8Array): Entry {
  const [entry] = kernelLines(at, '');
  return { ...entry!, fields: { ...entry!.fields, MESSAGE } };
}

let logged: Machine;
beforeAll(async () => {
  if (journalMissing) return console.error(`The tests of the probe are left out: ${journalMissing}`);
  logged = machine('http://127.0.0.1:9');
  await logged.log(LOGGED);
});

describe.skipIf(journalMissing !== undefined).each(shells.map(shell => [shell.awk, shell] as const))(
  'with awk as %s',
  (_, shell) => {
    let all: SentRecord[];
    beforeAll(async () => {
      all = await logged.preview(shell);
    });
    const records = (n: number) =>
      all.filter(record => Number(record.creation_timestamp) >= at(n) && Number(record.creation_timestamp) < at(n + 1));

    test('reports of the kernel become records, other lines do not', () => {
      const got = records(1).map(({ classification, severity, creation_timestamp, payload }) => [
        classification,
        severity,
        creation_timestamp,
        payload,
      ]);
      expect(got).toEqual(
        REPORTS.map(({ class: kind, severity, text, sent = text }, n) => [
          `telemetricsd/${kind}`,
          severity,
          String(at(1) + n * 100),
          `${sent}\n`,
        ]),
      );
      expect(records(0)).toEqual([]);
    });

    test('a report has the kernel that it names', () => {
      expect(
        records(1)
          .map(record => record.kernel_version)
          .slice(0, 2),
      ).toEqual(['6.1.0-13-amd64', '6.9.3']);
    });

    test('what pstore has kept becomes one record, though it comes in pieces and twice', () => {
      expect(records(2).map(({ classification, payload }) => [classification, payload])).toEqual([
        ['telemetricsd/kernel/panic', `${OOPS}\nKernel panic - not syncing: Fatal exception\n`],
        [
          'telemetricsd/mce/uncorrected',
          'mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000070f0f\n',
        ],
      ]);
    });

    test('any bytes come through, what is not UTF-8 as Latin-1', () => {
      expect(records(3).map(({ payload }) => JSON.parse(payload).MESSAGE)).toEqual(TEXTS.map(([, text]) => text));
      expect(records(4).map(({ payload }) => payload)).toEqual(TEXTS.map(([, text]) => `BUG: ${text}\n`));
    });

    test('of a crash nothing is sent that the list does not name', () => {
      const [record] = records(5);
      expect(JSON.parse(record!.payload)).toEqual({
        MESSAGE_ID: 'fc2e22bc6ee647b6b90729ab34a250b1',
        MESSAGE: expect.stringContaining('Stack trace of thread 7'),
        PRIORITY: '2',
        COREDUMP_UNIT: 'user@.service',
        COREDUMP_EXE: '/home/[user]/app',
        COREDUMP_SIGNAL: '11',
        COREDUMP_PACKAGE_NAME: 'demo',
      });
      expect(JSON.stringify(record)).not.toContain('secret');
    });

    test('a text that is too long is cut at a line, or left out', () => {
      const [cut, ...others] = records(6).map(({ payload }) => JSON.parse(payload).MESSAGE as string | undefined);
      expect(cut).toMatch(/^(a line of it\n)+a line of it$/);
      expect(cut!.length).toBeGreaterThan(100_000);
      // An entry of megabytes is passed over.
      expect(others.slice(0, 2)).toEqual([undefined, expect.stringContaining('main (app')]);
      expect(others[2]).toMatch(/^(word )+word$/);
    });

    test('units are sent without what they are named after', () => {
      expect(records(7).map(({ payload }) => JSON.parse(payload).COREDUMP_UNIT)).toEqual(UNITS.map(([, sent]) => sent));
    });

    test.each([
      ['some seconds apart', 8],
      ['at once', 9],
    ])('hardware errors that come %s are a record each', (_, n) => {
      expect(records(n).map(({ classification, payload }) => [payload.split('\n')[0], classification])).toEqual(
        ERRORS.map(([text, kind]) => [text.split('\n')[0]!, `telemetricsd/mce/${kind}`]),
      );
      expect(records(n).at(-1)!.payload).toContain('DIMM SN:[masked]\n');
    });

    test('what another program has written is no crash and no panic', () => {
      expect(records(10).map(record => record.creation_timestamp)).toEqual([String(at(10) + 1)]);
    });

    test('a journal as systemd 239 writes it out: spaces, control characters, bytes as they are', async () => {
      const old = machine('http://127.0.0.1:9');
      const at = (n: number) =>
        `{ "__CURSOR" : "s=1;i=${n};b=2;m=${n};t=5f${n};x=c0ffee${n}", "__REALTIME_TIMESTAMP" : "179000000${n}000000", "__MONOTONIC_TIMESTAMP" : "${n}", "_BOOT_ID" : "2", "MESSAGE_ID" : "fc2e22bc6ee647b6b90729ab34a250b1"`;
      const lines = [
        `${at(1)}, "PRIORITY" : [ "2", [ 27, 91 ], "x ] }" ], "MESSAGE" : "two\\nlines \\u001b \\"quoted\\" é" }`,
        `${at(2)}, "MESSAGE" : [ 27, 91, 49, 109, 195, 169 ], "COREDUMP_EXE" : "/home/alice/app" }`,
        `${at(3)}, "MESSAGE" : "caf\xe9 \\u0000 end", "COREDUMP_EXE" : null }`,
        `${at(4)}, "MESSAGE" : "it is cut o`,
      ];
      old.write(
        'journal',
        Buffer.concat(lines.map(line => Buffer.from(`${line}\n`, line.includes('caf') ? 'latin1' : 'utf8'))),
      );
      old.write('bin/journalctl', `#!/bin/sh\ncat '${old.path('journal')}'\n`);
      chmodSync(old.path('bin/journalctl'), 0o755);
      const found = await old.preview(shell);
      expect(found.map(({ payload }) => JSON.parse(payload))).toEqual([
        { MESSAGE_ID: expect.any(String), MESSAGE: 'two\nlines \u001b "quoted" é' },
        { MESSAGE_ID: expect.any(String), MESSAGE: '\u001b[1mé', COREDUMP_EXE: '/home/[user]/app' },
        { MESSAGE_ID: expect.any(String), MESSAGE: 'café \0 end' },
      ]);
      expect(found[0]).toMatchObject({
        event_id: '000000000c0ffee100000000000005f1',
        creation_timestamp: '1790000001',
      });
    });
  },
);
