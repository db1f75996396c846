import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedFolder } from '../embedded.macro.ts' with { type: 'macro' };

export interface Migration {
  number: number;
  name: string;
  sql: string;
  checksum: string;
}

const embedded = embedFolder('sql');

/** The files of sql/, in order: those inside the executable, or those on disk while developing. */
export const MIGRATIONS: Migration[] = Object.entries(Bun.isStandaloneExecutable ? embedded : onDisk())
  .map(([file, sql]) => migration(file, sql))
  .sort((a, b) => a.number - b.number);

/** A migration from a file called NNNN_name.sql. */
export function migration(file: string, text: string): Migration {
  const [, number, name] = /^(\d{4})_(\w+)\.sql$/.exec(file) ?? [];
  if (!number || !name) throw new Error(`sql/${file} is not called NNNN_name.sql`);
  const sql = text.replaceAll('\r\n', '\n');
  return { number: Number(number), name, sql, checksum: new Bun.CryptoHasher('sha256').update(sql).digest('hex') };
}

function onDisk(): Record<string, string> {
  const folder = join(import.meta.dir, '../../sql');
  return Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]));
}
