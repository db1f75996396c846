import { nearest } from '../nearest.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';

export interface CommandEntry {
  /** One line for the list of commands. */
  summary: string;
  /** Only the command that runs is loaded: the server's modules would slow down every `--help`. */
  load(): Promise<Command>;
}

/** Every command, in the order of the overview. */
export const commands: Record<string, CommandEntry> = {
  serve: {
    summary: 'take records in and show them',
    load: async () => (await import('./serve.ts')).serve,
  },
  migrate: {
    summary: 'bring the database to what this version needs',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  config: {
    summary: 'check the configuration and print it, with documentation',
    load: async () => (await import('./config.ts')).config,
  },
  backup: {
    summary: 'write everything in the database into a file',
    load: async () => (await import('./backup.ts')).backup,
  },
  restore: {
    summary: 'fill an empty database from a backup',
    load: async () => (await import('./restore.ts')).restore,
  },
  verify: {
    summary: 'prove that a backup can be restored',
    load: async () => (await import('./verify.ts')).verify,
  },
  'rebuild-counters': {
    summary: 'count again what the views count, from the records',
    load: async () => (await import('./rebuild-counters.ts')).rebuildCounters,
  },
  purge: {
    summary: 'remove the records whose time is over, or say what would go',
    load: async () => (await import('./purge.ts')).purge,
  },
  demo: {
    summary: 'fill an empty database with a believable fleet',
    load: async () => (await import('./demo.ts')).demo,
  },
  welcome: {
    summary: 'print where the pages are, and a line that posts a record',
    load: async () => (await import('./welcome.ts')).welcome,
  },
  version: {
    summary: 'print the version of the program and of what it carries',
    load: async () => (await import('./version.ts')).version,
  },
  help: {
    summary: 'explain a command',
    load: async () => (await import('./help.ts')).help,
  },
};

/** The command of that name; a UsageError names the nearest one. */
export function findCommand(name: string): CommandEntry {
  if (Object.hasOwn(commands, name)) return commands[name]!;
  const names = Object.keys(commands);
  const meant = nearest(name, names);
  throw new UsageError([
    `unknown command "${name}"; ${meant ? `the nearest is ${meant}` : `there are ${names.join(', ')}`}`,
  ]);
}
