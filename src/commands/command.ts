import { z } from 'zod';

/** An option of a command: `--records N`, or a flag such as `--force`. */
export interface Option<T = unknown> {
  type: 'string' | 'boolean';
  /** What stands for the value in help texts: `FILE`, `N`. */
  placeholder?: string;
  description: string;
  /** Takes the text that came (a flag: true), or undefined where the option was left out. */
  schema: z.ZodType<T>;
  /** To be read after "expected". */
  allowed: string;
}

/** Of most commands; others say more exactly what was done. */
export const EXIT_CODES = 'Exit codes: 0 done, 1 not done, 2 wrong usage, 78 wrong configuration.';

export type Options = Record<string, Option>;

type OptionValues<O extends Options> = { [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** One command: everything that its help says, and what it does. Its name and summary are in `commands.ts`. */
export interface Command<O extends Options = Options> {
  options: O;
  /** What may follow besides options, as in `help [COMMAND]`; left out: nothing. */
  argument?: string;
  /** It may not be left out. */
  argumentNeeded?: true;
  /** Several may follow. */
  argumentsFollow?: true;
  /** The body of its help: what it does, exit codes, examples. */
  help: string;
  /** Resolves to the exit code. `argument` is the first of `words`. */
  run(given: { options: OptionValues<O>; argument: string | undefined; words: string[] }): Promise<number>;
}

/** Lets `run` see the options with the types that their declarations give them. */
export function defineCommand<O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** An option without a value. */
export function flag(description: string): Option<boolean> {
  return { type: 'boolean', description, schema: z.boolean().default(false), allowed: 'no value' };
}

/** An option whose value is a whole number. */
export function integerOption(about: {
  description: string;
  default: number;
  min: number;
  max: number;
}): Option<number> {
  const { min, max } = about;
  return {
    type: 'string',
    placeholder: 'N',
    description: `${about.description} (default ${about.default})`,
    schema: z
      .string()
      .regex(/^-?[0-9]+$/)
      .transform(Number)
      .pipe(z.int().min(min).max(max))
      .default(about.default),
    allowed: `an integer from ${min} to ${max}`,
  };
}

/** `--config FILE`, the same for every command that has it. */
export const configOption: Option<string | undefined> = {
  type: 'string',
  placeholder: 'FILE',
  description: 'the configuration file (default /etc/telemetricsd/config.toml, where it exists)',
  schema: z.string().min(1).optional(),
  allowed: 'the path of a file',
};

/** Writes to stdout and waits until it has arrived: process.exit would cut off what a pipe has not taken yet. */
export async function print(text: string): Promise<void> {
  await Bun.write(Bun.stdout, text);
}

export interface CommandEntry {
  /** One line for the list of commands. */
  summary: string;
  /** The chapter of the manual that says more. */
  chapter?: string;
  /** Only the command that runs is loaded: the server's modules would slow down every `--help`. */
  load(): Promise<Command>;
}

/** Commands of two words that share the first. */
export interface CommandGroup {
  summary: string;
  chapter: string;
  commands: Record<string, CommandEntry>;
}
