import { parseArguments, UsageError, unknownOption } from './arguments.ts';
import { print } from './command.ts';
import { findCommand } from './commands.ts';
import { reportFailure } from './failure.ts';
import { commandHelp, overview } from './help.ts';

/** Runs the command that the arguments name; resolves to the exit code, whatever happens. */
export async function run(args: string[]): Promise<number> {
  try {
    const [first, ...rest] = args;
    if (first === undefined || first === '--help' || first === '-h') return await runHelp();
    if (first === '--version') return await runCommand('version', rest);
    if (first.startsWith('-')) throw new UsageError([misplacedOption(first)]);
    return await runCommand(first, rest);
  } catch (error) {
    return reportFailure(error, args);
  }
}

async function runHelp(): Promise<number> {
  await print(overview());
  return 0;
}

function misplacedOption(given: string): string {
  return `${unknownOption(given, ['version'])}. Options of a command come after it`;
}

async function runCommand(name: string, args: string[]): Promise<number> {
  const command = await findCommand(name).load();
  const given = parseArguments(name, command, args);
  if (given !== 'help') return await command.run(given);
  await print(await commandHelp(name));
  return 0;
}
