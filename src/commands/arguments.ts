import { parseArgs } from 'node:util';
import { nearest } from '../nearest.ts';
import type { Command, Option } from './command.ts';

/** A command line with mistakes, one on each line. */
export class UsageError extends Error {
  override name = 'UsageError';
  /** The command whose help says more. */
  readonly command: string | undefined;

  constructor(mistakes: string[], command?: string) {
    super(mistakes.join('\n'));
    this.command = command;
  }
}

interface Given {
  options: Record<string, unknown>;
  argument: string | undefined;
  words: string[];
}

/** The validated options and argument of a command; 'help' if `--help` or `-h` is anywhere. */
export function parseArguments(name: string, command: Command, args: string[]): Given | 'help' {
  const tokens = tokenize(command, args);
  if (tokens.some(token => token.kind === 'option' && isHelp(token))) return 'help';
  const mistakes: string[] = [];
  const raw = new Map<string, string | boolean>();
  for (const token of tokens) {
    if (token.kind === 'option') readOption(token, command, raw, mistakes);
  }
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, option]) => [key, validate(key, option, raw.get(key), mistakes)]),
  );
  const words = tokens.flatMap(token => (token.kind === 'positional' ? [token.value] : []));
  // The word after an unknown option is probably its value.
  if (mistakes.length === 0) {
    const unexpected = command.argumentsFollow ? [] : words.slice(command.argument ? 1 : 0);
    mistakes.push(...unexpected.map(word => `unexpected "${word}" after ${name}`));
    if (command.argumentNeeded && words.length === 0) mistakes.push(`${name} needs a ${command.argument}`);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes, name);
  return { options, argument: words[0], words };
}

/** Not strict: parseArgs would stop at the first mistake, with its own wording. */
function tokenize(command: Command, args: string[]) {
  const options = Object.fromEntries(Object.entries(command.options).map(([key, { type }]) => [key, { type }]));
  return parseArgs({ args, options, strict: false, tokens: true, allowPositionals: true }).tokens;
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function isHelp({ rawName }: OptionToken): boolean {
  return rawName === '--help' || rawName === '-h';
}

function readOption(token: OptionToken, command: Command, raw: Map<string, string | boolean>, mistakes: string[]) {
  const { name, rawName, value } = token;
  const option = rawName.startsWith('--') && Object.hasOwn(command.options, name) ? command.options[name] : undefined;
  if (!option) {
    mistakes.push(unknownOption(rawName, Object.keys(command.options)));
  } else if (option.type === 'boolean') {
    if (value === undefined) raw.set(name, true);
    else mistakes.push(`--${name} takes no value, got "${value}"`);
  } else if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
    mistakes.push(`--${name} needs a value: ${option.allowed}`);
  } else {
    raw.set(name, value);
  }
}

/** The message for an unknown option; names the nearest known one, or all. */
export function unknownOption(given: string, names: string[]): string {
  const candidates = [...names, 'help'];
  const meant = nearest(given.replace(/^-+/, ''), candidates);
  const all = candidates.map(name => `--${name}`).join(', ');
  return `unknown option ${given}${meant ? `; the nearest is --${meant}` : `; there are ${all}`}`;
}

function validate(key: string, option: Option, raw: string | boolean | undefined, mistakes: string[]): unknown {
  const result = option.schema.safeParse(raw);
  if (!result.success) mistakes.push(`--${key}: got "${raw}", expected ${option.allowed}`);
  return result.data;
}
