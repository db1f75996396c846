import { beforeAll, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from '../../src/db/connect.ts';
import { missingFrom, startLoad, tally } from './load.ts';
import { type ExternalServer, externalServer, PASSWORD } from './postgres.ts';
import { eventually, type Program, workspace } from './program.ts';
import { exchange, get, headerRequest, jsonRequest } from './wire.ts';

const place = workspace();
let server: ExternalServer;
let one: Program;
let two: Program;

beforeAll(async () => {
  server = await externalServer(place);
  const options = { env: { TELEMETRICSD_DATABASE_URL: server.url } };
  [one, two] = await Promise.all([
    place.start({ ...options, stateDir: place.path('one') }),
    place.start({ ...options, stateDir: place.path('two') }),
  ]);
});

test('two instances start at once on an empty database and start no PostgreSQL of their own', async () => {
  for (const program of [one, two]) {
    expect(program.output()).toContain('database=external');
    expect(existsSync(program.stateDir)).toBe(false);
    expect((await exchange(program.port, get('/readyz'))).text).toBe('ready\n');
  }
  const applied = [one, two].map(program => program.output().match(/brought the schema up to date/g)?.length ?? 0);
  const { code, stdout } = await place.run(['migrate', '--check'], { env: { TELEMETRICSD_DATABASE_URL: server.url } });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^The configuration is in order\.\nPostgreSQL .* is external\.\nThe database is up to date\.\n$/,
  );
  expect(applied.filter(count => count > 0)).toHaveLength(1);
});

test('the same record through both gets one id, also at the same moment', async () => {
  for (let n = 0; n < 20; n++) {
    const request = headerRequest(`number ${n}\n`);
    const answers = await Promise.all([one, two, one, two].map(({ port }) => exchange(port, request)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    for (const { json } of answers) expect(json).toEqual(answers[0]!.json);
  }
  const { json } = await exchange(two.port, get('/api/records'));
  expect(json.records).toHaveLength(20);
});

test('what one refused, the other recognises', async () => {
  const request = jsonRequest({ severity: '7', machine_id: 'refused-by-both' });
  expect((await exchange(one.port, request)).status).toBe(400);
  expect((await exchange(two.port, request)).status).toBe(400);
  const [row] = await withDatabase(sql => sql`select count(*) as entries, max(attempts) as attempts from quarantine`);
  expect(row).toEqual({ entries: 1, attempts: 2 });
});

test('connections cut and the server killed under load: 503 meanwhile, both go on, nothing is lost', async () => {
  const load = startLoad([one.port, two.port], { connections: 32, reconnect: true });
  for (let n = 0; n < 5; n++) {
    await Bun.sleep(200);
    await server.admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'telemetricsd%'`;
  }
  await continues(load);
  await server.kill();
  await eventually('both say 503', async () => {
    const answers = await Promise.all([one, two].map(({ port }) => exchange(port, get('/readyz'))));
    return answers.every(({ status }) => status === 503);
  });
  for (const { port } of [one, two]) {
    expect((await exchange(port, headerRequest('hello\n'))).status).toBe(503);
    expect((await exchange(port, get('/telemetryui/records'))).status).toBe(503);
    expect((await exchange(port, get('/healthz'))).status).toBe(200);
  }
  await Bun.sleep(500);
  await server.start();
  await continues(load);
  await load.stop();

  const { 201: stored, 503: unavailable, ...others } = load.statuses;
  expect({ others, broken: load.broken }).toEqual({ others: {}, broken: 0 });
  expect(stored).toBe(load.acknowledged.size);
  expect(unavailable).toBeGreaterThan(0);
  await withDatabase(async sql => {
    expect(await missingFrom(sql, load.acknowledged)).toEqual([]);
    const { records, repeated, byBuild, byHour } = await tally(sql);
    expect({ repeated, byBuild, byHour }).toEqual({ repeated: 0, byBuild: records, byHour: records });
  });
});

function continues({ acknowledged }: { acknowledged: Map<string, number> }) {
  const before = acknowledged.size;
  return eventually('records are stored again', () => acknowledged.size > before + 300);
}

test('both stop within the time, and the password is nowhere to be read', async () => {
  const { stdout } = await place.run(['config'], { env: { TELEMETRICSD_DATABASE_URL: server.url } });
  expect(stdout).not.toContain(PASSWORD);
  for (const program of [one, two]) {
    expect((await program.stop()).code).toBe(0);
    expect(program.output()).not.toContain(PASSWORD);
  }
  const wrong = server.url.replace(PASSWORD, `${PASSWORD}-wrong`);
  for (const url of [wrong, wrong.replace(/:\d+\//, ':1/'), wrong.replace('127.0.0.1', 'nowhere.invalid')]) {
    const { code, stderr } = await place.run(['serve'], {
      env: { TELEMETRICSD_DATABASE_URL: url, TELEMETRICSD_LOG_LEVEL: 'debug' },
    });
    expect(code).toBe(1);
    expect(stderr).not.toContain(PASSWORD);
    expect(stderr).toMatch(/^telemetricsd: the database server of database.url can't be used: .*\nCheck that it runs/m);
  }
});

test.skipIf(!Bun.which('openssl'))('over TLS with a certificate of its own', async () => {
  const secure = await externalServer(place, { tls: true });
  const plain = secure.url.replace(/\?.*/, '?sslmode=disable');
  expect((await place.run(['migrate', '--check'], { env: { TELEMETRICSD_DATABASE_URL: plain } })).code).toBe(1);
  // In a file, as an administrator keeps it.
  const config = place.path('tls.toml');
  writeFileSync(config, `[database]\nurl = "${secure.url}"\n[http]\nlisten = "127.0.0.1:0"\n`);
  const program = await place.start({ args: ['--config', config] });
  expect((await exchange(program.port, headerRequest('hello\n'))).status).toBe(201);
  const sessions = await secure.admin<{ ssl: boolean }[]>`
    select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'fleet'`;
  expect(sessions.map(({ ssl }) => ssl)).toEqual([true]);
  expect((await program.stop()).code).toBe(0);
});

async function withDatabase<T>(work: (sql: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
  const sql = connect({ target: { url: server.url }, connections: 1, name: 'test' });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
