import { join } from 'node:path';
import { confinement, type Needs } from './confine.ts';
import { readLines } from './read-lines.ts';
import { cpuMilliseconds, residentBytes } from './usage.ts';

/** A process of our own executable that answers a line with a line, and may be killed whatever it does. */
interface ChildProgram {
  /** The arguments that make the executable be this program instead of running a command; while developing, the script's. */
  args: string[];
  /** The script that is run instead while developing. */
  script: string;
  /** Within so many milliseconds it must have written its first line. */
  startMs: number;
  /** How long it may compute for one request, in milliseconds of processor time. */
  cpuMs: number;
  /** How long one request may take where the processor time is not known or does not grow, in milliseconds. */
  wallMs: number;
  /** Killed when it has more memory in use while it computes; RLIMIT_DATA does not see all that JavaScript takes. */
  mostBytes?: number;
  /** Its stderr is ours; left out, nobody sees it. */
  prints?: boolean;
}

/** The child was killed because it took too long or too much memory, or it ended by itself: it answers no more. */
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
  /** One request at a time, a line without its newline. Rejects with `ChildLost`. */
  ask(line: string): Promise<string>;
  /** The memory that it has in use. */
  residentBytes(): number;
  /** Kills it; resolves when it is gone. */
  kill(): Promise<void>;
}

const LOOK_MS = 20;

/**
 * Starts the program with no environment and no more rights than it needs; rejects with `ChildLost` where it does not begin to talk.
 * `needs.files` are those beside the executable.
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

  /** Undefined when the child has closed its output or was killed. */
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
    // While developing, JSX needs the tsconfig.json there.
    cwd: Bun.isStandaloneExecutable ? '/' : join(import.meta.dir, '../..'),
    env: {},
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: prints ? 'inherit' : 'ignore',
  });
}

/** Counts processor time, so that a busy machine makes no request look slow. */
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
