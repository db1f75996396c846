import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The user PostgreSQL runs as when we are root, since it refuses to be root itself. */
export interface RunAs {
  uid: number;
  gid: number;
  name: string;
}

/** Who PostgreSQL has to run as: undefined means as we are. As root: the owner of the state directory if it is a user known here, else a system user. */
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

/** The first folder from `path` upwards that `user` may not enter; undefined where there is none. */
export function folderInTheWay(path: string, user: RunAs | undefined): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    if (!mayEnter(folder, user)) return folder;
    if (folder === '/') return undefined;
  }
}

export function mayEnter(folder: string, user: RunAs | undefined): boolean {
  if (!user) return true;
  const { mode, uid, gid } = statSync(folder);
  return (mode & (uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001)) !== 0;
}
