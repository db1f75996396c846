import { afterAll } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, type Sql } from '../../src/db/connect.ts';
import { postmasterStatus } from '../../src/db/postmaster.ts';

export const EXECUTABLE = resolve(import.meta.dir, '../../dist/telemetricsd');

/** What a stop takes at most, well before systemd's patience ends. */
export const STOPPED_WITHIN_MS = 20_000;

const START_TIMEOUT_MS = 110_000;
const STOP_TIMEOUT_MS = 60_000;
const COMMAND_TIMEOUT_MS = 110_000;

export interface ProgramOptions {
  /** Without it, one of its own that is prepared already, unless `uid` is given. */
  stateDir?: string;
  /** A state directory that is prepared already, whatever the arguments are. */
  prepared?: true;
  /** After the command. */
  args?: string[];
  /** Settings, by the names of their variables. */
  env?: Record<string, string>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** How many files it may have open. */
  openFiles?: number;
  /** A command that runs the program, in namespaces of its own, say; whatever starts there has to end with it. */
  wrapper?: string[];
}

/** A `telemetricsd serve` that answers. */
export interface Program {
  pid: number;
  stateDir: string;
  /** Of the first TCP listener. */
  port: number;
  /** Of all of them, in their order. */
  ports: number[];
  /** What it has written so far. */
  output(): string;
  /** Resolves to the exit code, or to the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  /** Asks it to stop; resolves to how it ended and how long that took. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | NodeJS.Signals; ms: number }>;
  /** kill -9, which leaves its PostgreSQL running. */
  kill(): Promise<void>;
  /** A client of its embedded PostgreSQL. */
  sql(): Sql;
  /** The pid of its embedded PostgreSQL, as long as there is one. */
  postmaster(): number | undefined;
}

export interface Workspace {
  /** A path in the workspace's directory. */
  path(...names: string[]): string;
  start(options?: ProgramOptions): Promise<Program>;
  /** Runs a command to its end. */
  run(
    args: string[],
    options?: ProgramOptions,
  ): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }>;
  /** Something else to end with the workspace. */
  defer(end: () => unknown): void;
}

/** A temporary directory for the programs of one test file. Whatever still runs at its end is killed, its PostgreSQL with it. */
export function workspace(): Workspace {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing: run "npm run build" first`);
  const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-test-'));
  // Where the tests run as root, PostgreSQL is another user and has to pass through.
  chmodSync(directory, 0o755);
  const emptyDirectory = join(directory, 'empty');
  mkdirSync(emptyDirectory);
  const children = new Set<ChildProcess>();
  const killed = new Set<ChildProcess>();
  const stateDirs = new Set<string>();
  const deferred: (() => unknown)[] = [];
  let states = 0;

  afterAll(async () => {
    for (const end of deferred.reverse()) await end();
    for (const child of children) {
      killed.add(child);
      if (isRunning(child)) child.kill('SIGKILL');
    }
    for (const stateDir of stateDirs) await killPostgres(stateDir);
    rmSync(directory, { recursive: true, force: true });
  });

  function launch(args: string[], options: ProgramOptions) {
    const { stateDir, env, cwd = emptyDirectory, uid, gid, openFiles, wrapper = [] } = options;
    const state = stateDir ?? join(directory, `state-${states++}`);
    // What a postmaster.pid of other namespaces names is some other process here.
    if (wrapper.length === 0) stateDirs.add(state);
    const limited = openFiles === undefined ? [] : ['prlimit', `--nofile=${openFiles}`];
    const [program, ...rest] = [...wrapper, ...limited, EXECUTABLE, ...args] as [string, ...string[]];
    const child = spawn(program, rest, {
      cwd,
      env: {
        PATH: '/usr/bin:/bin',
        TMPDIR: tmpdir(),
        TELEMETRICSD_STATE_DIR: state,
        TELEMETRICSD_HTTP_LISTEN: '127.0.0.1:0',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: gid ?? uid }),
    });
    children.add(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', text => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      output.stderr += text;
    });
    const exited = new Promise<number | NodeJS.Signals>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal!));
    });
    exited.then(
      end => {
        if (end !== 0 && args[0] === 'serve' && output.stderr.includes(' ready ') && !killed.has(child))
          console.error(`telemetricsd ${child.pid} ended by itself, ${end}:\n${output.stderr}`);
      },
      () => {},
    );
    return { child, state, output, exited };
  }

  async function start(options: ProgramOptions = {}): Promise<Program> {
    if (needsState(options)) options = { ...options, stateDir: await emptyState() };
    const { child, state, output, exited } = launch(['serve', ...(options.args ?? [])], options);
    const listening = await readyLine(child, output);
    const ports = [...listening.matchAll(/https?:\/\/[^ ]+:(\d+)/g)].map(match => Number(match[1]));
    return {
      pid: child.pid!,
      stateDir: state,
      port: ports[0] ?? 0,
      ports,
      output: () => output.stdout + output.stderr,
      exited,
      async stop(signal = 'SIGTERM') {
        const asked = performance.now();
        child.kill(signal);
        const code = await within(STOP_TIMEOUT_MS, 'telemetricsd stops', exited);
        return { code, ms: performance.now() - asked };
      },
      async kill() {
        killed.add(child);
        child.kill('SIGKILL');
        await exited;
      },
      sql: () => connect({ target: { socketDir: join(state, 'run') }, connections: 2, name: 'test' }),
      postmaster: () => postmasterStatus(join(state, 'data'))?.pid,
    };
  }

  /** A copy of a state directory that was made once for all: an own `initdb` each takes a second. */
  async function emptyState(): Promise<string> {
    template ??= makeTemplate();
    const copy = join(directory, `state-${states++}`);
    mkdirSync(copy);
    await copyTree(join(await template, 'pg'), copy, '-al');
    await copyTree(join(await template, 'data'), copy, '-a');
    return copy;
  }

  async function run(args: string[], options: ProgramOptions = {}) {
    const { child, output, exited } = launch(args, options);
    try {
      const code = await within(COMMAND_TIMEOUT_MS, `telemetricsd ${args.join(' ')} ends`, exited);
      return { code, ...output };
    } finally {
      if (isRunning(child)) child.kill('SIGKILL');
    }
  }

  return {
    path: (...names) => join(directory, ...names),
    start,
    run,
    defer: end => deferred.push(end),
  };
}

function needsState({ stateDir, uid, env, args, prepared }: ProgramOptions) {
  return (
    prepared || (stateDir === undefined && uid === undefined && args === undefined && !env?.TELEMETRICSD_DATABASE_URL)
  );
}

let template: Promise<string> | undefined;

async function makeTemplate(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'telemetricsd-test-'));
  chmodSync(directory, 0o755);
  const env = { PATH: '/usr/bin:/bin', TELEMETRICSD_STATE_DIR: directory };
  const migrating = Bun.spawn([EXECUTABLE, 'migrate'], { env, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const stderr = await migrating.stderr.text();
  if ((await migrating.exited) !== 0) throw new Error(`telemetricsd migrate failed:\n${stderr}`);
  return directory;
}

async function copyTree(from: string, to: string, how: string) {
  const copying = Bun.spawn(['cp', how, from, to], { stderr: 'pipe' });
  const stderr = await copying.stderr.text();
  if ((await copying.exited) !== 0) throw new Error(stderr);
}

async function readyLine(child: ChildProcess, output: { stderr: string }): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const line = / ready listen="?([^"\n]*?)"? database=.*\n/.exec(output.stderr);
    if (line) return line[1]!;
    if (!isRunning(child) || Date.now() > deadline) throw new Error(`telemetricsd did not start:\n${output.stderr}`);
    await Bun.sleep(5);
  }
}

function isRunning(child: ChildProcess) {
  return child.exitCode === null && child.signalCode === null;
}

/** Ends the PostgreSQL of a state directory the hard way, with all its processes. */
export async function killPostgres(stateDir: string) {
  const pid = postmasterStatus(join(stateDir, 'data'))?.pid;
  if (pid === undefined || !isAlive(pid)) return;
  const family = [pid, ...childrenOf(pid)];
  for (const member of family) signal(member, 'SIGKILL');
  await eventually('PostgreSQL is gone', () => !family.some(isAlive));
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && statusOf(Number(name))?.parent === pid)
    .map(Number);
}

/** With its arguments, which NULs divide; empty once it is gone. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether there is such a process; one that only waits to be collected is gone. */
export function isAlive(pid: number): boolean {
  const state = statusOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

function statusOf(pid: number) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

export function signal(pid: number, name: NodeJS.Signals) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/** Waits until `check` gives something other than false or undefined, at most `ms`. */
export async function eventually<T>(
  what: string,
  check: () => T | false | undefined | Promise<T | false | undefined>,
  ms = 60_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const result = await check();
    if (result !== false && result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await Bun.sleep(10);
  }
}

export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain: ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The shortest time of several that `work` takes, in milliseconds: something else may have had the processor meanwhile. */
export async function quickest(times: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < times; n++) {
    const started = performance.now();
    await work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
