import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { childrenOf, eventually } from '../executable/program.ts';

/** A fresh Debian in a directory, with users, processes and a network of its own. */
export interface Machine {
  path(name: string): string;
  /** Runs a command as root to its end. Background processes keep running only on a booted machine. */
  run(...command: string[]): { code: number | null; output: string };
  stop(): Promise<void>;
}

/** A booted machine. */
export interface BootedMachine extends Machine {
  /** Connects its network with this host's; resolves to the host's address, or to the reason why that is impossible. */
  link(): { host: string } | string;
}

/** Kept between runs, since making it takes most of a minute. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'telemetricsd-test');
const DEBIAN = join(CACHE, 'bookworm');
/** What the cached one was made with. */
const MADE_WITH = join(CACHE, 'bookworm.packages');
const PACKAGES = 'systemd,systemd-sysv,systemd-coredump,libdw1,dbus,libstdc++6,curl,passwd,sudo';
const ENVIRONMENT = ['env', '-i', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];

/** Why such a machine is impossible here; undefined if it is possible. */
export function debianMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  if (existsSync(MADE_WITH) && readFileSync(MADE_WITH, 'utf8') === PACKAGES) return undefined;
  if (!Bun.which('debootstrap')) return 'it needs debootstrap';
  const fresh = join(mkdtempSync(join(tmpdir(), 'telemetricsd-debian-')), 'bookworm');
  const made = spawnSync('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', fresh], {
    encoding: 'utf8',
  });
  mkdirSync(CACHE, { recursive: true });
  if (made.status === 0) {
    rmSync(DEBIAN, { recursive: true, force: true });
    spawnSync('mv', [fresh, CACHE]);
    writeFileSync(MADE_WITH, PACKAGES);
  }
  rmSync(dirname(fresh), { recursive: true, force: true });
  return made.status === 0 ? undefined : `debootstrap failed: ${made.stdout.trim().split('\n').at(-1)}`;
}

/** A machine without a running systemd, as in a container or while an image is made. */
export function startChroot(): Machine {
  const root = copyOfDebian();
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', `--mount-proc=${root}/proc`];
  return {
    path: name => join(root, name),
    run: (...command) => runToEnd('unshare', [...namespaces, 'chroot', root, ...ENVIRONMENT, ...command]),
    async stop() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A machine with its own systemd as process 1, or the reason why it can't boot here. */
export async function bootMachine(): Promise<BootedMachine | string> {
  const cgroups = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (!cgroups) return 'no cgroup2 is mounted';
  const root = copyOfDebian();
  const cgroup = join(cgroups, root.split('/').at(-1)!);
  mkdirSync(cgroup);
  const init = spawn('sh', ['-c', INTO_CGROUP, cgroup, BOOT, root], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [init.stdout, init.stderr]) stream.setEncoding('utf8').on('data', text => (output += text));
  const processOne = () => childrenOf(init.pid!)[0]!;
  const machine: BootedMachine = {
    path: name => join(root, name),
    run: (...command) => runToEnd('nsenter', ['--target', `${processOne()}`, '--all', ...ENVIRONMENT, ...command]),
    link: () => linkTo(processOne()),
    async stop() {
      init.kill('SIGKILL');
      await eventually('the machine is gone', () => removeCgroup(cgroup));
      rmSync(root, { recursive: true, force: true });
    },
  };
  try {
    await eventually(
      'systemd runs',
      () => /running|degraded/.test(machine.run('systemctl', 'is-system-running').output),
      30_000,
    );
    return machine;
  } catch {
    await machine.stop();
    return `systemd does not come up as process 1: ${output.trim().split('\n').at(-1)}`;
  }
}

/**
 * Through a pair of interfaces that disappear with the process's network. The addresses are reserved for network tests
 * (RFC 2544).
 */
function linkTo(pid: number): { host: string } | string {
  const ours = `tmd${pid}`;
  const net = `198.18.${Math.floor(pid / 64) % 256}.`;
  const first = (pid % 64) * 4;
  const host = `${net}${first + 1}`;
  const theirs = `${net}${first + 2}`;
  const within = `nsenter --target ${pid} --net`;
  const made = runToEnd('sh', [
    '-ec',
    `ip link add ${ours} type veth peer name host0 netns ${pid}
    ip addr add ${host}/30 dev ${ours}
    ip link set ${ours} up
    ${within} ip addr add ${theirs}/30 dev host0
    ${within} ip link set host0 up`,
  ]);
  return made.code === 0 ? { host } : `its network can't be connected: ${made.output.trim()}`;
}

const INTO_CGROUP = `echo $$ > "$0/cgroup.procs"
  exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child sh -c "$1" "$2"`;

/**
 * The host shares its kernel settings, and systemd would change some, such as the pattern for cores: so they are
 * read-only.
 */
const BOOT = `set -e
  mount --make-rprivate /
  mount --bind "$0" "$0"
  cd "$0"
  mount -t proc proc proc
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mount -t tmpfs tmpfs dev/shm
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  pivot_root . mnt
  umount -l mnt
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd`;

function copyOfDebian() {
  const root = mkdtempSync(join(tmpdir(), 'telemetricsd-machine-'));
  const copied = spawnSync('cp', ['-a', '--reflink=auto', `${DEBIAN}/.`, root]);
  if (copied.status !== 0) throw new Error(String(copied.stderr));
  return root;
}

function runToEnd(program: string, args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  return { code: status, output: `${stdout ?? ''}${stderr ?? ''}${error ?? ''}` };
}

/** False while a process is in it. */
function removeCgroup(cgroup: string) {
  return spawnSync('find', [cgroup, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']).status === 0;
}
