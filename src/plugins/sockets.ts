import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'telemetricsd-plugins-';

/** Makes a directory for the sockets of plugins, that nobody else may enter, and removes those of processes that were killed. */
export function makeSocketsDirectory(): string {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = new RegExp(`^${PREFIX}([0-9]+)-`).exec(name) ?? [];
    if (pid && !existsSync(`/proc/${pid}`) && isOurs(join(tmpdir(), name)))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

function isOurs(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
