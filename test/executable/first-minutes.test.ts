import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { eventually, workspace } from './program.ts';
import { exchange, get, headerRequest } from './wire.ts';

const place = workspace();

test('the printed lines work one after the other: the first account, a record, sample data beside it', async () => {
  const stateDir = place.path("ann's state");
  const program = await place.start({ stateDir, args: ['--welcome'], env: { TELEMETRICSD_HTTP_LISTEN: ':0' } });
  await eventually('the lines are printed', () => program.output().includes("--data-binary 'hello'"));
  const output = program.output();
  const listen = `http://${hostname()}:${program.port}`;
  expect(output).toContain(` ready listen=${listen} `);
  expect(output.match(/ migrations?/g)).toHaveLength(1);
  expect(output).toContain(`First account         ${listen}/telemetryui/links/`);

  const posted = sh(output.slice(output.indexOf('curl -s'), output.indexOf("'hello'") + "'hello'".length));
  expect(posted).toContain('"payload":"hello"');
  const [, sample = ''] = /Sample data +(.+?) {3}/.exec(output) ?? [];
  expect(sample).toStartWith('TELEMETRICSD_STATE_DIR=');
  const smaller = `${sample} --records 500 --machines 50 --days 3`;
  expect(sh(smaller)).toContain('Writing SAMPLE DATA into');
  const sql = program.sql();
  const [row] = await sql<{ records: number; counted: number; byHour: number }[]>`
    select (select count(*) from records) as records, (select sum(records)::bigint from build_counts) as counted,
           (select sum(records)::bigint from hour_counts) as "byHour"`;
  await sql.end();
  expect(row).toEqual({ records: 501, counted: 501, byHour: 501 });
  // Real ones are there now.
  expect(sh(smaller)).toContain('the database has records already');
  const { json } = await exchange(program.port, headerRequest('hello\n', { headers: { severity: '9' } }));
  expect(json.message).toContain('severity');
  expect((await exchange(program.port, get('/healthz'))).text).toBe('alive\n');
  expect((await program.stop()).code).toBe(0);
  // Refused records, sign-ins and the like: an IPv4 address is one everywhere.
  expect(program.output()).not.toContain('::ffff:');
});

function sh(line: string): string {
  const { stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  return stdout + stderr;
}

test('a backup.dir that can not be written to is known at the start, not in the night', async () => {
  const dir = place.path('a-file/backups');
  writeFileSync(place.path('a-file'), '');
  const env = { TELEMETRICSD_BACKUP_DIR: dir };
  const program = await place.start({ env });
  const { stateDir } = program;
  await eventually('it is logged', () =>
    /warn .*backup\.dir.* reason="ENOTDIR: not a directory"/.test(program.output()),
  );
  const doctor = () => place.run(['doctor'], { stateDir, env: { ...env, TELEMETRICSD_HTTP_LISTEN: '127.0.0.1:0' } });
  await eventually('doctor says so', async () => /error +Backup +The last one failed/.test((await doctor()).stdout));
  expect((await program.stop()).code).toBe(0);

  rmSync(place.path('a-file'));
  const mended = await place.start({ stateDir, env });
  await eventually('doctor is content', async () => /ok +Backup +None yet/.test((await doctor()).stdout));
  expect((await mended.stop()).code).toBe(0);
  expect(mended.output()).not.toContain('.unfinished');
});

test('what can not be written is named without what only the program knows', async () => {
  const program = await place.start();
  mkdirSync(place.path('closed'));
  chmodSync(place.path('closed'), 0o500);
  const file = place.path('closed/none/x.backup');
  const { code, stderr } = await place.run(['backup', file], { stateDir: program.stateDir });
  expect(code).toBe(1);
  expect(stderr).toContain(`${file} can't be written: ENOENT: no such file or directory\n`);
  expect(stderr).not.toContain('unfinished');
  expect((await program.stop()).code).toBe(0);
});
