import { spawnSync } from 'node:child_process';
import { closedTo } from '../db/run-as.ts';

/** What a child needs; it loses every other right of this process, as far as the system allows. */
export interface Needs {
  /** Files it reads. */
  files: string[];
  /** Whether it reaches other machines. */
  network?: boolean;
  /** If this process is root, the user the child runs as; nobody by default. */
  user?: { uid: number; gid: number };
}

export const NOBODY = { uid: 65534, gid: 65534 };
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const WITHOUT_RIGHTS = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];

/**
 * The words to put before a command so that it loses what it does not need: root's rights (if another user may read its
 * files) and the network (if namespaces may be made). Empty if it can lose neither.
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

/** The command with the path of its program if it works here, else nothing. */
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
