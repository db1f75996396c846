import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const EXECUTABLE = join(import.meta.dir, '../../dist/telemetricsd');

export interface Program {
  pid: number;
  port: number;
  stateDir: string;
  /** From the start of the process to its log line "ready". */
  readyMs: number;
  /** Resident megabytes: now, and at the peak. */
  memory(): { now: number; most: number };
  stop(): Promise<void>;
}

export function temporaryState(): { dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'telemetricsd-bench-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Starts the built executable with the embedded PostgreSQL. */
export async function startProgram(
  stateDir: string,
  port: number,
  settings: Record<string, string> = {},
): Promise<Program> {
  const started = performance.now();
  const child = Bun.spawn([EXECUTABLE, 'serve'], {
    env: {
      PATH: process.env.PATH ?? '',
      TELEMETRICSD_STATE_DIR: stateDir,
      TELEMETRICSD_HTTP_LISTEN: `127.0.0.1:${port}`,
      ...settings,
    },
    stdout: 'ignore',
    stderr: 'pipe',
  });
  await waitForLine(child.stderr, 'ready');
  return {
    pid: child.pid,
    port,
    stateDir,
    readyMs: performance.now() - started,
    memory: () => memoryOf(child.pid),
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}

async function waitForLine(stream: ReadableStream<Uint8Array>, word: string) {
  let text = '';
  const reader = stream.getReader();
  while (!text.includes(` ${word} `)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the program ended before it was ${word}:\n${text}`);
    text += Buffer.from(value).toString();
  }
  // Keeps reading, since the program would stop at a full pipe.
  void (async () => {
    while (!(await reader.read()).done);
  })();
}

function memoryOf(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
}
