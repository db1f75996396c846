import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dir, '..');

/**
 * Reads the text files with this ending in a folder and its subfolders at bundle time, so that the executable carries
 * them. Returns path in the folder → text.
 */
export function embedFolder(folder: string, ending = ''): Record<string, string> {
  const paths = [...new Bun.Glob(`**/*${ending}`).scanSync(join(root, folder))].sort();
  return Object.fromEntries(paths.map(path => [path, readFileSync(join(root, folder, path), 'utf8')]));
}

export function embedFile(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
