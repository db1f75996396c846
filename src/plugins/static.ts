import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webp': 'image/webp',
};

const MOST_BYTES = 16 * 2 ** 20;

interface StaticFile {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  etag: string;
}

/** A file in the `static/` folder of a plugin; undefined for a path outside of it, even through a link. */
export async function findStatic(folder: string, path: string): Promise<StaticFile | undefined> {
  if (path.includes('\0') || path.split('/').some(part => part.startsWith('.'))) return undefined;
  try {
    const home = join(await realpath(folder), 'static');
    const file = await realpath(join(home, path));
    if (!file.startsWith(home + sep)) return undefined;
    const about = await stat(file);
    if (!about.isFile() || about.size > MOST_BYTES) return undefined;
    const bytes = await readFile(file);
    const type = TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
    return { bytes: new Uint8Array(bytes), type, etag: `W/"${Bun.hash(bytes).toString(36)}"` };
  } catch {
    return undefined;
  }
}
