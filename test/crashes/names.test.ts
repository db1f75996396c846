import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  comparedFunction,
  comparedModule,
  isNoName,
  isUnknown,
  stableFunction,
  stableModule,
} from '../../src/crashes/names.ts';
import { processorMs } from '../time.ts';

const HASH = '0123456789abcdef';

test.each<[written: string, named: string, compared?: string]>([
  ['work()', 'work()'],
  ['read_line.isra.0()', 'read_line()'],
  ['store_fail.isra.0.cold()', 'store_fail()'],
  ['parse.part.3.constprop.12.cold.1()', 'parse()'],
  ['parse.cold', 'parse'],
  ['scan.llvm.1234567890123()', 'scan()'],
  ['malloc_printerr.lto_priv.0()', 'malloc_printerr()'],
  ['memcpy.localalias()', 'memcpy()'],
  ['demo_call.cfi_jt', 'demo_call'],
  ['nested.1234()', 'nested.1234()'],
  ['main.part()', 'main.part()'],
  ['main.main.func1.2()', 'main.main.func1.2()'],
  ['main.(*Queue[go.shape.int]).push()', 'main.(*Queue[go.shape.int]).push()'],
  ['runtime.raise.abi0()', 'runtime.raise.abi0()', 'runtime.raise()'],
  ['shop::open(int) [clone .part.0] [clone .cold]', 'shop::open(int)'],
  ['shop::open() [clone .llvm.99]', 'shop::open()'],
  ['shop::open(char const*, ...)', 'shop::open(char const*, ...)'],
  ['shop::Cart::operator[](unsigned long)', 'shop::Cart::operator[](unsigned long)'],
  ['shop::Cart::operator()()', 'shop::Cart::operator()()'],
  ['shop::name[abi:cxx11]()', 'shop::name[abi:cxx11]()'],
  ['std::array<char [4]>::at(int (&) [10])', 'std::array<char [4]>::at(int (&) [10])'],
  [`app::parse::h${HASH}`, 'app::parse'],
  [`app::parse::h${HASH.slice(1)}`, `app::parse::h${HASH.slice(1)}`],
  ['v0app[3c1c0]::parse::read', 'v0app::parse::read'],
  ['<v0app[3c1c0]::Row as core[f00d]::fmt::Debug>::fmt', '<v0app::Row as core::fmt::Debug>::fmt'],
  ['_RNvNtCs1234_5v0app5parse4read', '_RNvNtC5v0app5parse4read'],
  ['pthread_kill@@GLIBC_2.34()', 'pthread_kill@@GLIBC_2.34()', 'pthread_kill()'],
  ['old_call@VERS_1.part.0()', 'old_call@VERS_1()', 'old_call()'],
  ['shop::open()@@SHOP_1.0', 'shop::open()@@SHOP_1.0', 'shop::open()'],
  ['memcpy@plt()', 'memcpy@plt()', 'memcpy()'],
  ['__GI_raise()', '__GI_raise()', 'raise()'],
  ['__GI___fortify_fail()', '__GI___fortify_fail()', '__fortify_fail()'],
  ['IA__g_log()', 'IA__g_log()', 'g_log()'],
  ['.demo_inode_free', '.demo_inode_free', 'demo_inode_free'],
  ['? __warn.cold', '__warn'],
  ['? __pfx_demo_fn', 'demo_fn'],
  ['__cfi_demo_fn', 'demo_fn'],
  ['bpf_trampoline_6442536467', 'bpf_trampoline_#'],
  ['? bpf_trampoline_6442536467_1', 'bpf_trampoline_#'],
  ['bpf_prog_6deef7357e7b4530_demo', 'bpf_prog_6deef7357e7b4530_demo'],
  [`_ZN3app5parse17h${HASH}E()`, '_ZN3app5parseE()'],
  ['0xffffffffc0012345', '???'],
  ['? 0xffffffffc0012345', '???'],
  ['ffffffff81234567', '???'],
  ['0x7f01a2b3c4d5()', '???'],
  ['???', '???'],
  ['()', '()'],
  ['.cold', '.cold', 'cold'],
  ['', ''],
])('%s is named %s', (written, named, compared = named) => {
  expect(stableFunction(written)).toBe(named);
  expect(comparedFunction(written)).toBe(compared);
});

test.each<[written: string, named: string, compared: string]>([
  ['libc.so.6', 'libc.so.6', 'libc.so.6'],
  ['/usr/lib64/libc.so.6', '/usr/lib64/libc.so.6', 'libc.so.6'],
  ['/lib/x86_64-linux-gnu/libc-2.31.so', '/lib/x86_64-linux-gnu/libc-2.31.so', 'libc.so.6'],
  ['libpthread-2.28.so', 'libpthread-2.28.so', 'libpthread.so.0'],
  ['/usr/lib/libstdc++.so.6.0.30', '/usr/lib/libstdc++.so.6.0.30', 'libstdc++.so.6'],
  ['libglib-2.0.so.0.7200.4', 'libglib-2.0.so.0.7200.4', 'libglib-2.0.so.0'],
  ['/usr/lib/libgio.so.0 (deleted)', '/usr/lib/libgio.so.0 (deleted)', 'libgio.so.0'],
  ['/lib/libc.musl-aarch64.so.1', '/lib/libc.musl-aarch64.so.1', 'ld-musl-aarch64.so.1'],
  ['/usr/bin/app', '/usr/bin/app', 'app'],
  ['[vdso: 4242]', '[vdso]', '[vdso]'],
  ['kernel', 'kernel', 'kernel'],
  ['', '', ''],
  ['/tmp/.mount_PlayerXyZ123/usr/bin/player', '/tmp/.mount_Player/usr/bin/player', 'player'],
  ['/tmp/.mount_vlcXyZ123/usr/bin/vlc', '/tmp/.mount_vlc/usr/bin/vlc', 'vlc'],
  ['/snap/player/4567/usr/bin/player', '/snap/player/current/usr/bin/player', 'player'],
  ['/var/lib/snapd/snap/player/x1/player', '/var/lib/snapd/snap/player/current/player', 'player'],
  ['/nix/store/0c5b8vw40dy178xlpddw65q9gf1h2186-player-1.0/bin/p', '/nix/store/player-1.0/bin/p', 'p'],
  [
    `/var/lib/flatpak/app/org.example.App/x86_64/stable/${HASH.repeat(4)}/files/bin/app`,
    '/var/lib/flatpak/app/org.example.App/x86_64/stable/active/files/bin/app',
    'app',
  ],
])('the module %s is named %s', (written, named, compared) => {
  expect(stableModule(written)).toBe(named);
  expect(comparedModule(written)).toBe(compared);
});

test.each([
  ['<TASK>', true],
  ['</IRQ>', true],
  ['<<EOE>>', true],
  ['<#DF>', true],
  ['<ENTRY_TRAMPOLINE>', true],
  ['=======================', true],
  ['? __pfx_demo_fn', true],
  ['<app::Row as Debug>::fmt', false],
  ['__pfx_of_user_space()', false],
  ['_()', false],
  ['größe()', false],
  ['???', false],
])('%s is no function: %p', (name, expected) => {
  expect(isNoName(name)).toBe(expected);
});

test.each(['deadbeef', '0x12', 'facade()', 'a0123456789abcdef'])('%s is a name, not an address', name => {
  expect(isUnknown(name)).toBeFalse();
});

describe('any name', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '.part.0',
      '.cold',
      ' [clone .x]',
      '@@V_1',
      '__GI_',
      '__pfx_',
      '()',
      '? ',
      `::h${HASH}`,
      '[ab]::',
      '.',
      '/',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const name = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''));

  test('named once is named', () => {
    fc.assert(
      fc.property(name, text => {
        expect(stableModule(stableModule(text))).toBe(stableModule(text));
        expect(comparedFunction(stableFunction(text)).length).toBeLessThanOrEqual(text.length + 3);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['.cold', '.0', '.part.0', ' [clone .a]', ']', '@a', '[ab]::', 'Cs1_', '/', '.so.1', '.', '__GI_', 'a'])(
    'of many %p takes time in proportion to its length',
    part => {
      const names = [part.repeat(20_000 / part.length), part.repeat(160_000 / part.length)];
      let best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const inProportion = () => best[1]! < 16 * best[0]! + 10;
      for (let round = 0; round < 20 && !inProportion(); round++) {
        best = names.map((text, index) => {
          const spent = processorMs(() => [comparedFunction(text), comparedModule(text), isNoName(text)]);
          return Math.min(best[index]!, spent);
        });
      }
      expect(inProportion(), `${best[0]} ms, and ${best[1]} ms for eight times as much`).toBeTrue();
    },
  );
});
