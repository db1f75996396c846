import { type Command, defineCommand, type Options, print } from './command.ts';
import { commands, findCommand } from './commands.ts';

export const help = defineCommand({
  options: {},
  argument: 'COMMAND',
  help: `Without a command: what there is.

Examples:
  telemetricsd help
  telemetricsd help serve`,

  async run({ argument }) {
    await print(argument === undefined ? overview() : await commandHelp(argument));
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
  telemetricsd --version        prints the version

To try it without any configuration:
  TELEMETRICSD_STATE_DIR=./state telemetricsd serve --welcome

Settings are read from /etc/telemetricsd/config.toml and from TELEMETRICSD_* variables;
"telemetricsd config" prints all of them with their documentation.
`;
}

/** What `telemetricsd COMMAND --help` prints. */
export async function commandHelp(name: string): Promise<string> {
  const { summary, load } = findCommand(name);
  const command = await load();
  return `telemetricsd ${name}: ${summary}

Usage: ${usage(name, command)}

${columns([...optionRows(command.options), ['--help, -h', 'this text']])}

${command.help}
`;
}

function usage(name: string, { options, argument, argumentNeeded }: Command): string {
  const words = Object.entries(options).map(([key, { placeholder }]) => `[${optionText(key, placeholder)}]`);
  return ['telemetricsd', name, ...words, ...(argument ? [argumentNeeded ? argument : `[${argument}]`] : [])].join(' ');
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
