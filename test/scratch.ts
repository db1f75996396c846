import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for all temporary files of a run, by TMPDIR. */
export interface Scratch {
  path: string;
  /** Ends whatever still runs in it, and removes it. */
  remove(): void;
}

const PREFIX = 'tmd-';
const ATTEMPTS = 200;
const PAUSE_MS = 50;

/** Whether TMPDIR is one already. */
export function inScratch(): boolean {
  return tmpdir().split('/').at(-1)!.startsWith(PREFIX);
}

export function makeScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  // Where the tests run as root, programs of other users write there, as in any temporary directory.
  chmodSync(path, 0o1777);
  return {
    path,
    remove() {
      for (let attempt = 0; attempt < ATTEMPTS && processesIn(path).map(kill).length > 0; attempt++)
        Bun.sleepSync(PAUSE_MS);
      for (const mounted of mountsIn(path)) spawnSync('umount', ['--lazy', mounted]);
      removeCgroups(readdirSync(path));
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The ids of all processes but this one that work there, or were told of a place there. */
export function processesIn(path: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => traces(pid).some(trace => trace.includes(`${path}/`) || trace.includes(`TMPDIR=${path}\0`)))
    .map(Number);
}

function traces(pid: string): string[] {
  const links = ['cwd', 'exe'].map(name => attempt(() => readlinkSync(`/proc/${pid}/${name}`)));
  const texts = ['cmdline', 'environ'].map(name => attempt(() => readFileSync(`/proc/${pid}/${name}`, 'latin1')));
  return [...links, ...texts];
}

/** Empty for a process that has ended meanwhile, or is somebody else's. */
function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function kill(pid: number) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The innermost first. */
function mountsIn(path: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines
    .map(line => line.split(' ')[1] ?? '')
    .filter(place => place.startsWith(`${path}/`))
    .reverse();
}

/** Those of machines that were booted here are called like their directories. */
function removeCgroups(names: string[]) {
  const cgroups = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (!cgroups) return;
  for (const name of readdirSync(cgroups).filter(name => names.includes(name)))
    spawnSync('find', [join(cgroups, name), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
}
