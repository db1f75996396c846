import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileReason, OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { binariesOf, POSTGRES_MAJOR, unpackBinaries } from './binaries.ts';
import { assertLocksHold } from './lock-reach.ts';
import { claimState, type Ownership } from './owner.ts';
import {
  assertRunnable,
  type Cluster,
  initialise,
  LeftoverInTheWay,
  makeSocketDir,
  postmasterStatus,
  removeSocketDir,
  SOCKET,
  startPostmaster,
  stopOrphan,
  stopPostmaster,
} from './postmaster.ts';
import { give, isOpenTo, runAs } from './run-as.ts';

export interface EmbeddedPostgres {
  socketDir: string;
  /** False while PostgreSQL is down and being restarted. */
  readonly available: boolean;
  stop(): Promise<void>;
}

const RESTART_PAUSE_MS = 100;
const RESTART_PAUSE_MAX_MS = 5_000;
const LEFTOVER_TIMEOUT_MS = 10_000;

/** Starts our own PostgreSQL in the state directory and keeps it running until `stop`. Throws StateInUse where another one does. */
export async function startEmbedded(stateDir: string, log: Log): Promise<EmbeddedPostgres> {
  makeStateDir(stateDir);
  const claim = claimState(stateDir);
  try {
    const cluster = await prepare(realpathSync(stateDir), claim, log);
    return await supervise(cluster, log, claim.release);
  } catch (error) {
    claim.release();
    throw error;
  }
}

/** The directory of the socket on which PostgreSQL answers in this state directory, if it does. */
export async function runningSocket(stateDir: string): Promise<string | undefined> {
  const status = postmasterStatus(join(stateDir, 'data'));
  if (!status?.ready) return undefined;
  // In another container the state directory may have another name.
  for (const dir of [status.socketDir, join(stateDir, 'run')]) if (await answers(join(dir, SOCKET))) return dir;
  return undefined;
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ path }, () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function makeStateDir(stateDir: string) {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new OperatorError(
      `the state directory ${stateDir} can't be created: ${fileReason(cause)}`,
      'Create it for the user that runs telemetricsd, or name another: TELEMETRICSD_STATE_DIR=/path, or state.dir in the configuration.',
      { cause },
    );
  }
}

async function prepare(stateDir: string, claim: Ownership, log: Log): Promise<Cluster> {
  const dataDir = join(stateDir, 'data');
  assertLocksHold(existsSync(dataDir) ? dataDir : stateDir, log);
  assertSameMajor(dataDir);
  const user = runAs(stateDir);
  const home = binariesOf(stateDir, user);
  try {
    await unpackBinaries(home);
  } catch (cause) {
    throw new OperatorError(
      `PostgreSQL can't be unpacked into ${home}: ${fileReason(cause)}`,
      'The directory must be writable for the user that runs telemetricsd, with about 100 MB free.',
      { cause },
    );
  }
  // PostgreSQL's user passes through; what lies inside keeps its own permissions.
  if (!isOpenTo(stateDir, user)) chmodSync(stateDir, statSync(stateDir).mode | 0o111);
  const cluster = { home, dataDir, socketDir: makeSocketDir(stateDir, user), user };
  assertRunnable(cluster);
  if (existsSync(dataDir)) give(dataDir, user);
  else log.info('creating a new database', { state: stateDir });
  initialise(cluster, claim.fd);
  await stopOrphan(cluster, log);
  return cluster;
}

export function assertSameMajor(dataDir: string) {
  const file = join(dataDir, 'PG_VERSION');
  const major = existsSync(file) ? readFileSync(file, 'utf8').trim() : POSTGRES_MAJOR;
  if (major === POSTGRES_MAJOR) return;
  throw new OperatorError(
    `the data in ${dataDir} is of PostgreSQL ${major}; this telemetricsd carries PostgreSQL ${POSTGRES_MAJOR} and leaves it untouched`,
    'Back it up with the telemetricsd version that wrote it (telemetricsd backup FILE), and restore that into an empty state directory with this one.',
  );
}

async function supervise(cluster: Cluster, log: Log, release: () => void): Promise<EmbeddedPostgres> {
  let stopping = false;
  let available = false;
  let child: ChildProcess;
  let restart: Promise<void> = Promise.resolve();

  async function start() {
    child = await startPostmaster(cluster, log);
    available = true;
    child.once('exit', (code, signal) => {
      available = false;
      if (stopping) return;
      log.error('PostgreSQL went down; restarting it', { code, signal });
      restart = startAgain();
    });
  }

  /** What a killed PostgreSQL leaves behind may need a moment to go. */
  async function startFirst() {
    const deadline = Date.now() + LEFTOVER_TIMEOUT_MS;
    for (;;) {
      try {
        return await start();
      } catch (error) {
        if (!(error instanceof LeftoverInTheWay) || Date.now() > deadline) throw error;
        await Bun.sleep(RESTART_PAUSE_MS);
      }
    }
  }

  async function startAgain() {
    for (let pause = RESTART_PAUSE_MS; !stopping; pause = Math.min(pause * 2, RESTART_PAUSE_MAX_MS)) {
      await Bun.sleep(pause);
      try {
        await stopOrphan(cluster, log);
        await start();
        log.info('PostgreSQL is back');
        return;
      } catch (error) {
        log.error('PostgreSQL does not start; trying again', { reason: (error as Error).message });
      }
    }
  }

  await startFirst();
  return {
    socketDir: cluster.socketDir,
    get available() {
      return available;
    },
    async stop() {
      stopping = true;
      await restart;
      await stopPostmaster(child);
      removeSocketDir(cluster);
      release();
    },
  };
}
