import { expect, test } from 'bun:test';
import { workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

const place = workspace();
const MACHINE = 'feedfeedfeedfeedfeedfeedfeedfeed';
const RULES = JSON.stringify([
  { name: 'passwords', pattern: 'password=\\S+' },
  { name: 'slow', classification: '*/slow/*', pattern: '.*=|x' },
]);

const request = (payload: string, headers: Record<string, string> = {}) =>
  headerRequest(payload, { headers: { machine_id: MACHINE, ...headers } });

test('the executable scrubs in a thread of its own, and outlives a rule without end', async () => {
  const program = await place.start({ env: { TELEMETRICSD_PRIVACY_SCRUB: RULES } });
  const sent = (payload: string, classification: string) =>
    exchange(program.port, request(payload, { classification, event_id: crypto.randomUUID().replaceAll('-', '') }));
  const { status, json } = await sent('password=s3cret\n', 'a/b/c');
  expect([status, json.payload]).toEqual([201, '[scrubbed]\n']);
  const evil = sent('x'.repeat(60_000), 'a/slow/b');
  expect((await sent('password=s3cret meanwhile', 'a/b/c')).status).toBe(201);
  expect((await evil).status).toBe(400);
  expect((await sent('x', 'a/slow/b')).status).toBe(201);
  expect((await program.stop()).code).toBe(0);
});

test('forget says what there is, asks, erases beside a running server, and names what it does not reach', async () => {
  const program = await place.start();
  await exchange(program.port, request('one\n'));
  await exchange(program.port, request('another\n', { severity: '9' }));
  const forget = (...options: string[]) =>
    place.run(['forget', MACHINE, ...options], {
      stateDir: program.stateDir,
      env: { TELEMETRICSD_RETENTION_MACHINE_ID: `${MACHINE}=3`, TELEMETRICSD_BACKUP_DIR: '/backups' },
    });

  const dry = await forget('--dry-run');
  expect(dry.code).toBe(0);
  expect(dry.stdout).toMatch(/1 {2}records \(\d{4}-\d\d-\d\d\), with what is counted of them\n/);
  expect(dry.stdout).toContain('1  records in quarantine');
  for (const unreached of ['in /backups and elsewhere', 'other ids of the same machine', 'retention.machine_id'])
    expect(dry.stdout).toContain(unreached);

  const asked = await forget();
  expect([asked.code, asked.stderr]).toEqual([
    1,
    expect.stringContaining('nothing was erased: that has to be confirmed'),
  ]);
  expect(asked.stderr).toContain('--yes');

  const done = await forget('--yes');
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('All of this is erased.')]);
  const sql = program.sql();
  const audit =
    await sql`select via, action, subject, before->>'records' as records from audit where action like 'forgot%'`;
  await sql.end();
  expect([...audit]).toEqual([
    { via: 'shell', action: 'forgot a machine', subject: `machine ${MACHINE}`, records: '1' },
  ]);
  const again = await forget('--yes');
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining(`Nothing is known of machine ${MACHINE}.`)]);
  expect((await exchange(program.port, request('three\n'))).status).toBe(201);
  await program.stop();
});
