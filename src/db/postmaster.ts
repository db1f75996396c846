import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { lockFile } from './file-lock.ts';
import { memorySettings } from './memory.ts';
import { closedTo, give, type RunAs } from './run-as.ts';
import { writeAheadLogSettings } from './write-ahead-log.ts';

export interface Cluster {
  /** The directory of PostgreSQL's `bin`, `lib` and `share`. */
  home: string;
  dataDir: string;
  socketDir: string;
  user: RunAs | undefined;
}

/**
 * PostgreSQL's user may have no right to enter a folder above the data directory (/root, for example). So PostgreSQL
 * starts in its data directory, calls that by this name, which needs no such right, and reaches the socket from there.
 */
const HERE = '/proc/self/cwd';

function isClosed({ dataDir, user }: Cluster): boolean {
  return closedTo(dirname(dataDir), user) !== undefined;
}

const START_TIMEOUT_MS = 60_000;
const ORPHAN_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 7_000;
/** The name that PostgreSQL gives its socket. */
export const SOCKET = '.s.PGSQL.5432';
/** sun_path holds 107 bytes and a NUL. */
const SOCKET_DIR_LIMIT = 107 - `/${SOCKET}`.length;

/** Durability stays untouched: fsync, full_page_writes and synchronous_commit keep their default, on. */
const SETTINGS: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '60',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // A failing statement may contain a payload, which must not get into a log.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

/** A socket directory short enough for a unix socket: beside the data, else under the temporary directory. */
export function makeSocketDir(stateDir: string, user: RunAs | undefined): string {
  let dir = join(stateDir, 'run');
  if (Buffer.byteLength(dir) > SOCKET_DIR_LIMIT) {
    const name = createHash('sha256').update(stateDir).digest('hex').slice(0, 10);
    dir = join(tmpdir(), `telemetricsd-${name}`);
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const expected = user?.uid ?? process.getuid?.();
  const { uid } = statSync(dir);
  if (uid !== expected && uid !== process.getuid?.()) dir = mkdtempSync(join(tmpdir(), 'telemetricsd-'));
  give(dir, user);
  return dir;
}

/** Removes a socket directory under the temporary directory; keeps one beside the data. */
export function removeSocketDir({ dataDir, socketDir }: Cluster) {
  if (dirname(socketDir) !== dirname(dataDir)) rmSync(socketDir, { recursive: true, force: true });
}

/**
 * Creates the data directory if there is none, completely or not at all. initdb holds `claim`, even if we are killed.
 */
export function initialise(cluster: Cluster, claim?: number) {
  const { home, dataDir, user } = cluster;
  if (existsSync(join(dataDir, 'PG_VERSION'))) return;
  const fresh = `${dataDir}.initialising`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  give(fresh, user);
  const options = [
    '-D',
    isClosed(cluster) ? HERE : fresh,
    '-U',
    'telemetricsd',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--data-checksums',
    // Records wait while a new log file is filled with zeros, so it is smaller than the default 16 MB.
    '--wal-segsize=4',
    '--no-instructions',
  ];
  run(join(home, 'bin/initdb'), options, user, { cwd: fresh, inherited: claim });
  renameSync(fresh, dataDir);
}

/** Throws one sentence and a remedy for each common cause that keeps PostgreSQL from running. */
export function assertRunnable({ home, user }: Pick<Cluster, 'home' | 'user'>) {
  const closed = closedTo(home, user);
  if (closed !== undefined) {
    throw new OperatorError(
      `PostgreSQL runs as ${user!.name} when telemetricsd is started as root, and ${user!.name} may not enter ${closed}`,
      `Allow it (chmod o+x ${closed}), or start telemetricsd as a user of its own.`,
    );
  }
  run(join(home, 'bin/postgres'), ['--version'], user);
}

interface RunOptions {
  cwd?: string;
  inherited?: number | undefined;
}

function run(program: string, args: string[], user: RunAs | undefined, { cwd = '/', inherited }: RunOptions = {}) {
  const stdio = ['ignore', 'pipe', 'pipe', ...(inherited === undefined ? [] : [inherited])] as StdioOptions;
  const result = spawnSync(program, args, { cwd, env: ENVIRONMENT, encoding: 'utf8', stdio, ...user });
  if (result.status === 0) return;
  const detail = `${result.stderr ?? ''}${result.error?.message ?? ''}`.trim();
  if (/libstdc\+\+/.test(detail)) {
    throw new OperatorError(
      'PostgreSQL needs libstdc++.so.6, which this system lacks',
      'Install it: apt-get install libstdc++6, dnf install libstdc++, or zypper install libstdc++6.',
    );
  }
  if (/user does not exist/.test(detail)) {
    throw new OperatorError(
      `PostgreSQL runs only as a user that has a name, and /etc/passwd has none with the number ${process.getuid?.()}`,
      'Run telemetricsd as a user that exists here; in a container, add the user to the image.',
    );
  }
  if (result.error && /EACCES|EPERM/.test(detail)) {
    throw new OperatorError(
      `PostgreSQL can't be run from ${program}: permission denied, most often a file system mounted noexec`,
      'Mount it with exec, or move state.dir to another file system.',
    );
  }
  if (result.error && /ENOENT/.test(detail)) {
    throw new OperatorError(
      `PostgreSQL can't be run from ${program}: its program loader is missing`,
      'telemetricsd needs a Linux with glibc (Debian, Ubuntu, Fedora, openSUSE, Arch …).',
    );
  }
  throw new OperatorError(`${program} failed: ${detail || `signal ${result.signal}`}`);
}

/** A process of an earlier PostgreSQL still uses the data. We may not see it, or it may be about to end. */
export class LeftoverInTheWay extends OperatorError {}

/** Locks the data: all processes of a PostgreSQL inherit the returned file and its lock from the first one. */
function lockData(dataDir: string): number {
  const file = openSync(join(dataDir, 'PG_VERSION'), 'r+');
  if (lockFile(file)) return file;
  const pid = postmasterStatus(dataDir)?.pid;
  throw new LeftoverInTheWay(
    `a PostgreSQL that another telemetricsd left behind (process ${pid ?? 'unknown'}) still uses ${dataDir}`,
    'If it does not end within a minute, stop it: it may run in another container, or as another user.',
  );
}

const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Starts PostgreSQL and resolves once it takes connections. */
export async function startPostmaster(cluster: Cluster, log: Log): Promise<ChildProcess> {
  const closed = isClosed(cluster);
  const beside = relative(cluster.dataDir, cluster.socketDir);
  const socketDir = closed && !beside.startsWith('../..') ? beside : cluster.socketDir;
  const settings = {
    ...SETTINGS,
    ...memorySettings(),
    ...writeAheadLogSettings(cluster.dataDir),
    unix_socket_directories: socketDir,
  };
  const args = [
    '-D',
    closed ? HERE : cluster.dataDir,
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
  const lock = lockData(cluster.dataDir);
  // The lock proves that no PostgreSQL is left, so another program may have its process number now.
  const stale = postmasterStatus(cluster.dataDir)?.pid;
  const child = spawn(join(cluster.home, 'bin/postgres'), args, {
    cwd: cluster.dataDir,
    env: { ...ENVIRONMENT, ...(stale && { PG_GRANDPARENT_PID: `${stale}` }) },
    stdio: ['ignore', 'ignore', 'pipe', lock],
    // A session of its own, so that Ctrl-C in our terminal does not stop it before our last batch is committed.
    detached: true,
    ...cluster.user,
  });
  closeSync(lock);
  const lastLines = forwardLog(child, log);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (postmasterStatus(cluster.dataDir)?.pid !== child.pid || !postmasterStatus(cluster.dataDir)?.ready) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const reason = lastLines.join(' ') || `exit code ${child.exitCode}`;
      throw new OperatorError(`PostgreSQL did not start: ${reason}`);
    }
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw new OperatorError(`PostgreSQL was not ready after ${START_TIMEOUT_MS / 1000} s: ${lastLines.join(' ')}`);
    }
    await Bun.sleep(5);
  }
  return child;
}

/** PostgreSQL's own warnings go to our log; routine lines only at level debug. */
function forwardLog(child: ChildProcess, log: Log): string[] {
  const lastLines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter(Boolean)) {
      if (lastLines.push(line) > 5) lastLines.shift();
      const [, severity, message] = /(LOG|WARNING|ERROR|FATAL|PANIC|HINT|DETAIL): {2}(.*)/.exec(line) ?? [];
      if (severity === 'PANIC' || severity === 'FATAL') log.limited(`pg ${message}`, 'warn', `PostgreSQL: ${message}`);
      else log.debug(`PostgreSQL: ${message ?? line}`);
    }
  });
  return lastLines;
}

export async function stopPostmaster(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGINT');
  if (await Promise.race([gone.then(() => true), Bun.sleep(STOP_TIMEOUT_MS).then(() => false)])) return;
  child.kill('SIGQUIT');
  await gone;
}

/** The content of `postmaster.pid` (PostgreSQL's miscadmin.h lists its lines), or undefined without the file. */
export function postmasterStatus(dataDir: string) {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), socketDir: resolve(dataDir, lines[4] ?? ''), ready: lines[7]?.trim() === 'ready' };
  } catch {
    return undefined;
  }
}

/** Stops a postmaster that an earlier telemetricsd left behind when it was killed. */
export async function stopOrphan({ home, dataDir }: Cluster, log: Log) {
  const status = postmasterStatus(dataDir);
  if (!status || !isOurs(status.pid, home, dataDir)) return;
  log.info('stopping the PostgreSQL that an earlier telemetricsd left behind', { pid: status.pid });
  const deadline = Date.now() + ORPHAN_TIMEOUT_MS;
  signal(status.pid, 'SIGINT');
  while (postmasterStatus(dataDir) && isOurs(status.pid, home, dataDir)) {
    if (Date.now() > deadline) {
      throw new OperatorError(
        `an orphaned PostgreSQL (process ${status.pid}) does not stop`,
        `Stop it: kill -QUIT ${status.pid}`,
      );
    }
    await Bun.sleep(20);
  }
}

/** Whether the process runs our PostgreSQL in the data directory, as far as we can see. */
function isOurs(pid: number, home: string, dataDir: string): boolean {
  try {
    // The link of a replaced executable reads "PATH (deleted)".
    const executable = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
    return (
      executable === join(realpathSync(home), 'bin/postgres') &&
      readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir)
    );
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
