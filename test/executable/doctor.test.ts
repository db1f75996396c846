import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { makeCertificate, withoutOpenssl } from '../tls/certificates.ts';
import { workspace } from './program.ts';

const place = workspace();

/** Level and text of each line, by its name; the last one where there are several. */
function parse(stdout: string): Record<string, string> {
  const lines = [...stdout.matchAll(/^(ok|warning|error) +(\w+(?: \w+)?) {2,}(.+)$/gm)];
  return Object.fromEntries(lines.map(([, level, name, text]) => [name, `${level}: ${text}`]));
}

/** Every file below a directory, with when it was written. */
function stamps(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(name => !name.startsWith('pg/'))
    .map(name => `${name} ${statSync(join(dir, name)).mtimeMs}`)
    .sort();
}

test('beside a running server, and with it stopped, when it changes nothing', async () => {
  const program = await place.start();
  const { stateDir } = program;
  const env = { TELEMETRICSD_HTTP_LISTEN: `127.0.0.1:${program.port}` };
  const sql = program.sql();
  await sql`insert into job_outcomes (job, failed_at, failure) values ('purge', now(), 'no reason')`;
  const running = await place.run(['doctor'], { stateDir, env });
  expect(running.stderr).toBe('');
  expect(running.code).toBe(1);
  const found = parse(running.stdout);
  expect(found.Addresses).toBe(`ok: A telemetricsd answers at 127.0.0.1:${program.port}.`);
  expect(found.Database).toMatch(/^ok: PostgreSQL 18\.\d+ answers\. Its schema is what this version needs\.$/);
  expect(found.Clock).toBe("ok: The clock of the database agrees with this host's within 5 s.");
  expect(found.Purge).toStartWith('error: The last one failed');
  expect(running.stdout).toMatch(/\n {20,}no reason\n/);
  expect(found.Backup).toStartWith('warning: No automatic backups, and none made by hand.');
  const file = place.path('newer.toml');
  writeFileSync(file, 'log.level = "info"\n', { mode: 0o600 });
  const changed = await place.run(['doctor', '--config', file], { stateDir, env });
  expect(changed.stdout).toContain(
    `No mistakes: 1 setting from ${file}, 2 settings from the environment. ${file} changed after`,
  );
  expect(changed.stdout).toContain(' systemctl restart telemetricsd\n');

  await sql`delete from schema_migrations where number = (select max(number) from schema_migrations)`;
  await sql`delete from job_outcomes`;
  await sql.end();
  const older = await place.run(['doctor'], { stateDir, env });
  expect(older.code).toBe(0);
  expect(parse(older.stdout).Database).toMatch(/^warning: .* Migrations are pending: \w+\.$/);

  await program.stop();
  const before = stamps(stateDir);
  const stopped = await place.run(['doctor'], { stateDir, env });
  expect(stopped.code).toBe(0);
  expect(parse(stopped.stdout)).toMatchObject({
    Addresses: `ok: 127.0.0.1:${program.port} is free.`,
    Database: 'ok: telemetricsd does not run. Its database is checked only while it runs.',
    PostgreSQL: expect.stringMatching(/^ok: The programs of PostgreSQL 18\.\d+ run here\.$/),
  });
  expect(stamps(stateDir)).toEqual(before);
});

test('names each thing that is wrong, with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  place.defer(() => taken.close());
  await new Promise(resolve => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const stateDir = place.path('wrong');
  mkdirSync(join(stateDir, 'data'), { recursive: true, mode: 0o700 });
  writeFileSync(join(stateDir, 'data/PG_VERSION'), '12\n');
  const future = new Date(Date.now() + 3_600_000);
  utimesSync(join(stateDir, 'data'), future, future);
  const file = place.path('config.toml');
  writeFileSync(file, 'oidc.client_secret = "x"\n[backup]\ndir = "/nowhere/at/all"\n[disk]\nreserve = "1000 GB"\n');
  chmodSync(file, 0o644);
  const env = { TELEMETRICSD_HTTP_LISTEN: `127.0.0.1:${port},192.0.2.1:8080` };
  const { code, stdout } = await place.run(['doctor', '--config', file], { stateDir, env });
  expect(code).toBe(1);
  for (const line of [
    `warning  Configuration     Everyone may read ${file}, which holds oidc.client_secret.`,
    `error    Addresses         Something else listens at 127.0.0.1:${port}.`,
    'error    Addresses         Nothing can listen at 192.0.2.1:8080',
    'error    Disk              Too little space: records are answered 503.',
    'warning  Clock             It is',
    'error    Backup directory  /nowhere/at/all is not there.',
    'error    Database          the data in',
  ])
    expect(stdout).toContain(line);
});

test('a wrong configuration is named whole, an external database that is away is an error', async () => {
  const wrong = await place.run(['doctor'], { env: { TELEMETRICSD_LOG_LEVEL: 'loud', TELEMETRICSD_BACKUP_KEEP: '0' } });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/^error +Configuration +2 mistakes[\s\S]*log\.level[\s\S]*backup\.keep/);
  const url = 'postgres://u:hidden@127.0.0.1:1/x';
  const file = place.path('open.toml');
  writeFileSync(file, '');
  chmodSync(file, 0o666);
  const away = await place.run(['doctor', '--config', file], { env: { TELEMETRICSD_DATABASE_URL: url } });
  expect(away.code).toBe(1);
  expect(parse(away.stdout).Database).toStartWith("error: the database server of database.url can't be used");
  expect(away.stdout).not.toContain('hidden');
  expect(parse(away.stdout).Configuration).toBe(`error: Everyone may write ${file}.`);
});

test.skipIf(withoutOpenssl('test/executable/doctor.test.ts'))('certificates', async () => {
  const { cert, key } = makeCertificate(place.path('soon'), { name: 'soon.example', days: 20 });
  const other = makeCertificate(place.path('other'), { name: 'other.example' });
  chmodSync(key, 0o600);
  const env = {
    TELEMETRICSD_HTTP_LISTEN: 'https://127.0.0.1:0',
    TELEMETRICSD_TLS_CERT: cert,
    TELEMETRICSD_TLS_KEY: key,
  };
  const soon = await place.run(['doctor'], { env, prepared: true });
  expect(parse(soon.stdout).Certificate).toMatch(
    /^warning: Certificate and key belong together, for soon\.example.* in \d+ days\.$/,
  );
  const mismatch = await place.run(['doctor'], { env: { ...env, TELEMETRICSD_TLS_KEY: other.key }, prepared: true });
  expect(mismatch.code).toBe(1);
  expect(parse(mismatch.stdout).Certificate).toContain('do not belong together');
});

test('--notify-test sends one notice through each channel', async () => {
  const hook = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: request => request.json().then(take) });
  place.defer(() => hook.stop(true));
  const taken: unknown[] = [];
  function take(json: unknown) {
    taken.push(json);
    return new Response('');
  }
  const env = {
    TELEMETRICSD_NOTIFY_WEBHOOK: `http://127.0.0.1:${hook.port}/geheim`,
    TELEMETRICSD_NOTIFY_COMMAND: '/bin/false',
  };
  const { code, stdout } = await place.run(['doctor', '--notify-test'], { env });
  expect(code).toBe(1);
  expect(taken).toEqual([expect.objectContaining({ subject: 'test', level: 'test' })]);
  expect(stdout).toMatch(/^ok +notify\.webhook +The test notice was sent\.\nerror +notify\.command .*exit code 1\.\n/);
  expect(stdout).not.toContain('geheim');
  const none = await place.run(['doctor', '--notify-test'], {});
  expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('There is nowhere to send them.') });
});
