import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { runAs } from '../db/run-as.ts';

/** The user that probably runs the server, and what they may do. */
export interface ServerUser {
  /** Fit for the beginning of a sentence. */
  name: string;
  mayRead(path: string): boolean;
  mayWrite(path: string): boolean;
  mayRun(path: string): boolean;
}

/** The user who runs doctor; but if that is root, the owner of the state directory, since root may do everything. */
export function serverUser(stateDir: string): ServerUser {
  const owner = existsSync(stateDir) && statSync(stateDir).uid !== 0 ? runAs(stateDir) : undefined;
  const runuser = Bun.which('runuser', { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' });
  if (owner && runuser) {
    // With all groups of that user, as systemd grants them.
    const may = (how: '-r' | '-w' | '-x', path: string) =>
      spawnSync(runuser, ['-u', owner.name, '--', 'test', how, path], { stdio: 'ignore' }).status === 0;
    return {
      name: owner.name,
      mayRead: path => may('-r', path),
      mayWrite: path => may('-w', path),
      mayRun: path => may('-x', path),
    };
  }
  return {
    name: 'This user',
    mayRead: path => isAllowed(path, constants.R_OK),
    mayWrite: path => isAllowed(path, constants.W_OK),
    mayRun: path => isAllowed(path, constants.X_OK),
  };
}

/** Whether the service's unit, if there is one, leaves a directory writable. */
export function unitLetsWrite(dir: string): boolean {
  const shown = spawnSync('systemctl', ['show', 'telemetricsd', '-p', 'ProtectSystem', '-p', 'ReadWritePaths'], {
    encoding: 'utf8',
  });
  if (!/^ProtectSystem=strict$/m.test(shown.stdout ?? '')) return true;
  const paths = /^ReadWritePaths=(.*)$/m.exec(shown.stdout)?.[1]?.split(' ') ?? [];
  return [...paths, '/var/lib/telemetricsd'].some(path => `${dir}/`.startsWith(`${path.replace(/^[-+]+/, '')}/`));
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
