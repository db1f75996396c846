import { join } from 'node:path';
import { confinement, type Needs } from './confine.ts';
import { readLines } from './read-lines.ts';
import { cpuMilliseconds, residentBytes } from './usage.ts';

/**
 * A program in our own executable that answers each line with a line. It runs in a process that may be killed at any
 * time.
 */
interface ChildProgram {
  /**
   * The arguments that make the executable run this program instead of a command; while developing, the arguments of
   * the script.
   */
  args: string[];
  /** The script that runs instead while developing. */
  script: string;
  /** Milliseconds within which it must write its first line. */
  startMs: number;
  /** Processor time for one request, in milliseconds. */
  cpuMs: number;
  /** Time for one request in milliseconds, used if the processor time is unknown or does not grow. */
  wallMs: number;
  /**
   * The child is killed if it uses more memory while it computes. RLIMIT_DATA does not count all memory of JavaScript.
   */
  mostBytes?: number;
  /** Whether its stderr goes to ours; otherwise it is dropped. */
  prints?: boolean;
}

/** The child took too long or too much memory and was killed, or it ended: it answers no more. */
export class ChildLost extends Error {
  readonly reason: 'time' | 'memory' | 'ended';

  constructor(reason: ChildLost['reason']) {
    super(
      { time: 'the process took too long', memory: 'the process took too much memory', ended: 'the process ended' }[
        reason
      ],
    );
    this.reason = reason;
  }
}

export interface Child {
  /** The first line that it wrote. */
  greeting: string;
  /** Sends one request at a time, a line without its newline. Rejects with `ChildLost`. */
  ask(line: string): Promise<string>;
  /** The memory in use. */
  residentBytes(): number;
  /** Kills it; resolves when it is gone. */
  kill(): Promise<void>;
}

const LOOK_MS = 20;

/**
 * Starts the program without environment and with no more rights than it needs. Rejects with `ChildLost` if it does not
 * write its first line. `needs.files` are files besides the executable.
 */
export async function startChild(program: ChildProgram, needs: Needs = { files: [] }): Promise<Child> {
  const child = spawn(program, needs);
  child.unref();
  const lines = readLines(child.stdout);
  return { greeting: await greeting(), ask, residentBytes: () => residentBytes(child.pid), kill };

  async function greeting() {
    let late = false;
    const patience = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, program.startMs);
    const line = await nextLine();
    clearTimeout(patience);
    if (line !== undefined) return line;
    await kill();
    throw new ChildLost(late ? 'time' : 'ended');
  }

  async function ask(request: string): Promise<string> {
    const watch = killWhenGreedy(child, program);
    try {
      child.stdin.write(`${request}\n`);
      child.stdin.flush();
      const line = await nextLine();
      if (line === undefined) throw new ChildLost(watch.killedFor() ?? 'ended');
      return line;
    } finally {
      watch.stop();
    }
  }

  /** Undefined if the child closed its output or was killed. */
  async function nextLine(): Promise<string | undefined> {
    const { value, done } = await lines.next().catch(() => ({ value: undefined, done: true }));
    return done ? undefined : value;
  }

  async function kill() {
    child.kill('SIGKILL');
    await child.exited;
  }
}

function spawn({ args, script, prints }: ChildProgram, needs: Needs) {
  const files = [process.execPath, ...(Bun.isStandaloneExecutable ? [] : [script]), ...needs.files];
  const what = Bun.isStandaloneExecutable ? args : [script, ...args.slice(1)];
  return Bun.spawn([...confinement({ ...needs, files }), process.execPath, ...what], {
    // While developing, JSX needs the tsconfig.json of this folder.
    cwd: Bun.isStandaloneExecutable ? '/' : join(import.meta.dir, '../..'),
    env: {},
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: prints ? 'inherit' : 'ignore',
  });
}

/** Measures processor time, so that a request does not seem slow because the machine is busy. */
function killWhenGreedy(child: ReturnType<typeof spawn>, { cpuMs, wallMs, mostBytes }: ChildProgram) {
  const startedAt = performance.now();
  const cpuBefore = cpuMilliseconds(child.pid);
  let killedFor: 'time' | 'memory' | undefined;
  const timer = setInterval(look, LOOK_MS);
  return {
    killedFor: () => killedFor,
    stop: () => clearInterval(timer),
  };

  function look() {
    const wall = performance.now() - startedAt;
    if (mostBytes !== undefined && residentBytes(child.pid) > mostBytes) killedFor = 'memory';
    else if (wall >= wallMs || (cpuSince(cpuBefore) ?? wall) >= cpuMs) killedFor = 'time';
    else return;
    clearInterval(timer);
    child.kill('SIGKILL');
  }

  function cpuSince(before: number | undefined) {
    const now = cpuMilliseconds(child.pid);
    return before === undefined || now === undefined ? undefined : now - before;
  }
}
