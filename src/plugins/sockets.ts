import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFile } from '../db/file-lock.ts';

const PREFIX = 'telemetricsd-plugins-';
const LOCK = 'lock';

/**
 * Makes a directory for plugins' sockets that nobody else may enter, and removes the directories of killed processes.
 * This process locks a file in it as long as it lives.
 */
export function makeSocketsDirectory(): string {
  for (const name of readdirSync(tmpdir())) if (name.startsWith(PREFIX)) removeLeft(join(tmpdir(), name));
  const dir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  lockFile(openSync(join(dir, LOCK), 'wx'));
  return dir;
}

function removeLeft(dir: string) {
  const lock = join(dir, LOCK);
  // A directory without a lock file is just being made; one of another user is not ours.
  if (!existsSync(lock) || statSync(lock, { throwIfNoEntry: false })?.uid !== process.getuid?.()) return;
  const fd = openSync(lock, 'r');
  if (!lockFile(fd)) return;
  rmSync(dir, { recursive: true, force: true });
  closeSync(fd);
}
