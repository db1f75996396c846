/** Journal entries of systemd-coredump by version, with made-up programs: the fields, and what must come out of them. */
export interface CoredumpCase {
  name: string;
  entry: Record<string, unknown>;
  says: { program: string | null; pid: number | null; signal: number | null; thread: number | null };
  /** `FUNCTION [MODULE] OFFSET` */
  frames: string[];
  package?: { name: string; version: string | null };
  /** `MODULE BUILD-ID PACKAGE` */
  modules?: string[];
}

const said = (program: string | null, pid: number | null, signal: number | null, thread: number | null) => ({
  program,
  pid,
  signal,
  thread,
});

export const COREDUMP_CASES: CoredumpCase[] = [
  {
    name: '239 of RHEL 8: no offsets, and files of libraries instead of their names',
    entry: {
      MESSAGE: `Process 236798 (demo-mt) of user 1000660000 dumped core.

Stack trace of thread 12:
#0  0x0000000000401113 n/a (/app/demo-mt)
#1  0x000000000040168c demo_work (/app/demo-mt)
#2  0x00007fb8acb391ca n/a (/usr/lib64/libpthread-2.28.so)

Stack trace of thread 13:
#0  0x0000000000401000 other (/app/demo-mt)`,
      COREDUMP_EXE: '/app/demo-mt',
      COREDUMP_PID: '236798',
      COREDUMP_SIGNAL: '11',
      COREDUMP_SIGNAL_NAME: 'SIGSEGV',
    },
    says: said('/app/demo-mt', 236798, 11, 12),
    frames: ['??? [/app/demo-mt] -', 'demo_work() [/app/demo-mt] -', '??? [libpthread-2.28.so] -'],
  },
  {
    name: '241 of Debian 10: names of libraries, and a program that is named without its path',
    entry: {
      MESSAGE: `Process 3252 (demo) of user 1000 dumped core.

Stack trace of thread 3252:
#0  0x00007fe849946d79 _int_malloc (libc.so.6)
#1  0x00007fe84994850e malloc (libc.so.6)
#2  0x00005625a34934c2 xmalloc (demo)`,
      COREDUMP_EXE: '/usr/bin/demo',
      COREDUMP_COMM: 'demo',
      COREDUMP_PID: '3252',
      COREDUMP_SIGNAL: '11',
    },
    says: said('/usr/bin/demo', 3252, 11, 3252),
    frames: ['_int_malloc() [libc.so.6] -', 'malloc() [libc.so.6] -', 'xmalloc() [/usr/bin/demo] -'],
  },
  {
    name: '245 of Ubuntu 20.04: offsets, and C++',
    entry: {
      MESSAGE: `Process 27027 (demoshell) of user 1000 dumped core.

Stack trace of thread 27696:
#0  0x00007f4816e2fe73 _ZN4demo5Order5totalERKSt6vectorIiSaIiEE (libdemo.so.5 + 0x2a2fe73)
#1  0x00007f4816e30e51 _ZNSt6vectorIiSaIiEE9push_backERKi.part.0 (demoshell + 0xe51)`,
      COREDUMP_EXE: '/usr/bin/demoshell',
      COREDUMP_PID: '27027',
      COREDUMP_SIGNAL: '6',
    },
    says: said('/usr/bin/demoshell', 27027, 6, 27696),
    frames: [
      '_ZN4demo5Order5totalERKSt6vectorIiSaIiEE() [libdemo.so.5] 0x2a2fe73',
      '_ZNSt6vectorIiSaIiEE9push_backERKi.part.0() [/usr/bin/demoshell] 0xe51',
    ],
  },
  {
    name: '249 of Arch: modules with their build ids',
    entry: {
      MESSAGE: `Process 1408 (demo) of user 1000 dumped core.

Found module linux-vdso.so.1 with build-id: 5d90781f8a5a7cfa89af4cfe67362f166a969137
Module demo with build-id 4cd8fc1e15adf7a3c1ecf21995eca8328b96ddbb
Metadata for module demo owned by FDO found: {"type":"deb","name":"demo","version":"1"}
Module /opt/demo/plugin.so without build-id.
Stack trace of thread 1408:
#0  0x000055bc9da292dd n/a (demo + 0x222dd)
#1  0x000055bc9da21792 main (demo + 0x1a792)
#2  0x00007f66726ecb25 __libc_start_main (libc.so.6 + 0x27b25)`,
      COREDUMP_EXE: '/usr/bin/demo',
      COREDUMP_PID: '1408',
      COREDUMP_SIGNAL: '11',
    },
    says: said('/usr/bin/demo', 1408, 11, 1408),
    frames: [
      '??? [/usr/bin/demo] 0x222dd',
      'main() [/usr/bin/demo] 0x1a792',
      '__libc_start_main() [libc.so.6] 0x27b25',
    ],
    modules: [
      'linux-vdso.so.1 5d90781f8a5a7cfa89af4cfe67362f166a969137 -',
      'demo 4cd8fc1e15adf7a3c1ecf21995eca8328b96ddbb -',
      '/opt/demo/plugin.so - -',
    ],
  },
  {
    name: '252 of Debian 12: modules with their packages',
    entry: {
      MESSAGE: `Process 49770 (demo) of user 1000 dumped core.

Module libsystemd.so.0 from deb systemd-252.39-1~deb12u1.amd64
Module demo from deb demo-tools-2.1-3+b1.amd64
Stack trace of thread 49770:
#0  0x00007f822dec8eec n/a (libc.so.6 + 0x8aeec)
#1  0x0000563a871686f3 demo_read (demo + 0x86f3)
ELF object binary architecture: AMD x86-64`,
      COREDUMP_EXE: '/usr/bin/demo',
      COREDUMP_PID: '49770',
      COREDUMP_SIGNAL: '11',
    },
    says: said('/usr/bin/demo', 49770, 11, 49770),
    frames: ['??? [libc.so.6] 0x8aeec', 'demo_read() [/usr/bin/demo] 0x86f3'],
    package: { name: 'demo-tools', version: '2.1-3+b1' },
    modules: ['libsystemd.so.0 - systemd-252.39-1~deb12u1.amd64', 'demo - demo-tools-2.1-3+b1.amd64'],
  },
  {
    name: '254 of Fedora 40: the package as fields, and as rpm names it',
    entry: {
      MESSAGE: `Process 3219 (will_crash) of user 1000 dumped core.

Module libwillcrash.so from rpm will-crash-0.13.5-5.fc40.aarch64
Module will_crash from rpm will-crash-0.13.5-5.fc40.aarch64
Module other from rpm other, build-id=5aa9119f2f1080ede76b0b17fb0103a9b1393990
Stack trace of thread 3219:
#0  0x0000aaaaca9d02dc crash.constprop.0 (will_crash + 0x102dc)
#1  0x0070aaaaca9d0000 n/a (n/a + 0x0)
ELF object binary architecture: AARCH64`,
      COREDUMP_EXE: '/usr/bin/will_crash',
      COREDUMP_PID: '3219',
      COREDUMP_SIGNAL: '11',
      COREDUMP_PACKAGE_NAME: 'will-crash',
      COREDUMP_PACKAGE_VERSION: '0.13.5-5.fc40',
    },
    says: said('/usr/bin/will_crash', 3219, 11, 3219),
    frames: ['crash.constprop.0() [/usr/bin/will_crash] 0x102dc', '??? [] 0x0'],
    package: { name: 'will-crash', version: '0.13.5-5.fc40' },
    modules: [
      'libwillcrash.so - will-crash-0.13.5-5.fc40.aarch64',
      'will_crash - will-crash-0.13.5-5.fc40.aarch64',
      'other 5aa9119f2f1080ede76b0b17fb0103a9b1393990 other',
    ],
  },
  {
    name: '257 of openSUSE Tumbleweed: whole paths, and build ids where there is no package',
    entry: {
      MESSAGE: `Process 89521 (demo) of user 1000 dumped core.

Module /usr/bin/demo from rpm demo-1.2-3.4.x86_64
Module linux-vdso.so.1, build-id=f9fada32e91353254b262e357cb155d189cc0523
Stack trace of thread 89521:
#0  0x00007f68fffcf575 raise (/usr/lib64/libc.so.6 + 0x3575)
#1  0x00005a03100f669a args_process (/usr/bin/demo + 0xb69a)
#2  0x00005a03100f669b plugin_load (/opt/demo (old)/libplug.so.1.2 + 0x9b)
#3  0x00005a03100f669c std::sys::call<fn(i32) -> i32> (/usr/bin/demo (deleted) + 0xb6)

Stack trace of thread 89522:
#0  0x000070ef250fce51 sleep (/usr/lib64/libc.so.6 + 0xfce51)
ELF object binary architecture: AMD x86-64`,
      COREDUMP_EXE: '/usr/bin/demo (deleted)',
      COREDUMP_PID: '89521',
      COREDUMP_SIGNAL: '6',
    },
    says: said('/usr/bin/demo', 89521, 6, 89521),
    frames: [
      'raise() [libc.so.6] 0x3575',
      'args_process() [/usr/bin/demo] 0xb69a',
      'plugin_load() [libplug.so.1.2] 0x9b',
      'std::sys::call<fn(i32) -> i32>() [/usr/bin/demo] 0xb6',
    ],
    package: { name: 'demo', version: '1.2-3.4' },
    modules: ['/usr/bin/demo - demo-1.2-3.4.x86_64', 'linux-vdso.so.1 f9fada32e91353254b262e357cb155d189cc0523 -'],
  },
  {
    name: 'NixOS: a path of its own, and a wrapped program',
    entry: {
      MESSAGE: `Process 1276808 (.demo-wrapped) of user 1000 dumped core.

Module /nix/store/0123456789abcdfghijklmnpqrsvwxyz-demo-0.1.0/bin/.demo-wrapped without build-id.
Stack trace of thread 1276808:
#0  0x00007eed0847a214 demo_draw (/nix/store/0123456789abcdfghijklmnpqrsvwxyz-demo-0.1.0/bin/.demo-wrapped + 0x4)`,
      COREDUMP_EXE: '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-demo-0.1.0/bin/.demo-wrapped',
      COREDUMP_SIGNAL: '11',
    },
    says: said('/nix/store/0123456789abcdfghijklmnpqrsvwxyz-demo-0.1.0/bin/.demo-wrapped', 1276808, 11, 1276808),
    frames: ['demo_draw() [/nix/store/0123456789abcdfghijklmnpqrsvwxyz-demo-0.1.0/bin/.demo-wrapped] 0x4'],
  },
  {
    name: 'an AppImage, of which nothing but the command is known',
    entry: {
      MESSAGE: `Process 7 (demo) of user 0 dumped core.

Stack trace of thread 7:
#0  0x00007f822dec8eec n/a (/tmp/.mount_DemoAbc/usr/lib/libdemo.so.1 + 0xeec)`,
    },
    says: said('demo', 7, null, 7),
    frames: ['??? [libdemo.so.1] 0xeec'],
  },
  {
    name: 'no stack trace: the core was too large, or could not be read',
    entry: {
      MESSAGE: 'Process 812 (demo) of user 0 dumped core.',
      COREDUMP_EXE: '/usr/bin/demo',
      COREDUMP_SIGNAL: '11',
    },
    says: said('/usr/bin/demo', 812, 11, null),
    frames: [],
  },
  {
    name: 'a message as bytes, since it holds control characters, and fields that came twice or were too large',
    entry: {
      MESSAGE: [
        ...Buffer.from(
          'Process 9 (d\x1b[1m) of user 0 dumped core.\n\nStack trace of thread 9:\n#0  0x01 caf\xe9 (demo + 0x1)\n',
          'latin1',
        ),
      ],
      COREDUMP_EXE: ['/usr/bin/demo', '/usr/bin/other'],
      COREDUMP_SIGNAL: [[49, 49], '6'],
      COREDUMP_PACKAGE_NAME: null,
    },
    says: said('/usr/bin/demo', 9, 11, 9),
    frames: ['café() [/usr/bin/demo] 0x1'],
  },
];
