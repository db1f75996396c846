import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pluginName } from '../config/plugin-names.ts';
import { embedFile } from '../embedded.macro.ts' with { type: 'macro' };
import { OperatorError } from '../errors.ts';

const EXAMPLE: Record<string, string> = {
  'view.tsx': embedFile('src/plugins/example/view.tsx'),
  'static/style.css': embedFile('src/plugins/example/style.css'),
  'tsconfig.json': embedFile('src/plugins/example/tsconfig.json'),
  'hono.d.ts': embedFile('src/plugins/example/hono.d.ts'),
};
const DECLARATIONS = { 'telemetricsd.d.ts': embedFile('src/plugins/telemetricsd.d.ts') };

/** Writes a working plugin, or only renews the declarations if one exists. Returns the files written. */
export function initPlugin(name: string, directory: string): string[] {
  if (!pluginName.safeParse(name).success) {
    throw new OperatorError(
      `a plugin can't be called ${JSON.stringify(name)}`,
      'Names have 1 to 40 characters of a-z, 0-9, "-" and "_", the first a letter or digit: it is part of the address.',
    );
  }
  const folder = join(directory, name);
  const files = existsSync(folder) ? DECLARATIONS : { ...EXAMPLE, ...DECLARATIONS };
  try {
    return Object.entries(files).map(([file, text]) => write(join(folder, file), text));
  } catch (cause) {
    throw new OperatorError(
      `the plugin can't be written into ${folder}: ${(cause as Error).message}`,
      'Run the command as a user who may write there, or name another configuration with --config.',
      { cause },
    );
  }
}

/** The service reads it as another user, whatever the writer's umask is. */
function write(path: string, text: string): string {
  const folder = dirname(path);
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}
