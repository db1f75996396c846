import { parseArguments, UsageError, unknownOption } from './arguments.ts';
import { print } from './command.ts';
import { findCommand } from './commands.ts';
import { reportFailure } from './failure.ts';
import { commandHelp, groupHelp, overview } from './help.ts';

/** Runs the command that the arguments name; always resolves to the exit code. */
export async function run(args: string[]): Promise<number> {
  try {
    const [first, ...rest] = args;
    if (first === undefined || first === '--help' || first === '-h') return await runHelp();
    if (['--version', '-V', '-v'].includes(first)) return await runCommand(['version', ...rest]);
    if (first.startsWith('-')) throw new UsageError([misplacedOption(first)]);
    return await runCommand(args);
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

async function runCommand(args: string[]): Promise<number> {
  const group = groupHelp(args);
  if (group !== undefined) {
    await print(group);
    return 0;
  }
  const { name, entry, rest } = findCommand(args);
  const command = await entry.load();
  const given = parseArguments(name, command, rest);
  if (given !== 'help') return await command.run(given);
  await print(commandHelp(name, entry, command));
  return 0;
}
