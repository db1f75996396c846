/** µReports in the shape that ABRT sends, about programs that do not exist. */

// biome-ignore lint/suspicious/noExplicitAny: JSON of others, which tests change at will
export type Ureport = Record<string, any>;

const AROUND = {
  ureport_version: 2,
  reporter: { name: 'satyr', version: '0.43' },
  os: {
    name: 'fedora',
    version: '44',
    architecture: 'x86_64',
    cpe: 'cpe:/o:fedoraproject:fedora:44',
    variant: 'server',
  },
};

const PACKAGE = {
  name: 'kettle',
  epoch: 2,
  version: '4.1',
  release: '3.fc44',
  architecture: 'x86_64',
  install_time: 1790000000,
};
const PACKAGES = [
  { ...PACKAGE, package_role: 'affected' },
  { name: 'libsteam', epoch: 0, version: '0.9', release: '1.fc44', architecture: 'x86_64', install_time: 1790000000 },
];

export const CORE: Ureport = {
  ...AROUND,
  reason: 'kettle killed by SIGSEGV',
  problem: {
    type: 'core',
    component: 'kettle',
    user: { root: false, local: true },
    serial: 1,
    signal: 11,
    executable: '/usr/bin/kettle',
    stacktrace: [
      { frames: [{ address: 1, build_id_offset: 5, function_name: 'poll', file_name: '/lib64/libc.so.6' }] },
      {
        crash_thread: true,
        frames: [
          {
            address: 140701620345945,
            build_id: 'c15e903efc9dd21b8a81a6539d7df9401d16e6d0',
            build_id_offset: 220249,
            function_name: 'raise',
            file_name: '/lib64/libc.so.6',
            fingerprint: 'f33186a4c862fb0751bca60701f553b829210477',
          },
          { address: 2, build_id: 'aa', build_id_offset: 4096, file_name: '/usr/lib64/libsteam.so.0.9.1' },
          { address: 3, build_id_offset: 7777, function_name: '_ZN6Kettle4boilEv', file_name: '/usr/bin/kettle' },
          { address: 4, build_id_offset: 8888, function_name: 'main', file_name: '/usr/bin/kettle' },
        ],
      },
    ],
  },
  packages: PACKAGES,
};

const OOPS = `WARNING: CPU: 3 PID: 528 at drivers/tea/pot.c:795 pot_fill+0x89/0x90 [teapot]
Modules linked in: teapot spoon
CPU: 3 PID: 528 Comm: kettled Tainted: G        W          6.18.4-300.fc44.x86_64 #1
Call Trace:
 <TASK>
 ? pot_lid+0x10/0x20 [teapot]
 pot_pour+0xac/0x130 [teapot]
 kthread+0xc0/0xd0
 ret_from_fork+0x7c/0xb0
 </TASK>
---[ end trace 0000000000000000 ]---
`;

export const KERNELOOPS: Ureport = {
  ...AROUND,
  reason: 'WARNING: CPU: 3 PID: 528 at drivers/tea/pot.c:795 pot_fill+0x89/0x90 [teapot] [teapot]',
  problem: {
    type: 'kerneloops',
    component: 'kernel',
    serial: 1,
    raw_oops: OOPS,
    version: '6.18.4-300.fc44.x86_64',
    taint_flags: ['warning'],
    modules: ['teapot', 'spoon'],
    frames: [
      { reliable: true, function_name: 'pot_pour', function_offset: 172, function_length: 304, module_name: 'teapot' },
      { reliable: false, function_name: 'pot_lid', function_offset: 16, function_length: 32, module_name: 'teapot' },
      {
        address: 18446744071579500000,
        reliable: true,
        function_name: 'kthread',
        function_offset: 192,
        function_length: 208,
      },
    ],
  },
  packages: [
    { ...PACKAGE, name: 'kernel-core', epoch: 0, version: '6.18.4', release: '300.fc44', package_role: 'affected' },
  ],
};

export const PYTHON: Ureport = {
  ...AROUND,
  reason: 'TypeError in /usr/lib/python3.14/site-packages/brew/leaf.py:41',
  problem: {
    type: 'python',
    component: 'brew',
    user: { root: false, local: true },
    serial: 1,
    exception_name: 'TypeError',
    stacktrace: [
      {
        file_name: '/usr/lib64/python3.14/json/decoder.py',
        file_line: 355,
        function_name: 'raw_decode',
        line_contents: 'x',
      },
      {
        file_name: '/usr/lib/python3.14/site-packages/brew/leaf.py',
        file_line: 41,
        function_name: 'steep',
        line_contents: 'y',
      },
      { file_name: '/usr/bin/brew', file_line: 7, special_function: 'module', line_contents: 'main()' },
    ],
  },
  packages: [{ ...PACKAGE, name: 'brew', package_role: 'affected' }],
};

export const JAVA: Ureport = {
  ...AROUND,
  reason: 'Exception java.lang.IllegalStateException occurred in Pot.java:12',
  problem: {
    type: 'java',
    component: 'teahouse',
    user: { root: false, local: true },
    serial: 1,
    threads: [
      {
        name: 'main',
        frames: [
          { name: 'java.lang.IllegalStateException', is_native: false, is_exception: true, message: 'no water' },
          {
            name: 'java.util.ArrayList.get',
            file_name: 'ArrayList.java',
            file_line: 427,
            is_native: false,
            is_exception: false,
          },
          {
            name: 'org.example.tea.Pot.lambda$fill$0',
            file_name: 'Pot.java',
            file_line: 12,
            class_path: 'file:/usr/share/java/tea.jar',
            is_native: false,
            is_exception: false,
          },
          { name: 'org.example.tea.Pot$$Lambda$31/0x00007f1c2c0a1248.run', is_native: false, is_exception: false },
          { name: 'java.lang.RuntimeException', is_native: false, is_exception: true },
          {
            name: 'org.example.tea.House.open',
            file_name: 'House.java',
            file_line: 80,
            is_native: false,
            is_exception: false,
          },
        ],
      },
    ],
  },
  packages: [{ ...PACKAGE, name: 'teahouse', package_role: 'affected' }],
};

export const RUBY: Ureport = {
  ...AROUND,
  reason: 'Tea::Cold in /usr/share/gems/gems/tea-1.2.3/lib/tea.rb:13',
  problem: {
    type: 'ruby',
    component: 'rubygem-tea',
    user: { root: false, local: true },
    serial: 1,
    exception_name: 'Tea::Cold',
    stacktrace: [
      { file_name: '/usr/share/ruby/net/http.rb', file_line: 987, function_name: 'connect', rescue_level: 1 },
      { file_name: '/usr/share/gems/gems/tea-1.2.3/lib/tea.rb', file_line: 13, function_name: 'warm?', block_level: 2 },
      { file_name: '/usr/bin/tea', file_line: 3, special_function: 'main' },
    ],
  },
  packages: [{ ...PACKAGE, name: 'rubygem-tea', package_role: 'affected' }],
};

export const UREPORTS: Record<string, Ureport> = {
  core: CORE,
  kerneloops: KERNELOOPS,
  python: PYTHON,
  java: JAVA,
  ruby: RUBY,
};

/** As satyr prints JSON: a comma before each member, and much space. */
export function asSatyrPrints(report: unknown): string {
  return JSON.stringify(report, null, 4).replaceAll(/,\n( *)(?=")/g, '\n$1,   ');
}

/** The request that libreport makes: its form has one field, with these names and types. */
export function asLibreportSends(json: string | Uint8Array): RequestInit {
  const boundary = '----------------------------5f2a9c7b1d3e';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="*buffer*"\r\nContent-Type: application/json\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), Buffer.from(json), Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return {
    method: 'POST',
    headers: {
      Accept: 'application/json',
      Connection: 'close',
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': String(body.byteLength),
    },
    body,
  };
}
