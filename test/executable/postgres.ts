import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import postgres from 'postgres';
import { unpackBinaries } from '../../src/db/binaries.ts';
import { initialise, postmasterStatus } from '../../src/db/postmaster.ts';
import { give, runAs } from '../../src/db/run-as.ts';
import { eventually, killPostgres, signal, type Workspace } from './program.ts';

export const PASSWORD = 'p4ss-5f3a9c';

/** A PostgreSQL as an administrator runs it: TCP, password, with a certificate also TLS alone. */
export interface ExternalServer {
  /** Of an empty database, whose owner it names. */
  url: string;
  /** As the superuser. */
  admin: postgres.Sql;
  start(): Promise<void>;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
}

export async function externalServer({ path, defer }: Workspace, { tls = false } = {}): Promise<ExternalServer> {
  const directory = path(tls ? 'external-tls' : 'external');
  mkdirSync(directory);
  const user = runAs(directory);
  const home = await unpackBinaries(join(directory, 'pg'));
  const dataDir = join(directory, 'data');
  const socketDir = join(directory, 'run');
  mkdirSync(socketDir);
  give(socketDir, user);
  initialise({ home, dataDir, socketDir, user });
  const rules = `local all all trust\n${tls ? 'hostssl' : 'host'} all all 127.0.0.1/32 scram-sha-256\n`;
  writeFileSync(join(dataDir, 'pg_hba.conf'), rules);
  if (tls) makeCertificate(dataDir);
  for (const name of tls ? ['server.crt', 'server.key'] : []) give(join(dataDir, name), user);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${socketDir}`, `ssl=${tls ? 'on' : 'off'}`];

  async function start() {
    const args = ['-D', dataDir, '-p', String(port), ...settings.flatMap(setting => ['-c', setting])];
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
    spawn(join(home, 'bin/postgres'), args, { cwd: dataDir, env, stdio: 'ignore', detached: true, ...user });
    await eventually('PostgreSQL starts', () => postmasterStatus(dataDir)?.ready);
  }

  await start();
  const admin = postgres({
    path: join(socketDir, `.s.PGSQL.${port}`),
    username: 'telemetricsd',
    database: 'postgres',
    max: 1,
  });
  defer(async () => {
    await admin.end({ timeout: 1 });
    signal(postmasterStatus(dataDir)?.pid ?? 0, 'SIGQUIT');
    await killPostgres(directory);
  });
  await admin.unsafe(`create role fleet login password '${PASSWORD}'`);
  await admin`create database telemetry owner fleet`;
  return {
    url: `postgres://fleet:${PASSWORD}@127.0.0.1:${port}/telemetry${tls ? '?sslmode=require' : ''}`,
    admin,
    start,
    kill: () => killPostgres(directory),
  };
}

function makeCertificate(dataDir: string) {
  const key = join(dataDir, 'server.key');
  const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const made = spawnSync('openssl', [
    'req',
    ...options,
    '-subj',
    '/CN=localhost',
    '-keyout',
    key,
    '-out',
    join(dataDir, 'server.crt'),
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  chmodSync(key, 0o600);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
