import { type Chapter, chapters, findChapter } from '../help/chapters.ts';
import { chapterText } from '../help/render.ts';
import { nearest } from '../nearest.ts';
import { UsageError } from './arguments.ts';
import type { CommandEntry } from './command.ts';
import { type Command, defineCommand, type Options, print } from './command.ts';
import { commands, findCommand } from './commands.ts';

export const help = defineCommand({
  options: {},
  argument: 'COMMAND|CHAPTER',
  argumentsFollow: true,
  help: `Without an argument it lists the commands and the chapters. No chapter has the name of a command. The server shows the
same manual under /telemetryui/help, with a search.

Examples:
  telemetricsd help
  telemetricsd help serve
  telemetricsd help user add
  telemetricsd help retention | less`,

  async run({ words }) {
    await print(words.length === 0 ? overview() : await helpOf(words));
    return 0;
  },
});

/** Longer lines are hard to read. */
const MOST_COLUMNS = 100;

/** The output of `telemetricsd` alone. */
export function overview(): string {
  return `telemetricsd receives telemetry records from Linux machines, keeps them, and shows what goes wrong in the fleet.

Usage: telemetricsd COMMAND [OPTIONS]

Commands:
${columns(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

Chapters of the manual:
${columns(chapters.map(({ name, title }) => [name, title]))}

  telemetricsd COMMAND --help   explains a command and its options
  telemetricsd help CHAPTER     prints a chapter
  telemetricsd --version, -V    prints the version

To try it without any configuration:
  TELEMETRICSD_STATE_DIR=./state telemetricsd serve --welcome

Settings are read from /etc/telemetricsd/config.toml and from TELEMETRICSD_* variables;
"telemetricsd config" prints all of them with their documentation.
`;
}

async function helpOf(words: string[]): Promise<string> {
  const group = words.length === 1 ? groupHelp([...words, '--help']) : undefined;
  if (group !== undefined) return group;
  const chapter = chapterMeant(words[0]!);
  const found = chapter ? { name: chapter.name, rest: words.slice(1) } : findCommand(words);
  if (found.rest.length > 0) throw new UsageError([`unexpected "${found.rest[0]}" after help ${found.name}`], 'help');
  return 'entry' in found ? commandHelp(found.name, found.entry, await found.entry.load()) : printed(chapter!);
}

/** The chapter that `word` probably means; undefined if a command is as near. */
function chapterMeant(word: string): Chapter | undefined {
  const names = [...Object.keys(commands), ...chapters.map(({ name }) => name)];
  if (names.includes(word)) return findChapter(word);
  if (names.includes(word.toLowerCase())) return findChapter(word.toLowerCase());
  const meant = findChapter(nearest(word, names) ?? '');
  if (meant) throw new UsageError([`unknown chapter "${word}"; the nearest is ${meant.name}`], 'help');
  if (nearest(word, names) === undefined) {
    const all = chapters.map(({ name }) => name).join(', ');
    throw new UsageError([`unknown command or chapter "${word}"; the chapters are ${all}`], 'help');
  }
  return undefined;
}

function printed(chapter: Chapter): string {
  const { isTTY, columns: width = MOST_COLUMNS } = process.stdout;
  return chapterText(chapter, {
    colors: isTTY === true && Bun.enableANSIColors,
    columns: Math.min(width, MOST_COLUMNS),
  });
}

/** The output of `telemetricsd GROUP --help`; undefined for other words. */
export function groupHelp([first = '', second]: string[]): string | undefined {
  const group = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (!group || 'load' in group || (second !== '--help' && second !== '-h')) return undefined;
  return `telemetricsd ${first}: ${group.summary}

Usage: telemetricsd ${first} COMMAND [OPTIONS]

Commands:
${columns(Object.entries(group.commands).map(([name, { summary }]) => [`${first} ${name}`, summary]))}

  telemetricsd ${first} COMMAND --help   explains one of them

More: telemetricsd help ${group.chapter}
`;
}

/** The output of `telemetricsd COMMAND --help`. */
export function commandHelp(name: string, { summary, chapter }: CommandEntry, command: Command): string {
  return `telemetricsd ${name}: ${summary}

Usage: ${usage(name, command)}

${columns([...optionRows(command.options), ['--help, -h', 'this text']])}

${command.help}
${chapter === undefined ? '' : `\nMore: telemetricsd help ${chapter}\n`}`;
}

function usage(name: string, { options, argument, argumentNeeded, argumentsFollow }: Command): string {
  const words = Object.entries(options).map(([key, { placeholder }]) => `[${optionText(key, placeholder)}]`);
  return [
    'telemetricsd',
    name,
    ...words,
    ...(argument ? [argumentNeeded ? argument : `[${argument}]`] : []),
    ...(argumentsFollow ? ['…'] : []),
  ].join(' ');
}

function optionRows(options: Options): [string, string][] {
  return Object.entries(options).map(([key, option]) => [optionText(key, option.placeholder), option.description]);
}

function optionText(key: string, placeholder: string | undefined): string {
  return placeholder ? `--${key} ${placeholder}` : `--${key}`;
}

function columns(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`).join('\n');
}
