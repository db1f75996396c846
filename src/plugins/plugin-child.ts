import { chownSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ChildLost, startChild } from '../children/child.ts';
import { type Needs, NOBODY } from '../children/confine.ts';
import { READY } from '../children/serve-lines.ts';
import type { LoadRequest, PluginLoaded } from './plugin.ts';
import { PLUGIN_ARGUMENT } from './plugin-process.ts';

/** More than this, in use, and the process is killed. */
export const MOST_MEMORY = 512 * 2 ** 20;

const PROGRAM = {
  args: [PLUGIN_ARGUMENT],
  script: join(import.meta.dir, 'plugin-process.ts'),
  startMs: 15_000,
  cpuMs: 5_000,
  wallMs: 10_000,
  mostBytes: MOST_MEMORY,
  prints: true,
};

const LOST: Record<ChildLost['reason'], string> = {
  time: 'it took too long to load and was stopped',
  memory: 'it took too much memory when it was loaded and was stopped',
  ended: 'its process ended when it was loaded',
};

/** The plugin can't be loaded; the message is for whoever wrote it. */
export class PluginProblem extends Error {}

/** A plugin in a process of its own. */
export interface PluginChild {
  title: string;
  /** Rejects with `ProcessGone` where the process had ended before. */
  fetch(path: string, init: RequestInit): Promise<Response>;
  residentBytes(): number;
  kill(): Promise<void>;
}

/** The process was not there any more: the request never reached it. */
export class ProcessGone extends Error {}

/** Starts a process for the plugin; rejects with `PluginProblem` where it can't be loaded. */
export async function startPluginChild(request: LoadRequest): Promise<PluginChild> {
  const child = await startChild(PROGRAM, needsOf(request)).catch(error => {
    throw error instanceof ChildLost ? new PluginProblem('its process does not start') : error;
  });
  async function kill() {
    await child.kill();
    rmSync(request.socket, { force: true });
  }
  try {
    if (child.greeting !== READY) throw new PluginProblem('its process does not start');
    const loaded: PluginLoaded = JSON.parse(await child.ask(JSON.stringify(request)));
    if ('problem' in loaded) throw new PluginProblem(loaded.problem);
    return {
      title: loaded.title,
      fetch: (path, init) => ask(request.socket, path, init),
      residentBytes: child.residentBytes,
      kill,
    };
  } catch (error) {
    await kill();
    if (!(error instanceof ChildLost)) throw error;
    throw new PluginProblem(LOST[error.reason]);
  }
}

/** The socket of the built-in PostgreSQL is open to one user alone; another one is reached over the network. */
function needsOf({ source, socket, database }: LoadRequest): Needs {
  const user = 'url' in database ? NOBODY : statSync(database.socketDir);
  if (process.getuid?.() === 0) chownSync(dirname(socket), user.uid, user.gid);
  return { files: [source], user, network: 'url' in database };
}

const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOENT', 'ConnectionRefused', 'FailedToOpenSocket']);

async function ask(unix: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`http://plugin${path}`, { ...init, unix, redirect: 'manual' });
  } catch (error) {
    if (NOT_REACHED.has((error as { code?: string }).code ?? '')) throw new ProcessGone();
    throw error;
  }
}
