import type { Config } from '../config/settings.ts';

/** A way to notify admins. */
export interface Channel {
  /** The setting that it comes from. Its value is secret. */
  name: 'notify.webhook' | 'notify.command';
  /** Rejects if the notice was not accepted within the deadline; the error holds no secret. */
  send(json: string, stopped: AbortSignal): Promise<void>;
}

const DEADLINE_MS = 10_000;

export function channelsOf({ notify: { webhook, command } }: Config, deadlineMs = DEADLINE_MS): Channel[] {
  const channels: Channel[] = [];
  if (webhook !== undefined) {
    channels.push({ name: 'notify.webhook', send: (json, stopped) => post(webhook, json, stopped, deadlineMs) });
  }
  if (command !== undefined) {
    channels.push({ name: 'notify.command', send: (json, stopped) => run(command, json, stopped, deadlineMs) });
  }
  return channels;
}

async function post(url: string, json: string, stopped: AbortSignal, deadlineMs: number) {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: json,
      // Not followed: the receiver may not choose where a notice goes.
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(deadlineMs), stopped]),
    });
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    // Leaves out the message and the cause: they may hold the URL.
    throw new Error(
      name === 'TimeoutError' ? `no answer within ${deadlineMs / 1000} s` : `no answer (${code ?? name})`,
    );
  }
  await answer.body?.cancel().catch(() => {});
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

/** Runs the program with only PATH from our environment. */
async function run(command: string[], json: string, stopped: AbortSignal, deadlineMs: number) {
  const child = Bun.spawn(command, {
    stdin: Buffer.from(`${json}\n`),
    stdout: 'ignore',
    stderr: 'ignore',
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    signal: AbortSignal.any([AbortSignal.timeout(deadlineMs), stopped]),
    killSignal: 'SIGKILL',
  });
  const code = await child.exited;
  if (child.signalCode) throw new Error(`it did not end within ${deadlineMs / 1000} s, or was killed`);
  if (code !== 0) throw new Error(`it ended with exit code ${code}`);
}
