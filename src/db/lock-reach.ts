import { readFileSync, realpathSync } from 'node:fs';
import { OperatorError } from '../errors.ts';
import type { Log } from '../log.ts';

/** A file system whose locks another machine does not see, though it may have the same files. */
interface LocalLocks {
  text: string;
  remedy: string;
  /** It says itself that its locks are local; else they may be. */
  certain: boolean;
}

/** Shared with whoever runs the virtual machine, or served by a program. */
const PERHAPS_LOCAL = /^(fuse|fuse\..*|virtiofs|9p|vboxsf|prl_fs|vmhgfs)$/;

/** Throws OperatorError where locks in a directory certainly hold on this machine alone; warns where they may. */
export function assertLocksHold(dir: string, log: Log) {
  const local = localLocks(dir);
  if (local?.certain) throw new OperatorError(local.text, local.remedy);
  if (local) log.warn(local.text, { remedy: local.remedy });
}

/** Whether it may be that locks in a directory hold on this machine alone. */
export function localLocks(dir: string): LocalLocks | undefined {
  return localLocksIn(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(dir));
}

/** `mountinfo` is as proc_pid_mountinfo(5) has it. Exported for tests, which can't mount every file system. */
export function localLocksIn(mountinfo: string, dir: string): LocalLocks | undefined {
  const mount = mountOf(mountinfo, dir);
  if (!mount) return undefined;
  const { type, options } = mount;
  const has = (...any: string[]) => any.some(option => options.includes(option));
  const certain =
    (/^nfs/.test(type) && has('nolock', 'local_lock=all', 'local_lock=flock')) ||
    (/^(cifs|smb3)$/.test(type) && has('nobrl')) ||
    (type === 'lustre' && has('localflock'));
  if (!certain && !PERHAPS_LOCAL.test(type)) return undefined;
  const danger = 'and a second server there that uses the same directory would destroy the database';
  return certain
    ? {
        certain,
        text: `${dir} lies on ${type} mounted so that other machines do not see its locks, ${danger}`,
        remedy:
          'Mount it with locks (without nolock, local_lock, nobrl or localflock), or move state.dir to a local disk.',
      }
    : {
        certain,
        text: `${dir} lies on ${type}, where other machines may not see its locks, ${danger}`,
        remedy: 'Let no other machine use this directory, or move state.dir to a local disk.',
      };
}

function mountOf(mountinfo: string, dir: string): { type: string; options: string[] } | undefined {
  let found: { point: string; type: string; options: string[] } | undefined;
  for (const line of mountinfo.split('\n').filter(Boolean)) {
    const [mounted, filesystem] = line.split(' - ') as [string, string];
    const point = mounted
      .split(' ')[4]!
      .replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    const [type = '', , options = ''] = filesystem.split(' ');
    const inside = point === '/' || dir === point || dir.startsWith(`${point}/`);
    // Of several at one place the last one is seen.
    if (inside && point.length >= (found?.point.length ?? 0)) found = { point, type, options: options.split(',') };
  }
  return found;
}
