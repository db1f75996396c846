import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { getJson, getPage, post } from '../app.ts';
import { type CrashApp, crashApp, crashHeaders, miscounted } from '../crashes/crash-app.ts';
import { COREDUMP_CASES } from './data/coredumps.ts';
import { KERNEL_CASES } from './data/kernel-reports.ts';

const COREDUMP = 'telemetricsd/coredump/crash';
const OOPS = 'telemetricsd/kernel/oops';

let server: CrashApp;
beforeAll(async () => {
  server = await crashApp();
});
afterAll(() => server.close());

async function send(classification: string, payload: string): Promise<number> {
  const { status, json } = await post(server.app, crashHeaders({ classification }), payload);
  expect(status).toBe(201);
  return json.id;
}

const recordOf = async (id: number) => (await getJson(server.app, `/api/records/${id}`)).json;
const pageOf = async (id: number) =>
  (await getPage(server.app, `/telemetryui/records/record_details/${id}`)).html.replaceAll(/<[^>]*>/g, ' ');
const coredump = (name: string) => COREDUMP_CASES.find(found => found.name.startsWith(name))!.entry;
const kernel = (name: string) => KERNEL_CASES.find(found => found.name.startsWith(name))!.text;

test('each kind of crash that the probe sends is analysed', async () => {
  const sent = await Promise.all([
    ...COREDUMP_CASES.map(async ({ entry }) => ({
      id: await send(COREDUMP, JSON.stringify(entry)),
      guilty: undefined,
    })),
    ...['bug', 'lockup', 'oops', 'panic', 'warning'].flatMap(kind =>
      KERNEL_CASES.map(async ({ text, guilty }) => ({ id: await send(`telemetricsd/kernel/${kind}`, text), guilty })),
    ),
  ]);
  await server.analyse();
  for (const { id, guilty } of sent) {
    const record = await recordOf(id);
    expect(record.processed).toBe(true);
    expect(record.parsed).not.toBeNull();
    if (guilty === undefined) continue;
    const [, name, module = 'kernel'] = /^(\S+)(?: \[(.*)\])?$/.exec(guilty ?? '')!;
    expect(record.guilty).toMatchObject({ function: name, module });
  }
  expect(await miscounted(server.sql)).toEqual({});
});

describe('a crash that systemd-coredump reports', () => {
  test('names its guilty like the telemetrics client does, demangled', async () => {
    const id = await send(COREDUMP, JSON.stringify(coredump('245')));
    const other = await server.crash(
      ['_ZN4demo5Order5totalERKSt6vectorIiSaIiEE() - [libdemo.so.5]', 'main() - [/usr/bin/demoshell]'],
      {},
      '/usr/bin/demoshell',
    );
    await server.analyse();
    const { guilty, frames } = await recordOf(id);
    expect(guilty).toMatchObject({
      function: 'demo::Order::total(std::vector<int, std::allocator<int> > const&)',
      module: 'libdemo.so.5',
    });
    expect((await recordOf(other)).guilty).toEqual(guilty);
    expect(JSON.stringify(frames)).not.toMatch(/0x/);
  });

  test('has one stack, wherever it was loaded and however the version of systemd writes it', async () => {
    const stack = (message: string) => `Process 7 (demo) of user 0 dumped core.\n\n${message}`;
    const entries = [
      'Stack trace of thread 7:\n#0  0x01 demo_run (libdemo.so.1)\n#1  0x02 main (demo)',
      'Module demo, build-id=0123456789\nStack trace of thread 7:\n#0  0x03 demo_run (libdemo.so.1 + 0x3)\n#1  0x04 main (demo + 0x4)',
      'Stack trace of thread 7:\n#0  0x05 demo_run (/usr/lib64/libdemo.so.1 + 0x5)\n#1  0x06 main (/usr/bin/demo + 0x6)\nELF object binary architecture: AARCH64',
    ].map(message => JSON.stringify({ MESSAGE: stack(message), COREDUMP_EXE: '/usr/bin/demo', COREDUMP_SIGNAL: '11' }));
    const ids = await Promise.all(entries.map(entry => send(COREDUMP, entry)));
    await server.analyse();
    const stacks = await Promise.all(ids.map(async id => (await recordOf(id)).stack_id));
    expect(stacks[0]).toBeNumber();
    expect(new Set(stacks).size).toBe(1);
  });

  test('is found by its package, version, program and signal', async () => {
    const id = await send(COREDUMP, JSON.stringify(coredump('252')));
    expect((await recordOf(id)).parsed).toEqual({
      program: '/usr/bin/demo',
      pid: 49770,
      signal: 11,
      package: 'demo-tools',
      package_version: '2.1-3+b1',
    });
    for (const search of ['parsed.package=demo-tools', 'parsed.package_version=2.1-3%2Bb1&parsed.signal=11']) {
      const { json } = await getJson(server.app, `/api/records?classification=${COREDUMP}&${search}`);
      expect(json.records.map((record: { id: number }) => record.id)).toContain(id);
    }
  });

  test('is shown as message and fields, its frames with offsets, its modules with build ids', async () => {
    const id = await send(COREDUMP, JSON.stringify({ ...coredump('249'), COREDUMP_UNIT: ['a.service', '<b>'] }));
    await server.analyse();
    const html = await pageOf(id);
    expect(html).toMatch(/Message\s+Copy\s+Process 1408 \(demo\) of user 1000 dumped core\.\n\nFound module/);
    expect(html).toMatch(/COREDUMP_UNIT\s+a\.service, &lt;b&gt;/);
    expect(html).toMatch(/main\(\)\s+\/usr\/bin\/demo\s+0x1a792/);
    expect(html).toMatch(/demo\s+4cd8fc1e15adf7a3c1ecf21995eca8328b96ddbb\s+not given/);
    expect(html).toContain('The entry as JSON');
  });
});

describe('a report of the kernel', () => {
  test('is shown with the offsets of its frames', async () => {
    const id = await send(OOPS, kernel('s390x'));
    await server.analyse();
    const html = await pageOf(id);
    expect(html).toMatch(/demo_number\s+demo\s+0x464/);
    expect(html).not.toContain('Fields of the journal entry');
  });

  test('is found by its kernel and its reason', async () => {
    const id = await send(OOPS, kernel('Fedora 41'));
    expect((await recordOf(id)).parsed).toEqual({
      reason:
        'Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] PREEMPT SMP PTI',
      kernel: '6.12.15-200.fc41.x86_64',
      tainted: 'G OE',
    });
  });

  test('is one stack with that of another machine, whose addresses and doubted calls differ', async () => {
    const ids = [
      await send(OOPS, kernel('CentOS 7')),
      await send(
        OOPS,
        kernel('CentOS 7')
          .replaceAll('ffffffff', 'ffffeeee')
          .replaceAll('+0x19/', '+0x29/')
          .replace('demo_stale', 'other_stale'),
      ),
    ];
    await server.analyse();
    const [one, other] = await Promise.all(ids.map(recordOf));
    expect(one.stack_id).toBe(other.stack_id);
  });
});

test('a stack is the same however often a BPF program was attached', async () => {
  const report = (trampoline: string) => kernel('CentOS 7').replace('default_idle+', `${trampoline}+`);
  const ids = [
    await send(OOPS, report('bpf_trampoline_6442536467_0')),
    await send(OOPS, report('bpf_trampoline_6442489211')),
  ];
  await server.analyse();
  const [one, same] = (await Promise.all(ids.map(recordOf))).map(record => record.stack_id);
  expect(one).toBeNumber();
  expect(same).toBe(one);
});

test('a heartbeat and an update of the probe are read, too', async () => {
  const heartbeat = await send(
    'telemetricsd/heartbeat/ping',
    'uptime: 77\nLC_ALL: C.UTF-8\nvirtualization: kvm\nprobe: 1\n',
  );
  const update = await send('telemetricsd/update/os', 'from_version: 12.5\nto_version: 12.6\n');
  expect((await recordOf(heartbeat)).parsed).toEqual({
    uptime: 77,
    locale: 'C.UTF-8',
    virtualization: 'kvm',
    probe: '1',
  });
  expect((await recordOf(update)).parsed).toEqual({ from: '12.5', to: '12.6' });
  const { matrix } = (await getJson(server.app, '/api/updates')).json;
  expect(matrix).toEqual([{ os: 'clear-linux-os', from: '12.5', to: '12.6', records: 1 }]);
});
