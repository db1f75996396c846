import { join } from 'node:path';
import { type Answer, DEMANGLER_ARGUMENT, READY } from './demangler-process.ts';
import { readLines } from './lines.ts';
import { cpuMilliseconds } from './process-time.ts';

/** How long the demangler may compute for one request, in milliseconds of processor time. */
const REQUEST_MS = 50;
/** How long one request may take where the processor time is not known or does not grow, in milliseconds. */
const REQUEST_WALL_MS = 5_000;
const START_MS = 15_000;

/** The demangler can't be started here, as where libstdc++ is missing. */
export class DemanglerUnavailable extends Error {}

/** The demangler was killed because it took too long, or it ended by itself: this child answers no more. */
export class DemanglerLost extends Error {
  readonly tookTooLong: boolean;

  constructor(tookTooLong: boolean) {
    super(tookTooLong ? 'the demangler took too long' : 'the demangler ended');
    this.tookTooLong = tookTooLong;
  }
}

export interface DemanglerChild {
  /** One request at a time. Rejects with `DemanglerLost`. */
  ask(names: string[]): Promise<Answer[]>;
  /** Kills it; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the demangler as a process of its own, which may be killed whatever it does. */
export async function startDemanglerChild(): Promise<DemanglerChild> {
  const child = spawnDemangler();
  child.unref();
  const lines = readLines(child.stdout);
  await becomesReady();
  return { ask, kill };

  async function becomesReady() {
    const patience = setTimeout(() => child.kill('SIGKILL'), START_MS);
    const line = await nextLine();
    clearTimeout(patience);
    if (line === READY) return;
    await kill();
    throw new DemanglerUnavailable('the demangler does not start');
  }

  async function ask(names: string[]): Promise<Answer[]> {
    const watch = killWhenSlow(child);
    try {
      child.stdin.write(`${JSON.stringify(names)}\n`);
      child.stdin.flush();
      const line = await nextLine();
      if (line === undefined) throw new DemanglerLost(watch.killed());
      return JSON.parse(line);
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

type Child = ReturnType<typeof spawnDemangler>;

function spawnDemangler() {
  const script = Bun.isStandaloneExecutable ? DEMANGLER_ARGUMENT : join(import.meta.dir, 'demangler-process.ts');
  return Bun.spawn([process.execPath, script], {
    cwd: '/',
    env: {},
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  });
}

/** Counts processor time, so that a busy machine makes no name look slow. */
function killWhenSlow(child: Child) {
  const startedAt = performance.now();
  const cpuBefore = cpuMilliseconds(child.pid);
  let killed = false;
  let timer = setTimeout(look, REQUEST_MS);
  return {
    killed: () => killed,
    stop: () => clearTimeout(timer),
  };

  function look() {
    const wall = performance.now() - startedAt;
    const left = REQUEST_MS - (cpuSince(cpuBefore) ?? wall);
    if (left > 0 && wall < REQUEST_WALL_MS) {
      timer = setTimeout(look, Math.max(left, 5));
      return;
    }
    killed = true;
    child.kill('SIGKILL');
  }

  function cpuSince(before: number | undefined) {
    const now = cpuMilliseconds(child.pid);
    return before === undefined || now === undefined ? undefined : now - before;
  }
}
