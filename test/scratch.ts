import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes TMPDIR a directory for all temporary files of a run. */
export interface Scratch {
  path: string;
  /** Ends every process that still runs in it, and removes it. */
  remove(): void;
}

const PREFIX = 'tmd-';
const ATTEMPTS = 200;
const PAUSE_MS = 50;

/** Whether TMPDIR already is one. */
export function inScratch(): boolean {
  return tmpdir().split('/').at(-1)!.startsWith(PREFIX);
}

export function makeScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  // If the tests run as root, programs of other users also write there, as in any temporary directory.
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

/** The ids of all other processes that run there or have a path there in their arguments or environment. */
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

/** Empty if the process has ended meanwhile or belongs to someone else. */
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
    // It ended by itself.
  }
}

/** Innermost first. */
function mountsIn(path: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines
    .map(line => line.split(' ')[1] ?? '')
    .filter(place => place.startsWith(`${path}/`))
    .reverse();
}

/** Booted machines are named after their directories. */
function removeCgroups(names: string[]) {
  const cgroups = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
  if (!cgroups) return;
  for (const name of readdirSync(cgroups).filter(name => names.includes(name)))
    spawnSync('find', [join(cgroups, name), '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
}
