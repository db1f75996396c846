import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseTarget } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import { OUTCOME_HEADER } from './plugin.ts';
import { MOST_MEMORY, type PluginChild, PluginProblem, ProcessGone, startPluginChild } from './plugin-child.ts';

/** A plugin, from its loading until another load replaces it. */
export interface Plugin {
  name: string;
  /** Its name if it could not be loaded. */
  readonly title: string;
  /** Why it could not be loaded. */
  readonly problem: string | undefined;
  /** Resolves once it is loaded, or failed to load. */
  ready: Promise<void>;
  /** Resolves to its complete answer. Rejects with `PluginFailure`. */
  ask(path: string, init: RequestInit): Promise<PluginAnswer>;
  /** Ends its process once the requests under way are answered. */
  retire(): Promise<void>;
  kill(): Promise<void>;
}

export interface PluginAnswer {
  status: number;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/** A plugin did not answer a request; the message says why. */
export class PluginFailure extends Error {}

interface OpenOptions {
  name: string;
  /** The directory of the plugins' folders. */
  directory: string;
  /** The directory of their sockets. */
  sockets: string;
  /** The database, or why plugins can't read it. */
  database: DatabaseTarget | PluginProblem;
  log: Log;
}

/** The process is killed if an answer takes longer. */
const ANSWER_MS = 10_000;
const MOST_BYTES = 16 * 2 ** 20;
const MOST_AT_ONCE = 32;
const LOOK_MS = 50;

let processes = 0;

/** Loads a plugin in a process of its own, and replaces a process that ended or was killed. */
export function openPlugin({ name, directory, sockets, database, log }: OpenOptions): Plugin {
  let title = name;
  let problem: string | undefined;
  let child: Promise<PluginChild | undefined>;
  let underWay = 0;
  let idle: (() => void) | undefined;

  /** Never rejects: an error becomes the problem. */
  async function start(): Promise<PluginChild | undefined> {
    try {
      const socket = join(sockets, `${processes++}.sock`);
      if (database instanceof PluginProblem) throw database;
      const started = await startPluginChild({ name, source: sourceOf(join(directory, name)), socket, database });
      title = started.title;
      return started;
    } catch (error) {
      problem = (error as Error).message;
      log.error('a plugin cannot be loaded and is left out', { plugin: name, reason: problem });
      return undefined;
    }
  }

  /** Starts one new process, however many requests the old one failed. */
  function startAgain(lost: typeof child) {
    if (child === lost) child = lost.then(process => process?.kill()).then(start);
  }

  async function ask(path: string, init: RequestInit): Promise<PluginAnswer> {
    if (underWay >= MOST_AT_ONCE) throw new RequestError(503, `the plugin ${name} has too many requests at the moment`);
    underWay++;
    try {
      try {
        return await askProcess(child, path, init);
      } catch (error) {
        if (!(error instanceof ProcessGone)) throw error;
        return await askProcess(child, path, init);
      }
    } finally {
      underWay--;
      if (underWay === 0) idle?.();
    }
  }

  async function askProcess(asked: typeof child, path: string, init: RequestInit): Promise<PluginAnswer> {
    const process = await asked;
    if (!process) throw new PluginFailure('it could not be loaded');
    const limits = watch(process);
    try {
      const response = await process.fetch(path, { ...init, signal: limits.signal });
      const { status, headers } = response;
      const body = await readAll(response);
      if (headers.get(OUTCOME_HEADER) === 'exhausted') startAgain(asked);
      return { status, headers, body };
    } catch (error) {
      if (error instanceof PluginFailure) throw error;
      startAgain(asked);
      if (error instanceof ProcessGone) throw error;
      throw new PluginFailure(limits.signal.aborted ? limits.signal.reason : 'its process ended');
    } finally {
      limits.stop();
    }
  }

  async function kill() {
    await (await child)?.kill();
  }

  child = start();
  return {
    name,
    get title() {
      return title;
    },
    get problem() {
      return problem;
    },
    ready: child.then(() => {}),
    ask,
    async retire() {
      if (underWay > 0) {
        await new Promise<void>(resolve => {
          idle = resolve;
        });
      }
      await kill();
    },
    kill,
  };
}

/** Aborts a request that takes too long or too much memory, with the reason as text. */
function watch({ residentBytes }: PluginChild) {
  const limits = new AbortController();
  const started = performance.now();
  const timer = setInterval(look, LOOK_MS);
  return { signal: limits.signal, stop: () => clearInterval(timer) };

  function look() {
    if (residentBytes() > MOST_MEMORY) limits.abort(`it took more than ${MOST_MEMORY / 2 ** 20} MB and was stopped`);
    else if (performance.now() - started > ANSWER_MS)
      limits.abort(`it did not answer within ${ANSWER_MS / 1000} seconds and was stopped`);
  }
}

function sourceOf(folder: string): string {
  const source = ['view.tsx', 'view.ts'].map(file => join(folder, file)).find(existsSync);
  if (source) return source;
  throw new PluginProblem(`there is neither ${join(folder, 'view.tsx')} nor view.ts`);
}

async function readAll(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new PluginFailure(`its answer is larger than ${MOST_BYTES / 2 ** 20} MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
