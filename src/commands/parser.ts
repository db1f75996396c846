import { z } from 'zod';
import { configOption, defineCommand, type Option, print } from './command.ts';

const UNITS = { m: 60, h: 3_600, d: 86_400 } as const;

const sinceOption: Option<number> = {
  type: 'string',
  placeholder: 'TIME',
  description: 'how far back, as in 30m, 12h or 7d (default 1d)',
  schema: z
    .string()
    .regex(/^[0-9]{1,5}[mhd]$/)
    .default('1d')
    .transform(text => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS]),
  allowed: 'a number with m, h or d',
};

const classificationOption: Option<string | undefined> = {
  type: 'string',
  placeholder: 'TEXT',
  description: 'the classification that the parser sees (default: its first one)',
  schema: z.string().min(1).optional(),
  allowed: 'a classification',
};

export const parserInit = defineCommand({
  argument: 'NAME',
  argumentNeeded: true,
  options: { config: configOption },
  help: `Writes a working payload parser into parsers/NAME.ts beside the configuration file, which reads records of the
journal, and what an editor needs to check it. If there is such a parser already, it only
renews the declarations, as after an upgrade.

The parser is loaded once parsers.enabled names it and the server starts or gets SIGHUP.

Exit codes: 0 written, 1 not written, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd parser init journal
  telemetricsd parser init journal --config ./config.toml`,

  async run({ options, argument: name }) {
    const [{ loadConfig }, { initParser }, { join }] = await Promise.all([
      import('../config/load.ts'),
      import('../parsers/init.ts'),
      import('node:path'),
    ]);
    const { config, directory } = loadConfig({ file: options.config });
    const files = initParser(name!, join(directory, 'parsers'));
    await print(`Written:\n${files.map(file => `  ${file}\n`).join('')}${whatNext(name!, config.parsers.enabled)}`);
    return 0;
  },
});

function whatNext(name: string, enabled: string[]) {
  if (enabled.includes(name)) return 'It is enabled: SIGHUP lets a running server load it again.\n';
  const list = [...enabled, name].map(each => `"${each}"`).join(', ');
  return `To load it, put this into the configuration, and start the server or send it SIGHUP:

  [parsers]
  enabled = [${list}]
`;
}

export const parserTest = defineCommand({
  argument: 'NAME',
  argumentNeeded: true,
  argumentsFollow: true,
  options: { config: configOption, classification: classificationOption },
  help: `Lets a parser read files, each as the payload of a record, and prints the results. Neither database nor
server is needed, and the parser need not be enabled. NAME may also be a built-in parser: heartbeat,
hello, update, mce, oops or crash.

Exit codes: 0 all were read, 1 it failed, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd parser test journal payload.txt
  telemetricsd parser test mce *.txt`,

  async run({ options, words: [name, ...files] }) {
    const { tryParser } = await import('../parsers/try-parser.ts');
    return (await tryParser(name!, files, options, print)) ? 0 : 1;
  },
});

export const parserRun = defineCommand({
  argument: 'NAME',
  argumentNeeded: true,
  options: { config: configOption, since: sinceOption },
  help: `Lets a parser read recent records again, for example after a change, including records that were set
aside because it failed on them. The new results replace the old ones. It may run beside a running server, and be
stopped and run again at any time; the newest records come first.

NAME may also be a built-in parser: heartbeat, hello, update, mce, oops or crash.

Exit codes: 0 all were read, 1 it failed on some or was not done, 2 wrong usage, 78 wrong configuration.

Examples:
  telemetricsd parser run journal --since 7d
  telemetricsd parser run mce --since 12h`,

  async run({ options, argument: name }) {
    const { rerunParser } = await import('../parsers/rerun.ts');
    return (await rerunParser(name!, options)) === 0 ? 0 : 1;
  },
});
