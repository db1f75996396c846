import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');

/** Reads a folder of text files at bundle time, so that the executable carries them: name → text. */
export function embedFolder(folder: string): Record<string, string> {
  const names = readdirSync(join(root, folder)).sort();
  return Object.fromEntries(names.map(name => [name, readFileSync(join(root, folder, name), 'utf8')]));
}

export function embedFile(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
