import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { getJson, type TestApp, testApp } from '../app.ts';
import { crash, journalMissing, kernelLines } from './journal.ts';
import { type Machine, machineMaker } from './machine.ts';
import { REPORTS } from './reports.ts';

const machine = machineMaker();
const AT = 1_790_000_000;

describe.skipIf(journalMissing !== undefined)('the server', () => {
  let server: TestApp;
  let own: Machine;
  let listening: Bun.Server<undefined>;
  beforeAll(async () => {
    server = await testApp();
    listening = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: request => server.app.request(request) });
    own = machine(
      `http://127.0.0.1:${listening.port}/`,
      'send = coredumps kernel hardware heartbeat updates failed-units',
    );
    await own.log([
      ...REPORTS.flatMap(({ text }, n) => kernelLines(AT + n * 100, text)),
      crash(AT + 10_000, { MESSAGE: Uint8Array.from({ length: 256 }, (_, n) => n), COREDUMP_EXE: '/home/alice/é' }),
      {
        at: AT + 20_000,
        fields: {
          MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c',
          _PID: '1',
          MESSAGE: "demo@alice.service: Failed with result 'exit-code'.",
          UNIT: 'demo@alice.service',
          UNIT_RESULT: 'exit-code',
        },
      },
    ]);
    await own.run('run');
    own.write('etc/os-release', 'ID=example\nVERSION_ID="13"\n');
    expect(await own.run('run')).toEqual({ code: 0, output: '' });
  });
  afterAll(async () => {
    await listening.stop(true);
    await server.close();
  });

  const records = async () => (await getJson(server.app, '/api/records')).json.records as Record<string, unknown>[];

  test('takes every kind of record', async () => {
    const counts = new Map<string, number>();
    for (const { classification } of await records())
      counts.set(String(classification), (counts.get(String(classification)) ?? 0) + 1);
    const expected = Map.groupBy(REPORTS, report => `telemetricsd/${report.class}`);
    expect(new Set((await records()).map(record => record.way_in))).toEqual(new Set(['probe']));
    expect(Object.fromEntries(counts)).toEqual({
      ...Object.fromEntries([...expected].map(([kind, reports]) => [kind, reports.length])),
      'telemetricsd/coredump/crash': 1,
      'telemetricsd/unit/failed': 1,
      'telemetricsd/hello/world': 1,
      'telemetricsd/heartbeat/ping': 1,
      'telemetricsd/update/os': 1,
    });
    expect((await getJson(server.app, '/api/quarantine')).json.requests ?? []).toEqual([]);
  });

  test('knows those that come again', async () => {
    const before = (await records()).length;
    rmSync(own.path('var/lib/telemetricsd-probe/cursor'));
    expect(await own.run('run')).toEqual({ code: 0, output: '' });
    expect((await records()).length).toBe(before);
  });

  test('reads the update', async () => {
    const { matrix } = (await getJson(server.app, '/api/updates')).json;
    expect(matrix).toEqual([{ os: 'example', from: '12', to: '13', records: 1 }]);
  });

  test('gets names of people neither in units nor in paths', async () => {
    const text = JSON.stringify(await records());
    expect(text).toContain('demo@.service');
    expect(text).not.toContain('alice');
  });
});
