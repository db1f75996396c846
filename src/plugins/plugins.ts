import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginTab } from '../../views/layout.tsx';
import type { DatabaseTarget } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';
import { openPlugin, type Plugin } from './lifecycle.ts';
import { PluginProblem } from './plugin-child.ts';
import { openForReading } from './role.ts';
import { makeSocketsDirectory } from './sockets.ts';

interface PluginOptions {
  /** Returns the enabled plugins; called at each load. */
  settings: () => { enabled: string[]; database_url?: string | undefined };
  /** The directory of the plugins' folders. */
  directory: string;
  database: Database;
  log: Log;
}

/** The view plugins. */
export interface Plugins {
  /** Resolves when the first load is done. */
  ready: Promise<void>;
  tabs(): PluginTab[];
  /** The plugins that could not be loaded, and why. */
  leftOut(): { name: string; problem: string }[];
  find(name: string): Plugin | undefined;
  folder(name: string): string;
  /** Reads the settings again and loads every plugin anew; the old ones answer until then. Never rejects. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

const STOP_MS = 1_000;

/** Starts loading the plugins and returns at once: only requests to plugins wait for them. */
export function startPlugins({ settings, directory, database, log }: PluginOptions): Plugins {
  let loaded = new Map<string, Plugin>();
  let wanted: string[] = [];
  /** Why loading broke off; the plugins loaded before stay. */
  let broken: string | undefined;
  let sockets: string | undefined;
  let stopped = false;

  async function load() {
    const { enabled, database_url } = settings();
    wanted = enabled;
    if (enabled.length === 0 && loaded.size === 0) return;
    sockets ??= makeSocketsDirectory();
    const shared = { directory, sockets, database: await wayToRead(database, database_url), log };
    const next = enabled.map(name => openPlugin({ ...shared, name }));
    await Promise.all(next.map(plugin => plugin.ready));
    const before = [...loaded.values()];
    loaded = new Map(next.map(plugin => [plugin.name, plugin]));
    broken = undefined;
    log.info('plugins are loaded', {
      enabled: next.length,
      loaded: next.filter(({ problem }) => problem === undefined).length,
    });
    await Promise.all((stopped ? [...before, ...next] : before).map(plugin => plugin.retire()));
  }

  const loadSafely = () =>
    load().catch(error => {
      broken = (error as Error).message;
      log.error('plugins stay as they are, since loading them failed', { reason: broken });
    });
  const ready = loadSafely();
  let loading = ready;

  return {
    ready,
    tabs: () =>
      [...loaded.values()].map(({ name, title, problem }) => ({ name, title, broken: problem !== undefined })),
    leftOut: () => [
      ...[...loaded.values()].flatMap(({ name, problem }) => (problem === undefined ? [] : { name, problem })),
      ...wanted.flatMap(name => (broken === undefined || loaded.has(name) ? [] : { name, problem: broken })),
    ],
    find: name => loaded.get(name),
    folder: name => join(directory, name),
    reload() {
      loading = loading.then(loadSafely);
      return loading;
    },
    async stop() {
      stopped = true;
      // A plugin that is still loading ends with this process.
      await Promise.race([Promise.all([...loaded.values()].map(plugin => plugin.kill())), Bun.sleep(STOP_MS)]);
      if (sockets) rmSync(sockets, { recursive: true, force: true });
    },
  };
}

async function wayToRead(database: Database, url: string | undefined): Promise<DatabaseTarget | PluginProblem> {
  try {
    return await openForReading(database, url);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return new PluginProblem([`${error.message}.`, error.remedy].filter(Boolean).join(' '));
  }
}
