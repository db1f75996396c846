import { existsSync, readdirSync, rmSync } from 'node:fs';
import { pluginName } from '../config/plugin-names.ts';
import { createLog } from '../log.ts';
import { openPlugin } from './lifecycle.ts';
import { makeSocketsDirectory } from './sockets.ts';

export interface ListedPlugin {
  name: string;
  enabled: boolean;
  title: string;
  /** Why it can't be loaded. */
  problem: string | undefined;
}

/** Lists the enabled plugins and those that only lie there, and tries to load each, without access to the database. */
export async function listPlugins(enabled: string[], directory: string): Promise<ListedPlugin[]> {
  const names = [...new Set([...enabled, ...foldersIn(directory)])];
  const sockets = makeSocketsDirectory();
  try {
    const quiet = createLog('error', 'text', () => {});
    const plugins = names.map(name =>
      openPlugin({ name, directory, sockets, database: { socketDir: sockets }, log: quiet }),
    );
    await Promise.all(plugins.map(plugin => plugin.ready));
    await Promise.all(plugins.map(plugin => plugin.kill()));
    return plugins.map(({ name, title, problem }) => ({ name, enabled: enabled.includes(name), title, problem }));
  } finally {
    rmSync(sockets, { recursive: true, force: true });
  }
}

function foldersIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter(name => pluginName.safeParse(name).success)
    .sort();
}
