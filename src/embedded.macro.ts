import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');

/** Reads a folder's text files of that ending at bundle time, so that the executable carries them: name → text. */
export function embedFolder(folder: string, ending = ''): Record<string, string> {
  const names = readdirSync(join(root, folder))
    .filter(name => name.endsWith(ending))
    .sort();
  return Object.fromEntries(names.map(name => [name, readFileSync(join(root, folder, name), 'utf8')]));
}

export function embedFile(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
