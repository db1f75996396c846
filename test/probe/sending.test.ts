import { beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { TID } from '../app.ts';
import { eventually } from '../executable/program.ts';
import { crash, journalMissing, kernelLines } from './journal.ts';
import { isOfJournal, machineMaker, type SentRecord } from './machine.ts';
import { recordingServer } from './server.ts';

const machine = machineMaker();
const AT = 1_790_000_000;
const CONF = 'etc/telemetricsd-probe.conf';
const PAUSE = 'var/lib/telemetricsd-probe/pause';
const PERIOD = 259_200;

const server = recordingServer();
beforeEach(() => {
  server.arrivals = [];
  server.answer = () => 201;
});

const identity = ({ machine_id, event_id, creation_timestamp, classification, payload }: SentRecord) =>
  [machine_id, event_id, creation_timestamp, classification, payload].join('\n');
const sent = () => server.kept().filter(isOfJournal);
const identities = () => new Set(sent().map(identity));

/** What the probe says of itself is of no interest, and sent first. */
async function quietMachine() {
  const own = machine(server.url, 'send = coredumps kernel hardware');
  await own.log([crash(AT), crash(AT + 1), crash(AT + 2)]);
  return own;
}

describe.skipIf(journalMissing !== undefined)('the probe', () => {
  test('sends what is in the journal once, oldest first, over one connection', async () => {
    const own = await quietMachine();
    const before = server.connections();
    expect((await own.run('run')).code).toBe(0);
    expect(sent().map(record => record.creation_timestamp)).toEqual([AT, AT + 1, AT + 2].map(String));
    expect(server.connections() - before).toBe(1);
    const { headers } = server.arrivals[0]!;
    expect(headers.get('x-telemetry-tid')).toBe(TID);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('user-agent')).toBe('telemetricsd-probe/1');

    await own.log([crash(AT + 3)]);
    await own.run('run');
    expect(sent().map(record => record.creation_timestamp)).toEqual([AT, AT + 1, AT + 2, AT + 3].map(String));
  });

  test('keeps everything while the server does not take it, pauses, and sends the same later', async () => {
    const own = await quietMachine();
    const conf = own.read(CONF);
    const unknownTid: [number, string] = [400, 'X-Telemetry-TID: got "x", expected a TID of this server'];
    const came: SentRecord[] = [];
    // 200 may be the sign-in page of a network.
    for (const answer of [undefined, 503, 403, 200, unknownTid]) {
      server.answer = () => answer!;
      if (answer === undefined) own.write(CONF, conf.replace(server.url, 'http://127.0.0.1:9'));
      const { code, output } = await own.run('run');
      expect({ answer, code, output }).toMatchObject({ answer, code: 0 });
      expect(output).toMatch(/stay in the journal. Next try in \d+ s/);
      const [failures, until] = own.read(PAUSE).split(' ').map(Number);
      expect(failures).toBe(1);
      expect(until! - Date.now() / 1000).toBeWithin(30, 450);
      own.write(CONF, conf);
      own.endPause();
    }
    came.push(...server.arrivals.map(({ record }) => record));
    server.answer = (_, nth) => (nth === came.length + 1 ? 503 : 201);
    await own.run('run');
    own.endPause();
    server.answer = () => 201;
    await own.run('run');
    expect(new Set(came.map(identity)).size).toBe(3);
    expect(identities()).toEqual(new Set(came.map(identity)));
  });

  test('does nothing during a pause', async () => {
    const own = await quietMachine();
    own.write(PAUSE, `1 ${Math.round(Date.now() / 1000) + 60}\n`);
    expect((await own.run('run')).output).toContain('Pausing until');
    expect(server.arrivals).toEqual([]);
    // A pause of months is the work of a clock that was wrong.
    own.write(PAUSE, `1 ${Math.round(Date.now() / 1000) + 9_000_000}\n`);
    await own.run('run');
    expect(sent().length).toBe(3);
  });

  test('passes over a record that the server refuses, and says so', async () => {
    const own = await quietMachine();
    server.answer = record => (record.creation_timestamp === String(AT + 1) ? [400, 'severity: wrong'] : 201);
    const { output } = await own.run('run');
    expect(output).toContain('The server refuses a record (400), which is passed over: severity: wrong');
    expect(sent().map(record => record.creation_timestamp)).toEqual([AT, AT + 2].map(String));
    await own.run('run');
    expect(server.arrivals.length).toBe(3);
  });

  test('a record that something on the way never lets through holds up the others for some tries only', async () => {
    const own = await quietMachine();
    server.answer = record => (record.creation_timestamp === String(AT) ? 403 : 201);
    for (let tries = 0; tries < 5; tries++) {
      expect((await own.run('run')).output).toContain(tries < 4 ? 'they stay in the journal' : 'passed over');
      own.endPause();
    }
    expect(new Set(sent().map(record => record.creation_timestamp))).toEqual(new Set([AT + 1, AT + 2].map(String)));
    const before = server.arrivals.length;
    await own.run('run');
    expect(server.arrivals.length).toBe(before);
  });

  test.each([
    ['cursor', ''],
    ['cursor', 'garbage\n'],
    ['cursor', 's=00;i=1;b=00;m=1;t=1;x=1\n'],
    ['pause', 'garbage\n'],
    ['pause', '1\n'],
    ['started', '99999999999\n'],
  ])('a damaged %s of %p does not stop it', async (file, text) => {
    const own = machine(server.url, 'send = coredumps');
    const now = Math.floor(Date.now() / 1000);
    await own.log([crash(now + 3)]);
    own.write(`var/lib/telemetricsd-probe/${file}`, text);
    expect(await own.run('run')).toEqual({ code: 0, output: '' });
    expect(sent().length).toBe(1);
  });

  test('an answer without an end does not fill the disk, nor reaches the log as it is', async () => {
    const own = await quietMachine();
    const endless = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () =>
        new Response(new ReadableStream({ pull: sink => sink.enqueue(new Uint8Array(65_536)) }), { status: 500 }),
    });
    const conf = own.read(CONF);
    own.write(CONF, conf.replace(server.url, `http://127.0.0.1:${endless.port}`));
    const started = performance.now();
    expect((await own.run('run')).output).toMatch(/does not take records \(500/);
    // It would take 45 s.
    expect(performance.now() - started).toBeLessThan(30_000);
    await endless.stop(true);
    own.write(CONF, conf);
    own.endPause();
    server.answer = () => [400, 'two\nlines \u001b[31m'];
    expect((await own.run('run')).output).toMatch(/^(The server refuses a record \(400\)[ -~]*\n){3}$/);
  });

  test('pauses longer the more often it fails, at most some hours', async () => {
    const own = await quietMachine();
    server.answer = () => 503;
    const pauseAfter = async (failures: number) => {
      own.write(PAUSE, `${failures - 1} 0\n`);
      await own.run('run');
      return Number(own.read(PAUSE).split(' ')[1]) - Date.now() / 1000;
    };
    expect(await pauseAfter(4)).toBeGreaterThan(1_100);
    const longest = await pauseAfter(60);
    expect(longest).toBeGreaterThan(9_000);
    expect(longest).toBeLessThan(30_000);
  });

  test('killed in the middle, it loses nothing and makes no other records of the same', async () => {
    const own = machine(server.url, 'send = coredumps');
    await own.log(Array.from({ length: 50 }, (_, n) => crash(AT + n)));
    server.answer = (_, nth) => (nth === 34 ? new Promise(() => {}) : 201);
    const running = own.start('run');
    await eventually('it has sent some', () => server.arrivals.length >= 34);
    running.kill('SIGKILL');
    await running.exited;
    server.answer = () => 201;
    await own.run('run');
    expect(identities().size).toBe(50);
    // The first three batches of 10 are not sent again.
    expect(server.arrivals.length).toBe(34 + 20);
  });

  test('the id is that of the period of the entry, however late it is sent', async () => {
    const own = machine(server.url, 'send = coredumps');
    const edge = PERIOD * 6_900;
    await own.log([crash(edge - 1), crash(edge)]);
    server.answer = () => 503;
    await own.run('run');
    const first = server.arrivals.map(({ record }) => record.machine_id);
    server.answer = () => 201;
    own.endPause();
    await own.run('run');
    const idAt = (period: number) =>
      createHash('sha256')
        .update(`0123456789abcdef0123456789abcdef\n${'5'.repeat(64)}\n${period}\n`)
        .digest('hex')
        .slice(0, 32);
    expect(sent().map(record => record.machine_id)).toEqual([idAt(6_899), idAt(6_900)]);
    expect(first).toEqual(sent().map(record => record.machine_id));
    expect((await own.run('id')).output.trim()).toBe(idAt(Math.floor(Date.now() / 1000 / PERIOD)));
  });

  test('a setting makes the id a fixed one', async () => {
    const own = machine(server.url, 'machine_id = fixed\nsend = coredumps');
    await own.log([crash(AT), crash(AT + 2 * PERIOD)]);
    await own.run('run');
    const id = (await own.run('id')).output.trim();
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(sent().map(record => record.machine_id)).toEqual([id, id]);
  });

  test('goes on with what is left where the journal was rotated away under its cursor', async () => {
    const own = await quietMachine();
    await own.run('run');
    rmSync(own.path('var/log/journal/system.journal'));
    await own.log([crash(AT + 100, {}, 2), crash(AT + 101, {}, 2)], 'later');
    await own.run('run');
    expect(sent().map(record => record.creation_timestamp)).toEqual(
      [AT, AT + 1, AT + 2, AT + 100, AT + 101].map(String),
    );
  });

  test('after a week offline it catches up, a bounded number of records a run', async () => {
    const own = machine(server.url, 'send = coredumps kernel');
    const entries = Array.from({ length: 10_000 }, (_, n) =>
      n % 2 ? crash(AT + n * 60) : kernelLines(AT + n * 60, `usb 1-1: new high-speed USB device number ${n}`)[0]!,
    );
    await own.log(entries);
    const started = performance.now();
    const before = server.connections();
    await own.run('run');
    const first = performance.now() - started;
    expect(sent().length).toBe(200);
    expect(server.connections() - before).toBe(20);
    // Loaded machines take long; without a bound it would be 5,000 records.
    expect(first).toBeLessThan(60_000);
    // Where the signal of a closed pipe is ignored, as in services, the end of reading looks like a failure.
    await own.run('run', { shell: ['sh', '-c', 'trap "" PIPE; exec sh "$0" "$@"'], awk: 'awk' });
    expect(sent().map(record => record.creation_timestamp)).toEqual(
      Array.from({ length: 400 }, (_, n) => String(AT + (2 * n + 1) * 60)),
    );
  });

  test('a journal that cannot be read is an error', async () => {
    const own = machine(server.url);
    rmSync(own.path('var/log/journal'), { recursive: true });
    const { code, output } = await own.run('run');
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('the journal could not be read') });
  });
});

describe.skipIf(journalMissing !== undefined)('a report of the kernel', () => {
  const seconds = () => Math.floor(Date.now() / 1000);
  const START = 'watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [demo:77]\nCall Trace:\n demo_spin+0x4/0x10';

  test('waits until it has been quiet, and what comes meanwhile belongs to it', async () => {
    const own = machine(server.url, 'send = coredumps kernel');
    const now = seconds();
    await own.log([crash(now - 30), ...kernelLines(now - 20, START), crash(now - 19)]);
    await own.run('run');
    expect(sent().map(record => record.classification)).toEqual(Array(2).fill('telemetricsd/coredump/crash'));
    await own.log(kernelLines(now - 10, ' demo_poll+0x1/0x2'));
    await own.run('run');
    expect(identities().size).toBe(2);

    // As if half a minute had passed.
    const later = machine(server.url, 'send = coredumps kernel');
    await later.log([...kernelLines(now - 70, START), ...kernelLines(now - 60, ' demo_poll+0x1/0x2')]);
    await later.run('run');
    expect(sent().at(-1)).toMatchObject({
      classification: 'telemetricsd/kernel/lockup',
      payload: `${START}\n demo_poll+0x1/0x2\n`,
    });
  });

  test('is the same whenever it is cut: by silence, by the next one, by another boot', async () => {
    const own = machine(server.url, 'send = kernel');
    const cut = `${START}\n`;
    await own.log([
      ...kernelLines(AT, START),
      ...kernelLines(AT + 20, START),
      ...kernelLines(AT + 200, START),
      // Another clock has begun.
      ...kernelLines(AT + 201, ' of the next boot', 2),
      ...kernelLines(AT + 202, START, 2),
      ...kernelLines(AT + 240, ' after a silence', 2),
    ]);
    const records = await own.preview();
    expect(records.map(({ payload, creation_timestamp }) => [payload, creation_timestamp])).toEqual(
      [AT, AT + 20, AT + 200, AT + 202].map(at => [cut, String(at)]),
    );
    await own.run('run');
    expect(sent()).toEqual(records);
  });
});
