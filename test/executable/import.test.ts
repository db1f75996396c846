import { beforeAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { connect } from '../../src/db/connect.ts';
import { createOldDatabase, insertOld } from '../import/old-database.ts';
import { type ExternalServer, externalServer, PASSWORD } from './postgres.ts';
import { EXECUTABLE, eventually, workspace } from './program.ts';
import { exchange, headerRequest } from './wire.ts';

const place = workspace();
const RECORDS = 5_000;
const DAY = 86_400;

let server: ExternalServer;
let url: string;

beforeAll(async () => {
  server = await externalServer(place);
  url = server.url;
  const old = connect({ target: { url }, connections: 1, name: 'test' });
  place.defer(() => old.end());
  await createOldDatabase(old, 'flat');
  const start = Math.floor(Date.now() / 1000 / DAY) * DAY - 10 * DAY;
  const rows = Array.from({ length: RECORDS }, (_, n) => ({
    id: n + 1,
    machine_id: `machine-${n % 300}`,
    timestamp_client: start + n * 100,
    timestamp_server: start + n * 100 + 5,
    payload: `payload ${n}\n`,
  }));
  await insertOld(old, 'flat', rows);
});

test('import goes on after kill -9, beside a server that takes records and without one, and shows no password', async () => {
  const program = await place.start();
  const sql = program.sql();

  const args = ['import', '--from', url];
  const env = { PATH: '/usr/bin:/bin', TELEMETRICSD_STATE_DIR: program.stateDir };
  const first = spawn(EXECUTABLE, args, { env, stdio: 'ignore' });
  const ended = new Promise(resolve => first.once('close', resolve));
  await eventually('some are imported', async () => {
    const [row] = await sql<{ imported: number }[]>`select coalesce(sum(imported), 0)::bigint as imported from imports`;
    return row!.imported > 0;
  });
  expect((await exchange(program.port, headerRequest('taken meanwhile\n'))).status).toBe(201);
  first.kill('SIGKILL');
  await ended;

  await sql.end();
  await program.stop();
  const second = await place.run(args, { stateDir: program.stateDir });
  expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('0  difference') });
  expect(second.stdout + second.stderr).not.toContain(PASSWORD);
  const restarted = await place.start({ stateDir: program.stateDir });
  const after = restarted.sql();
  const [stored] = await after`
    select count(*) as records, count(distinct id) as ids, count(distinct (machine_id, payload)) as different,
           (select sum(records)::bigint from build_counts) as counted, (select count(*) from records_default) as unplaced
      from records`;
  const all = RECORDS + 1;
  expect(stored).toEqual({ records: all, ids: all, different: all, counted: all, unplaced: 0 });
  await after.end();
});

test('into an external database, which no server has used yet', async () => {
  await server.admin`create database elsewhere owner fleet`;
  const target = url.replace('/telemetry', '/elsewhere');
  const args = ['import', '--from', url];
  const { code, stdout, stderr } = await place.run(args, { env: { TELEMETRICSD_DATABASE_URL: target } });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('5,000  imported into the fleet') });
  expect(stdout + stderr).not.toContain(PASSWORD);
  const sql = connect({ target: { url: target }, connections: 1, name: 'test' });
  place.defer(() => sql.end());
  const [stored] = await sql`
    select count(*) as records, min(id) as first, max(id) as last, (select count(*) from records_default) as unplaced from records`;
  expect(stored).toEqual({ records: RECORDS, first: 1, last: RECORDS, unplaced: 0 });
  const itself = await place.run(args, { env: { TELEMETRICSD_DATABASE_URL: url } });
  expect(itself).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the database that this server uses itself'),
  });
});

test('a URL is never shown, however wrong it is', async () => {
  for (const from of [`mysql://fleet:${PASSWORD}@127.0.0.1/telemdb`, `postgres://fleet:${PASSWORD}`]) {
    const { code, stdout, stderr } = await place.run(['import', '--from', from]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain(PASSWORD);
  }
  const { code, stderr } = await place.run(['import', '--from', `postgres://fleet:${PASSWORD}@127.0.0.1:1/telemdb`]);
  const unknown = await place.run(['import', '--from', 'postgres://127.0.0.1:1/telemdb', '--fleet', 'nobody']);
  expect(unknown.stderr).toContain('there is no fleet "nobody" in collector.tids');
  expect(code).toBe(1);
  expect(stderr).toContain("the old database can't be read");
  expect(stderr).not.toContain(PASSWORD);
});
