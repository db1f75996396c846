import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A copy of this machine's file system for one test: what is done in it is gone afterwards. */
export interface Machine {
  /** Where a path of it is seen from outside. */
  path(inside: string): string;
  /** Runs a shell command in it as root. */
  run(command: string): { code: number | null; output: string };
  /** Gives it a systemctl that starts and stops the one service as its unit says. */
  addServiceManager(): void;
  remove(): void;
}

/** Whether the kernel lets root lay one file system over another. */
export function canOverlay(): boolean {
  try {
    makeMachine().remove();
    return true;
  } catch {
    return false;
  }
}

export function makeMachine(): Machine {
  const place = mkdtempSync(join(tmpdir(), 'telemetricsd-machine-'));
  const root = join(place, 'root');
  const mounted: string[] = [];
  const mount = (target: string, ...args: string[]) => {
    mkdirSync(target, { recursive: true });
    const { status, stderr } = spawnSync('mount', [...args, target], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mount ${target}: ${stderr}`);
    mounted.unshift(target);
  };
  const remove = () => {
    for (const target of mounted) spawnSync('umount', ['--lazy', target]);
    // What is still mounted would be deleted as well, this machine's own devices among it.
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(place)) throw new Error(`${place} is still mounted`);
    rmSync(place, { recursive: true, force: true });
  };
  try {
    mount(join(place, 'memory'), '-t', 'tmpfs', 'tmpfs');
    for (const name of ['upper', 'work']) mkdirSync(join(place, 'memory', name));
    const layers = `lowerdir=/,upperdir=${place}/memory/upper,workdir=${place}/memory/work`;
    mount(root, '-t', 'overlay', 'overlay', '-o', layers);
    mount(join(root, 'proc'), '--bind', '/proc');
    mount(join(root, 'dev'), '--bind', '/dev');
    mount(join(root, 'run'), '-t', 'tmpfs', 'tmpfs');
  } catch (error) {
    remove();
    throw error;
  }
  const path = (inside: string) => join(root, inside);
  return {
    path,
    run(command) {
      const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
      const { status, stdout, stderr } = spawnSync('chroot', [root, '/bin/sh', '-c', command], {
        encoding: 'utf8',
        env,
      });
      return { code: status, output: stdout + stderr };
    },
    addServiceManager() {
      mkdirSync(path('/run/systemd/system'), { recursive: true });
      mkdirSync(path('/usr/local/sbin'), { recursive: true });
      writeFileSync(path('/usr/local/sbin/systemctl'), SYSTEMCTL);
      chmodSync(path('/usr/local/sbin/systemctl'), 0o755);
    },
    remove,
  };
}

const SYSTEMCTL = `#!/bin/sh
stop() {
  pid=$(cat /run/service.pid 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null
  while [ -d "/proc/$pid" ]; do sleep 0.1; done
  rm -f /run/service.pid
}
start() {
  command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/telemetricsd.service)
  runuser -u telemetricsd -- $command >>/run/service.log 2>&1 &
  for _ in $(seq 100); do
    sleep 0.1
    pid=$(pgrep -u telemetricsd -x telemetricsd -o) && echo "$pid" >/run/service.pid
    if tail -n 3 /run/service.log | grep -q ' ready '; then return 0; fi
    if ! pgrep -u telemetricsd -x telemetricsd >/dev/null && [ "$_" -gt 20 ]; then return 1; fi
  done
  return 1
}
for last in "$@"; do :; done
case " $* " in
  *' stop '*|*' disable '*) stop ;;
  *' restart '*|*' start '*) stop; : >/run/service.log; start ;;
esac
`;
