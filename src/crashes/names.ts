import { NO_SYMBOL, withoutDeleted } from '../dialects/frame.ts';

/** What a function or a module is called, without what says nothing about which one it is. */

export interface FrameName {
  function: string;
  module: string;
}

/** The longest name of a function or a module that the never-guilty list takes. */
export const NAME_LENGTH = 4096;

/** Compilers append these to the name of a function that they copied or moved. */
const CLONES = new Set(['cold', 'localalias', 'cfi', 'cfi_jt']);
/** The same where a number follows; without one it may be a function of Go, as in `main.part`. */
const NUMBERED_CLONES = new Set(
  'part isra constprop lto_priv llvm clone simdclone split __uniq extracted specialized'.split(' '),
);
const NUMBER = /^\d+$/;
const RUST_HASH = /::h[0-9a-f]{16}$/;
const RUST_HASH_LENGTH = '::h0123456789abcdef'.length;
/** The same in a mangled name. */
const RUST_HASH_MANGLED = /17h[0-9a-f]{16}E$/;
/** `core[1a2b3c]::fmt`: which compilation of the crate it is. */
const RUST_CRATE = /(?<=\w)\[[0-9a-f]{1,16}\](?=::)/g;
/** The same in a mangled name, which is how the kernel writes it: `Cs1a2B3c_4core`. */
const RUST_CRATE_MANGLED = /Cs[0-9A-Za-z]{1,13}_(?=u?\d)/g;
/** The kernel numbers what it makes for each BPF program that is attached. */
const TRAMPOLINE = /^((?:\? )?bpf_trampoline_)\d+(?:_\d+)?$/;
const DOUBT = '? ';
/** The gap before a function. It is never called: a pointer to the function was taken for a return address. */
const PADDING = /^__(?:pfx|cfi)_(?=.)/;
const VERSION = /@{1,2}[\w.]+(?=(?:\(\))?$)/;
/** Another name for the same function: within glibc and old GLib, of powerpc's code behind its descriptors. */
const ALIAS = /^(?:__GI_|IA__|\.)(?=[A-Za-z_])/;
const GO_ABI = /\.abi(?:0|internal)$/;
const MAYBE_ADDRESS = /^(?:\? )?[0-9a-f]{4}|^(?:\? )?0x/i;
const ADDRESS = /^(?:0x[0-9a-f]{4,16}|[0-9a-f]{16})$/i;
/** `<TASK>`, `</IRQ>`, `<<EOE>>`, `<#DF>`: where the kernel's stack changes. */
const MARKER = /^<{1,2}[/#]?[A-Z_]+>{1,2}$/;
const WORD = /[\p{L}\p{N}_]/u;

/**
 * The name that a guilty gets: a function's name without what changes with each compilation, and without the kernel's doubt. Takes
 * time in proportion to the length of the name, like everything here.
 */
export function stableFunction(name: string): string {
  if (isUnknown(name)) return NO_SYMBOL;
  const { body, call } = split(withoutClones(withoutDoubt(name)));
  const stable = withoutRustCrate(withoutRustHash(withoutSuffixes(body))).replace(PADDING, '');
  return withoutAttachment(stable) + call;
}

/** A function's name without the number that the kernel gives a BPF program each time that it is attached. */
export function withoutAttachment(name: string): string {
  return name.replace(TRAMPOLINE, '$1#');
}

/** The name that the never-guilty list is searched for where it does not have the name itself: also without versions and aliases. */
export function comparedFunction(name: string): string {
  const { body, call } = split(stableFunction(withoutDoubt(name).replace(VERSION, '')));
  return body.replace(ALIAS, '').replace(GO_ABI, '') + call;
}

const CHANGING_PATH = /^\[v|^\/.*(?:\/\.mount_|snap\/|\/store\/|\/flatpak\/|\/python\d|\/gems\/)/;

/**
 * A module without what changes with each process, revision or build: the number of the vdso, where an AppImage is mounted, the
 * revision of a snap or flatpak, the hash of Nix and Guix, the version of Python and of a gem.
 */
export function stableModule(module: string): string {
  if (!CHANGING_PATH.test(module)) return module;
  return module
    .replace(/^\[(vdso|vsyscall)[: ][^\]]*\]$/, '[$1]')
    .replace(/\/\.mount_([^/]{0,6})[0-9A-Za-z]{6}\//, '/.mount_$1/')
    .replace(/((?:^|\/)snap\/[^/]+\/)x?\d+\//, '$1current/')
    .replace(/\/(nix|gnu)\/store\/[0-9a-z]{32}-/, '/$1/store/')
    .replace(/(\/python\d+)\.\d+\//, '$1/')
    .replace(/(\/gems\/[\w.-]+?)-\d+(?:\.\w+)*\//, '$1/')
    .replace(/(\/flatpak\/(?:app|runtime)\/[^/]+\/[^/]+\/[^/]+\/)[0-9a-f]{64}\//, '$1active/');
}

/** glibc's libraries by the names of their files before 2.34. */
const GLIBC_FILE = /^(ld|libc|libm|libdl|librt|libpthread|libresolv)-2\.\d+(?:\.\d+)?\.so$/;
const GLIBC_SONAMES: Record<string, string> = {
  ld: 'ld-linux-x86-64.so.2',
  libc: 'libc.so.6',
  libm: 'libm.so.6',
  libdl: 'libdl.so.2',
  librt: 'librt.so.1',
  libpthread: 'libpthread.so.0',
  libresolv: 'libresolv.so.2',
};
/** `libz.so.1.3.1` is the file of `libz.so.1`. */
const FILE_OF_SONAME = /(\.so\.\d+)(?:\.\d+)+$/;
/** The same file as `ld-musl-x86_64.so.1`. */
const MUSL = 'libc.musl-';

/** The same for modules: a library's soname, whatever its file is called. */
export function comparedModule(module: string): string {
  const stable = stableModule(withoutDeleted(module));
  const file = stable.slice(stable.lastIndexOf('/') + 1);
  if (file.startsWith(MUSL)) return `ld-musl-${file.slice(MUSL.length)}`;
  const glibc = GLIBC_FILE.exec(file)?.[1];
  return glibc === undefined ? file.replace(FILE_OF_SONAME, '$1') : GLIBC_SONAMES[glibc]!;
}

/** There is no symbol: an address stands for the name, or nothing does. */
export function isUnknown(name: string): boolean {
  return name === NO_SYMBOL || (MAYBE_ADDRESS.test(name) && ADDRESS.test(split(withoutDoubt(name)).body));
}

/** Tells what stands among the functions of a backtrace and is none: a marker, a ruler, the gap before a function. */
export function isNoName(name: string): boolean {
  if (name === NO_SYMBOL) return false;
  const body = withoutDoubt(name);
  return MARKER.test(body) || !WORD.test(body) || (PADDING.test(body) && !body.endsWith('()'));
}

function withoutDoubt(name: string): string {
  return name.startsWith(DOUBT) ? name.slice(DOUBT.length) : name;
}

/** The `()` behind a name that was not demangled are no part of it. */
function split(name: string): { body: string; call: string } {
  return name.length > 2 && name.endsWith('()') ? { body: name.slice(0, -2), call: '()' } : { body: name, call: '' };
}

/** `open(int)` of `open(int) [clone .part.0] [clone .cold]`. */
function withoutClones(name: string): string {
  let end = name.length;
  while (name[end - 1] === ']') {
    const start = name.lastIndexOf(' [', end - 1);
    if (start <= 0 || !name.startsWith(' [clone ', start)) break;
    end = start;
  }
  return name.slice(0, end);
}

/** `read_line` of `read_line.isra.0.cold`. */
function withoutSuffixes(name: string): string {
  let kept = name.length;
  let numbered = false;
  for (let end = kept; ; ) {
    const dot = name.lastIndexOf('.', end - 1);
    if (dot <= 0) break;
    const piece = name.slice(dot + 1, end);
    const isNumber = NUMBER.test(piece);
    if (CLONES.has(piece) || (numbered && NUMBERED_CLONES.has(piece))) kept = dot;
    else if (!isNumber) break;
    numbered = isNumber;
    end = dot;
  }
  return name.slice(0, kept);
}

function withoutRustHash(name: string): string {
  if (name.startsWith('_ZN')) return name.replace(RUST_HASH_MANGLED, 'E');
  return RUST_HASH.test(name.slice(-RUST_HASH_LENGTH)) ? name.slice(0, -RUST_HASH_LENGTH) : name;
}

function withoutRustCrate(name: string): string {
  return name.startsWith('_R') ? name.replaceAll(RUST_CRATE_MANGLED, 'C') : name.replaceAll(RUST_CRATE, '');
}
