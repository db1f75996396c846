import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The user that PostgreSQL runs as when we are root, since it refuses to be root. */
export interface RunAs {
  uid: number;
  gid: number;
  name: string;
}

/**
 * The user that PostgreSQL has to run as; undefined means our own. If we are root: the owner of the state directory if
 * the system knows that user, or else a system user.
 */
export function runAs(stateDir: string): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(stateDir);
  const owner = uid === 0 ? undefined : users().find(user => user.uid === uid);
  return (
    (owner && { ...owner, gid }) ??
    systemUser('telemetricsd') ??
    systemUser('postgres') ??
    systemUser('nobody') ?? { uid: 65534, gid: 65534, name: 'nobody' }
  );
}

function systemUser(name: string): RunAs | undefined {
  return users().find(user => user.name === name);
}

/** PostgreSQL's initdb runs only as a user that has a name. */
function users(): RunAs[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map(line => line.split(':'))
      .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  } catch {
    return [];
  }
}

export function give(path: string, user: RunAs | undefined) {
  if (user) chownSync(path, user.uid, user.gid);
}

const [READ, EXECUTE] = [4, 1];

/** The path itself, or the nearest folder above it, that `user` may not read or enter; undefined if none. */
export function closedTo(path: string, user: Pick<RunAs, 'uid' | 'gid'> | undefined): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    if (!isOpenTo(at, user)) return at;
    if (at === '/') return undefined;
  }
}

/** Whether `user` may read the file or enter the folder, assuming every folder above it is open. */
export function isOpenTo(path: string, user: Pick<RunAs, 'uid' | 'gid'> | undefined): boolean {
  if (!user) return true;
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  const needed = found.isDirectory() ? EXECUTE : READ;
  const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
  return (found.mode & (needed << shift)) !== 0;
}
