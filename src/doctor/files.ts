import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../../views/parts/parts.tsx';
import { DEFAULT_FILE } from '../config/file.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { type Config, declaredSettings } from '../config/settings.ts';
import { localLocks } from '../db/lock-reach.ts';
import { nearestExisting } from '../db/preflight.ts';
import type { Finding } from '../status/check.ts';
import type { ServerUser } from './server-user.ts';

export const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
/** PostgreSQL starts with no more than these bits. */
const DATA_MODE = 0o750;

/** Whoever may write the file may run the service's life; whoever may read it has its secrets. */
export function configurationFile(
  { config, origin }: LoadedConfig,
  given: string | undefined,
  user: ServerUser,
): Finding {
  const file = given ?? DEFAULT_FILE;
  const set = declaredSettings.filter(({ key }) => origin(key) !== 'default');
  const here = set.filter(({ key }) => origin(key) === file);
  const others = counted(set.length - here.length, 'setting');
  const text = `No mistakes: ${counted(here.length, 'setting')} from ${file}, ${others} from the environment.`;
  if (!existsSync(file))
    return { level: 'ok', text: `No mistakes. There is no ${file}; ${others} from the environment.` };
  const { mode } = statSync(file);
  if (mode & OTHERS_WRITE) return { level: 'error', text: `Everyone may write ${file}.`, remedy: `chmod o-w ${file}` };
  if (!user.mayRead(file)) {
    const remedy = `chown root:telemetricsd ${file}; chmod 640 ${file} (with the group of the service)`;
    return { level: 'error', text: `${user.name} may not read ${file}, so the service does not start.`, remedy };
  }
  const secrets = here.filter(({ setting }) => setting.secret).map(({ key }) => key);
  if (secrets.length > 0 && mode & OTHERS_READ) {
    const remedy = `chown root:telemetricsd ${file}; chmod 640 ${file} (with the group of the service)`;
    return { level: 'warning', text: `Everyone may read ${file}, which holds ${secrets.join(', ')}.`, remedy };
  }
  if (isOlder(config.state.dir, file)) {
    const told = `${file} changed after the server started. The server still runs with the old settings.`;
    return { level: 'warning', text: `${text} ${told}`, remedy: 'systemctl restart telemetricsd' };
  }
  return { level: 'ok', text };
}

/** Whether the running server was started before the file was written, as far as its built-in PostgreSQL tells. */
function isOlder(stateDir: string, file: string): boolean {
  const started = statSync(join(stateDir, 'data/postmaster.pid'), { throwIfNoEntry: false });
  return started !== undefined && started.mtimeMs < statSync(file).mtimeMs;
}

export function stateDirectory({ state: { dir }, database }: Config, user: ServerUser): Finding {
  const embedded = database.url === undefined;
  if (!existsSync(dir)) {
    const parent = nearestExisting(dir);
    if (!embedded || user.mayWrite(parent))
      return { level: 'ok', text: `${dir} is not there yet: the first start makes it.` };
    const remedy = `Create it for the user of the service, or name another in state.dir.`;
    return { level: 'error', text: `${dir} is not there, and can't be made in ${parent}.`, remedy };
  }
  const { mode } = statSync(dir);
  if (mode & OTHERS_WRITE)
    return { level: 'error', text: `Everyone may write into ${dir}.`, remedy: `chmod o-w ${dir}` };
  if (embedded && !user.mayWrite(dir)) {
    const remedy = 'Run doctor as root or as the user of the service; if that may not write there either, chown it.';
    return { level: 'error', text: `${user.name} may not write into ${dir}.`, remedy };
  }
  const data = join(dir, 'data');
  if (embedded && existsSync(data) && (statSync(data).mode & 0o777 & ~DATA_MODE) !== 0)
    return {
      level: 'error',
      text: `PostgreSQL does not start while others may enter ${data}.`,
      remedy: `chmod 700 ${data}`,
    };
  const local = embedded && localLocks(existsSync(data) ? data : dir);
  if (local) return { level: local.certain ? 'error' : 'warning', text: `${local.text}.`, remedy: local.remedy };
  return { level: 'ok', text: `${dir} can be written to, and not by everyone.` };
}
