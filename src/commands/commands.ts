import { nearest } from '../nearest.ts';
import { UsageError } from './arguments.ts';
import type { CommandEntry, CommandGroup } from './command.ts';

/** Every command, in the order of the overview. */
export const commands: Record<string, CommandEntry | CommandGroup> = {
  serve: {
    summary: 'receive records and show them',
    chapter: 'install',
    load: async () => (await import('./serve.ts')).serve,
  },
  migrate: {
    summary: 'migrate the database to this version',
    chapter: 'backup-and-upgrade',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  config: {
    summary: 'check the configuration and print it, with documentation',
    chapter: 'configure',
    load: async () => (await import('./config.ts')).config,
  },
  doctor: {
    summary: 'find problems and say what to do about them',
    chapter: 'watch',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  backup: {
    summary: 'write everything in the database into a file',
    chapter: 'backup-and-upgrade',
    load: async () => (await import('./backup.ts')).backup,
  },
  restore: {
    summary: 'fill an empty database from a backup',
    chapter: 'backup-and-upgrade',
    load: async () => (await import('./restore.ts')).restore,
  },
  verify: {
    summary: 'prove that a backup can be restored',
    chapter: 'backup-and-upgrade',
    load: async () => (await import('./verify.ts')).verify,
  },
  user: {
    summary: 'accounts of people: add, list, role, password, remove',
    chapter: 'access',
    commands: {
      add: { summary: 'add an account', load: async () => (await import('./user.ts')).userAdd },
      list: { summary: 'list the accounts', load: async () => (await import('./user.ts')).userList },
      role: { summary: 'change the role of an account', load: async () => (await import('./user.ts')).userRole },
      password: {
        summary: 'make a link, or set a password',
        load: async () => (await import('./user.ts')).userPassword,
      },
      remove: { summary: 'remove an account', load: async () => (await import('./user.ts')).userRemove },
    },
  },
  token: {
    summary: 'tokens of scripts: add, list, remove',
    chapter: 'access',
    commands: {
      add: { summary: 'make a token', load: async () => (await import('./token.ts')).tokenAdd },
      list: { summary: 'list the tokens', load: async () => (await import('./token.ts')).tokenList },
      remove: { summary: 'remove a token', load: async () => (await import('./token.ts')).tokenRemove },
    },
  },
  'rebuild-counters': {
    summary: 'derive the counters of the views from the records again',
    chapter: 'views',
    load: async () => (await import('./rebuild-counters.ts')).rebuildCounters,
  },
  purge: {
    summary: 'remove expired records, or show what would be removed',
    chapter: 'retention',
    load: async () => (await import('./purge.ts')).purge,
  },
  forget: {
    summary: 'erase one machine everywhere, or show what is stored of it',
    chapter: 'privacy',
    load: async () => (await import('./forget.ts')).forget,
  },
  import: {
    summary: "copy an old server's database, or show what would be copied",
    chapter: 'move-from-the-old-server',
    load: async () => (await import('./import.ts')).importCommand,
  },
  demo: {
    summary: 'fill an empty database with a believable fleet',
    chapter: 'install',
    load: async () => (await import('./demo.ts')).demo,
  },
  parser: {
    summary: 'payload parsers: init, test, run',
    chapter: 'parsers',
    commands: {
      init: {
        summary: 'write a payload parser to start from',
        load: async () => (await import('./parser.ts')).parserInit,
      },
      test: { summary: 'let a parser read files', load: async () => (await import('./parser.ts')).parserTest },
      run: { summary: 'let a parser read records again', load: async () => (await import('./parser.ts')).parserRun },
    },
  },
  plugin: {
    summary: 'view plugins: init, list',
    chapter: 'plugins',
    commands: {
      init: {
        summary: 'write a view plugin to start from',
        load: async () => (await import('./plugin.ts')).pluginInit,
      },
      list: { summary: 'show which plugins can be loaded', load: async () => (await import('./plugin.ts')).pluginList },
    },
  },
  welcome: {
    summary: 'print the addresses of the pages and a command that posts a record',
    chapter: 'connect',
    load: async () => (await import('./welcome.ts')).welcome,
  },
  version: {
    summary: 'print the versions of the program and its parts',
    load: async () => (await import('./version.ts')).version,
  },
  help: {
    summary: 'explain a command, or print a chapter of the manual',
    load: async () => (await import('./help.ts')).help,
  },
};

/**
 * Finds the command named by the first one or two words of a command line, and returns the rest. A UsageError names the
 * nearest command.
 */
export function findCommand([first = '', ...rest]: string[]): { name: string; entry: CommandEntry; rest: string[] } {
  const entry = entryOf(commands, first, 'command');
  if ('load' in entry) return { name: first, entry, rest };
  const { chapter } = entry;
  const [second, ...others] = rest;
  const names = Object.keys(entry.commands);
  if (second === undefined) throw new UsageError([`${first} needs one of ${names.join(', ')}`], first);
  const member = entryOf(entry.commands, second, `command of ${first}`);
  return { name: `${first} ${second}`, entry: { chapter, ...member }, rest: others };
}

function entryOf<Entry>(entries: Record<string, Entry>, name: string, kind: string): Entry {
  if (Object.hasOwn(entries, name)) return entries[name]!;
  const names = Object.keys(entries);
  const meant = nearest(name, names);
  throw new UsageError([
    `unknown ${kind} "${name}"; ${meant ? `the nearest is ${meant}` : `there are ${names.join(', ')}`}`,
  ]);
}
