import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pluginName } from '../config/plugin-names.ts';
import { embedFile } from '../embedded.macro.ts' with { type: 'macro' };
import { OperatorError } from '../errors.ts';

const EXAMPLE = embedFile('src/parsers/example/journal.ts');
const TSCONFIG = embedFile('src/parsers/example/tsconfig.json');
const DECLARATIONS = embedFile('src/parsers/telemetricsd-parser.d.ts');

/** Writes a working parser, or only renews the declarations if one exists. Returns the files written. */
export function initParser(name: string, directory: string): string[] {
  if (!pluginName.safeParse(name).success) {
    throw new OperatorError(
      `a parser can't be called ${JSON.stringify(name)}`,
      'Names have 1 to 40 characters of a-z, 0-9, "-" and "_", the first a letter or digit.',
    );
  }
  const there = [`${name}.ts`, `${name}.js`, name].some(file => existsSync(join(directory, file)));
  const files = {
    ...(!there && { [`${name}.ts`]: EXAMPLE }),
    ...(!existsSync(join(directory, 'tsconfig.json')) && { 'tsconfig.json': TSCONFIG }),
    'telemetricsd-parser.d.ts': DECLARATIONS,
  };
  try {
    if (!existsSync(directory)) {
      mkdirSync(directory, { recursive: true });
      chmodSync(directory, 0o755);
    }
    return Object.entries(files).map(([file, text]) => write(join(directory, file), text));
  } catch (cause) {
    throw new OperatorError(
      `the parser can't be written into ${directory}: ${(cause as Error).message}`,
      'Run the command as a user who may write there, or name another configuration with --config.',
      { cause },
    );
  }
}

/** The service reads it as another user, whatever the writer's umask is. */
function write(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}
