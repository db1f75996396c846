import type { CommandEntry } from './commands.ts';

export const userCommands: Record<string, CommandEntry> = {
  add: { summary: 'add an account', load: async () => (await import('./user.ts')).userAdd },
  list: { summary: 'list the accounts', load: async () => (await import('./user.ts')).userList },
  role: { summary: 'give an account another role', load: async () => (await import('./user.ts')).userRole },
  password: { summary: 'make a link, or set a password', load: async () => (await import('./user.ts')).userPassword },
  remove: { summary: 'remove an account', load: async () => (await import('./user.ts')).userRemove },
};
