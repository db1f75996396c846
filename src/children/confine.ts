import { spawnSync } from 'node:child_process';
import { closedTo } from '../db/run-as.ts';

/** What a child can't do without; all else of what this process may do is taken from it, as far as the system lets us. */
export interface Needs {
  /** Files it reads. */
  files: string[];
  /** It reaches other machines. */
  network?: boolean;
  /** Where this process is root, whom the child runs as: nobody, unless something else is needed. */
  user?: { uid: number; gid: number };
}

export const NOBODY = { uid: 65534, gid: 65534 };
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const WITHOUT_RIGHTS = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];

/**
 * The words before a command that take from it what it does not need: root's rights, where the files it reads are open to someone
 * else, and the network, where namespaces may be made. Empty where neither can be taken away.
 */
export function confinement(needs: Needs): string[] {
  const isRoot = process.getuid?.() === 0;
  const { uid, gid } = needs.user ?? NOBODY;
  const offline = needs.network
    ? []
    : tried(isRoot ? ['unshare', '--net'] : ['unshare', '--user', '--map-current-user', '--net']);
  if (!isRoot || needs.files.some(file => closedTo(file, { uid, gid }) !== undefined)) return offline;
  const asUser = tried(['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...WITHOUT_RIGHTS]);
  return [...offline, ...asUser];
}

const known = new Map<string, string[]>();

/** The command with the path of its program, where it works here; else nothing. */
function tried([name, ...args]: string[]): string[] {
  const key = [name, ...args].join(' ');
  const found = known.get(key);
  if (found) return found;
  const program = Bun.which(name!, { PATH });
  const works = program && spawnSync(program, [...args, '--', 'true'], { env: { PATH }, stdio: 'ignore' }).status === 0;
  const command = works ? [program, ...args, '--'] : [];
  known.set(key, command);
  return command;
}
