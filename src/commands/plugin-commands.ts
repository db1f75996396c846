import type { CommandEntry } from './commands.ts';

export const pluginCommands: Record<string, CommandEntry> = {
  init: { summary: 'write a view plugin to start from', load: async () => (await import('./plugin.ts')).pluginInit },
  list: { summary: 'say which can be loaded', load: async () => (await import('./plugin.ts')).pluginList },
};
