import { UsageError } from './arguments.ts';
import type { CommandEntry } from './command.ts';
import { type Command, defineCommand, type Options, print } from './command.ts';
import { commands, findCommand } from './commands.ts';

export const help = defineCommand({
  options: {},
  argument: 'COMMAND',
  argumentsFollow: true,
  help: `Without a command: what there is.

Examples:
  telemetricsd help
  telemetricsd help serve
  telemetricsd help user add`,

  async run({ words }) {
    await print(words.length === 0 ? overview() : await helpOf(words));
    return 0;
  },
});

/** What `telemetricsd` alone prints. */
export function overview(): string {
  return `telemetricsd takes telemetry records from Linux machines, keeps them, and shows what goes wrong in the fleet.

Usage: telemetricsd COMMAND [OPTIONS]

Commands:
${columns(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

  telemetricsd COMMAND --help   explains a command and its options
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
  const { name, entry, rest } = findCommand(words);
  if (rest.length > 0) throw new UsageError([`unexpected "${rest[0]}" after help ${name}`], 'help');
  return commandHelp(name, entry, await entry.load());
}

/** What `telemetricsd GROUP --help` prints; undefined where the words are not that. */
export function groupHelp([first = '', second]: string[]): string | undefined {
  const group = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (!group || 'load' in group || (second !== '--help' && second !== '-h')) return undefined;
  return `telemetricsd ${first}: ${group.summary}

Usage: telemetricsd ${first} COMMAND [OPTIONS]

Commands:
${columns(Object.entries(group.commands).map(([name, { summary }]) => [`${first} ${name}`, summary]))}

  telemetricsd ${first} COMMAND --help   explains one of them
`;
}

/** What `telemetricsd COMMAND --help` prints. */
export function commandHelp(name: string, { summary }: CommandEntry, command: Command): string {
  return `telemetricsd ${name}: ${summary}

Usage: ${usage(name, command)}

${columns([...optionRows(command.options), ['--help, -h', 'this text']])}

${command.help}
`;
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
