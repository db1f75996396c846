import { nearest } from '../nearest.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { parserCommands } from './parser-commands.ts';
import { pluginCommands } from './plugin-commands.ts';
import { tokenCommands } from './token-commands.ts';
import { userCommands } from './user-commands.ts';

export interface CommandEntry {
  /** One line for the list of commands. */
  summary: string;
  /** Only the command that runs is loaded: the server's modules would slow down every `--help`. */
  load(): Promise<Command>;
}

/** Commands of two words that share the first. */
export interface CommandGroup {
  summary: string;
  commands: Record<string, CommandEntry>;
}

/** Every command, in the order of the overview. */
export const commands: Record<string, CommandEntry | CommandGroup> = {
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
  doctor: {
    summary: 'look for what is wrong and say what to do about it',
    load: async () => (await import('./doctor.ts')).doctor,
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
  user: {
    summary: 'accounts of people: add, list, role, password, remove',
    commands: userCommands,
  },
  token: {
    summary: 'tokens of scripts: add, list, remove',
    commands: tokenCommands,
  },
  'rebuild-counters': {
    summary: 'count again what the views count, from the records',
    load: async () => (await import('./rebuild-counters.ts')).rebuildCounters,
  },
  purge: {
    summary: 'remove the records whose time is over, or say what would go',
    load: async () => (await import('./purge.ts')).purge,
  },
  forget: {
    summary: 'erase one machine everywhere, or say what there is of it',
    load: async () => (await import('./forget.ts')).forget,
  },
  import: {
    summary: "copy an old server's database, or say what would come",
    load: async () => (await import('./import.ts')).importCommand,
  },
  demo: {
    summary: 'fill an empty database with a believable fleet',
    load: async () => (await import('./demo.ts')).demo,
  },
  parser: {
    summary: 'payload parsers: init, test, run',
    commands: parserCommands,
  },
  plugin: {
    summary: 'view plugins: init, list',
    commands: pluginCommands,
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

/** The command that the first words of a command line name, one or two, and what follows; a UsageError names the nearest one. */
export function findCommand([first = '', ...rest]: string[]): { name: string; entry: CommandEntry; rest: string[] } {
  const entry = entryOf(commands, first, 'command');
  if ('load' in entry) return { name: first, entry, rest };
  const [second, ...others] = rest;
  const names = Object.keys(entry.commands);
  if (second === undefined) throw new UsageError([`${first} needs one of ${names.join(', ')}`], first);
  return { name: `${first} ${second}`, entry: entryOf(entry.commands, second, `command of ${first}`), rest: others };
}

function entryOf<Entry>(entries: Record<string, Entry>, name: string, kind: string): Entry {
  if (Object.hasOwn(entries, name)) return entries[name]!;
  const names = Object.keys(entries);
  const meant = nearest(name, names);
  throw new UsageError([
    `unknown ${kind} "${name}"; ${meant ? `the nearest is ${meant}` : `there are ${names.join(', ')}`}`,
  ]);
}
