import type { CommandEntry } from './commands.ts';

export const tokenCommands: Record<string, CommandEntry> = {
  add: { summary: 'make a token', load: async () => (await import('./token.ts')).tokenAdd },
  list: { summary: 'list the tokens', load: async () => (await import('./token.ts')).tokenList },
  remove: { summary: 'remove a token', load: async () => (await import('./token.ts')).tokenRemove },
};
