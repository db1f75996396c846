import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_FILE } from '../config/file.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type Config, declaredSettings } from '../config/settings.ts';
import { nearestExisting } from '../db/preflight.ts';
import type { Finding } from '../status/checks.ts';

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
/** PostgreSQL starts with no more than these bits. */
const DATA_MODE = 0o750;

/** Whoever may write the file may run the service's life; whoever may read it has its secrets. */
export function configurationFile({ origin }: LoadedConfig, given: string | undefined): Finding {
  const file = given ?? DEFAULT_FILE;
  const set = declaredSettings.filter(({ key }) => origin(key) !== 'default');
  const here = set.filter(({ key }) => origin(key) === file);
  const text = `It is right: ${here.length} settings from ${file}, ${set.length - here.length} from the environment.`;
  if (!existsSync(file))
    return { level: 'ok', text: `It is right; there is no ${file}, ${set.length} settings come from the environment.` };
  const { mode } = statSync(file);
  if (mode & OTHERS_WRITE) return { level: 'error', text: `Everyone may write ${file}.`, remedy: `chmod o-w ${file}` };
  const secrets = here.filter(({ setting }) => setting.secret).map(({ key }) => key);
  if (secrets.length > 0 && mode & OTHERS_READ) {
    const remedy = `chown root:telemetricsd ${file}; chmod 640 ${file} (with the group of the service)`;
    return { level: 'warning', text: `Everyone may read ${file}, which holds ${secrets.join(', ')}.`, remedy };
  }
  return { level: 'ok', text };
}

export function stateDirectory({ state: { dir }, database }: Config): Finding {
  const embedded = database.url === undefined;
  if (!existsSync(dir)) {
    const parent = nearestExisting(dir);
    if (!embedded || isWritable(parent))
      return { level: 'ok', text: `${dir} is not there yet: the first start makes it.` };
    const remedy = `Create it for the user of the service, or name another in state.dir.`;
    return { level: 'error', text: `${dir} is not there, and this user can't make it in ${parent}.`, remedy };
  }
  const { mode } = statSync(dir);
  if (mode & OTHERS_WRITE)
    return { level: 'error', text: `Everyone may write into ${dir}.`, remedy: `chmod o-w ${dir}` };
  if (embedded && !isWritable(dir)) {
    const remedy = 'Run doctor as root or as the user of the service; if that may not write there either, chown it.';
    return { level: 'error', text: `This user may not write into ${dir}.`, remedy };
  }
  const data = join(dir, 'data');
  if (embedded && existsSync(data) && (statSync(data).mode & 0o777 & ~DATA_MODE) !== 0)
    return {
      level: 'error',
      text: `PostgreSQL does not start while others may enter ${data}.`,
      remedy: `chmod 700 ${data}`,
    };
  return { level: 'ok', text: `${dir} can be written to by this user, and not by everyone.` };
}

export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
