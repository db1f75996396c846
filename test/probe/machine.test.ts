import { describe, expect, test } from 'bun:test';
import { journalMissing } from './journal.ts';
import { type Machine, machineMaker, parseRecord, type SentRecord } from './machine.ts';
import { recordingServer } from './server.ts';

const machine = machineMaker();
const server = recordingServer();
const OS = 'etc/os-release';

/** Everything that would be sent now, the probe's own records first. */
async function previewed(own: Machine): Promise<SentRecord[]> {
  const { code, output } = await own.run('preview');
  expect({ code, output }).toMatchObject({ code: 0 });
  return output.split('\n').slice(1, -1).map(parseRecord);
}

describe.skipIf(journalMissing !== undefined)('a record', () => {
  test.each([
    [
      'Debian, whose point release is a file',
      'ID=debian\nVERSION_ID="12"\nVERSION="12 (bookworm)"',
      { debian: '12.5' },
      '12.5',
    ],
    ['Debian before its release', 'ID=debian\nVERSION_CODENAME=sid', { debian: 'forky/sid' }, 'rolling'],
    [
      'Ubuntu',
      'ID=ubuntu\nVERSION_ID="24.04"\nVERSION="24.04.1 LTS (Noble Numbat)"',
      { debian: 'trixie/sid' },
      '24.04.1',
    ],
    ['Fedora', "ID=fedora\nVERSION_ID=43\nVERSION='43 (Workstation Edition)'", {}, '43'],
    ['openSUSE Tumbleweed', 'ID="opensuse-tumbleweed"\nVERSION_ID="20261128"', {}, '20261128'],
    ['Arch', 'ID=arch\nBUILD_ID=rolling', {}, 'rolling'],
    ['an image', 'ID=demo\nIMAGE_ID=demo\nIMAGE_VERSION=2026.11~rc1\nBUILD_ID=7\nVERSION_ID=3', {}, '2026.11_rc1'],
    ['a build', 'ID=demo\nBUILD_ID=20261101.1\nVERSION_ID=3', {}, '20261101.1'],
    ['a command', 'ID=demo\nVERSION_ID=3', { command: 'echo r$((40 + 2)); echo more' }, 'r42'],
  ])('has the build of %s', async (_, release, { debian, command }: { debian?: string; command?: string }, build) => {
    const own = machine(server.url, command && `build_command = ${command}`);
    own.write(OS, release);
    if (debian) own.write('etc/debian_version', debian);
    const [record] = await previewed(own);
    expect(record).toMatchObject({ build, system_name: /ID="?([\w-]+)/.exec(release)![1]! });
  });

  test('has the hardware as far as its maker has named it', async () => {
    const own = machine(server.url);
    const dmi = {
      sys_vendor: 'LENOVO',
      product_name: '  20QD00L  "X|1" ',
      product_version: 'ThinkPad X1 Carbon 7th',
      product_serial: 'secret',
      board_name: 'To Be Filled By O.E.M.',
      board_vendor: 'Default string',
      bios_version: 'N2HET70W (1.53 )',
    };
    for (const [name, text] of Object.entries(dmi)) own.write(`sys/class/dmi/id/${name}`, `${text}\n`);
    const [record] = await previewed(own);
    expect(record).toMatchObject({
      host_type: 'LENOVO|20QD00L "X 1"|ThinkPad X1 Carbon 7th',
      board_name: '|',
      bios_version: 'N2HET70W (1.53 )',
      cpu_model: 'Intel(R) Core(TM) i7-8565U CPU @ 1.80GHz',
    });
    expect(JSON.stringify(record)).not.toContain('secret');
  });

  test('has the model of a board without such a firmware', async () => {
    const own = machine(server.url);
    own.write('proc/device-tree/model', 'Raspberry Pi 4 Model B Rev 1.4\0');
    own.write('proc/cpuinfo', 'processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n');
    const [record] = await previewed(own);
    expect(record).toMatchObject({ host_type: '|Raspberry Pi 4 Model B Rev 1.4|', cpu_model: '0x41 0xd08' });
  });
});

describe.skipIf(journalMissing !== undefined)('of itself a machine says', () => {
  const classifications = () => server.arrivals.map(({ record }) => record.classification.replace('telemetricsd/', ''));

  test('hello once, and each day that it is alive', async () => {
    const own = machine(server.url);
    own.write('etc/locale.conf', 'LANG=de_DE.UTF-8\n');
    own.write('var/lib/telemetricsd-probe/started', `${Math.floor(Date.now() / 1000)}\n`);
    server.answer = () => 503;
    server.arrivals = [];
    await own.run('run');
    own.endPause();
    server.answer = () => 201;
    await own.run('run');
    const [heartbeat, hello] = server.kept();
    expect(classifications().sort()).toEqual(['heartbeat/ping', 'heartbeat/ping', 'hello/world', 'hello/world']);
    // The same ones that had not been taken at first.
    expect(server.arrivals.slice(0, 2).map(({ body }) => body)).toEqual(
      server.arrivals.slice(2).map(({ body }) => body),
    );
    expect(heartbeat!.payload).toMatch(/^uptime: 0\nLC_ALL: de_DE.UTF-8\nvirtualization: [a-z-]+\nprobe: 1\n$/);
    expect(hello!.severity).toBe('1');

    server.arrivals = [];
    await own.run('run');
    expect(classifications()).toEqual([]);
    own.write('var/lib/telemetricsd-probe/heartbeat', `${Math.floor(Date.now() / 86_400_000) - 2}\n`);
    own.write('proc/uptime', '200000.20 1000.00\n');
    await own.run('run');
    await own.run('run');
    expect(classifications()).toEqual(['heartbeat/ping']);
    // Days, then: with the seconds two ids could be known as one machine's.
    expect(server.arrivals[0]!.record.payload).toMatch(/^uptime: 172800\n/);
  });

  test('that it was updated; what came before has the build and the kernel of that time', async () => {
    const own = machine(server.url);
    await own.run('run');
    own.write(OS, 'ID=example\nVERSION_ID="13"\n');
    server.arrivals = [];
    await own.run('run');
    await own.run('run');
    expect(server.arrivals.map(({ record }) => [record.classification, record.payload, record.build])).toEqual([
      ['telemetricsd/update/os', 'from_version: 12\nto_version: 13\n', '13'],
    ]);
    const systems = own.read('var/lib/telemetricsd-probe/systems');
    expect(systems).toMatch(/^\d+ \S+ 12\n\d+ \S+ 13\n$/);
  });

  test('nothing that its configuration leaves out', async () => {
    const own = machine(server.url, 'send = coredumps');
    server.arrivals = [];
    await own.run('run');
    own.write(OS, 'ID=example\nVERSION_ID="13"\n');
    await own.run('run');
    expect(classifications()).toEqual([]);
  });
});

describe('the configuration', () => {
  test.each([
    'colour = blue',
    'server = ftp://example.org',
    'server = http://a b',
    'tid = two words',
    'send = coredump',
    'machine_id = none',
    'ca_file = /etc/"x"',
    'touch /tmp/never',
  ])('%s is refused with the line', async line => {
    const { code, output } = await machine(server.url, line).run('status');
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(`can't understand line 3:${line}`) });
    expect(output).toContain('send = some of coredumps kernel');
  });

  test('is never run by a shell', async () => {
    const own = machine(server.url, 'build_command = echo $(id)"; `x`\nca_file = $(exit)');
    const { code, output } = await own.run('status');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(server.url) });
  });

  test('may have the line ends of another system', async () => {
    const own = machine(server.url, 'send = coredumps\r\nca_file = /etc/my ca.pem\r');
    const { code, output } = await own.run('status');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/Sends {6}coredumps\n/) });
  });

  test('that is missing is an error', async () => {
    const own = machine(server.url);
    own.write('etc/telemetricsd-probe.conf', '# nothing\n');
    expect(await own.run('run')).toEqual({
      code: 1,
      output: expect.stringContaining('server and tid are needed'),
    });
  });
});

test('status, version and help', async () => {
  const own = machine(server.url);
  own.write('var/lib/telemetricsd-probe/pause', `3 ${Math.round(Date.now() / 1000) + 600} The server is away.\n`);
  const { output } = await own.run('status');
  expect(output).toContain(`telemetricsd-probe 1 reports to ${server.url}`);
  expect(output).toContain((await own.run('id')).output.trim());
  expect(output).toMatch(/Pauses +until .*; failures: 3\n +Reason +The server is away\.\n/);
  expect(await own.run('--version')).toEqual({ code: 0, output: 'telemetricsd-probe 1\n' });
  expect(await own.run('--help')).toEqual({
    code: 0,
    output: expect.stringMatching(/^Usage: telemetricsd-probe status/),
  });
  expect((await own.run('sing')).code).toBe(2);
});
