import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedFolder } from '../embedded.macro.ts' with { type: 'macro' };

export interface Migration {
  number: number;
  name: string;
  sql: string;
  checksum: string;
  /** All of sql/functions, as the newest migration brings it. */
  functions?: string;
}

const embedded = embedFolder('sql');

/** The numbered files of sql/, in order: those inside the executable, or those on disk while developing. */
export const MIGRATIONS = readMigrations(Bun.isStandaloneExecutable ? embedded : onDisk());

/** From files of sql/ by their path there: the newest migration brings what lies in functions/. */
// Exported for tests, which have files of their own.
export function readMigrations(files: Record<string, string>): Migration[] {
  const { functions = [], numbered = [] } = Object.groupBy(Object.entries(files), ([path]) =>
    path.startsWith('functions/') ? 'functions' : 'numbered',
  );
  const migrations = numbered.map(([file, text]) => migration(file, text)).sort((a, b) => a.number - b.number);
  const newest = migrations.pop()!;
  return [...migrations, { ...newest, functions: functions.map(([, text]) => withUnixLines(text)).join('\n') }];
}

/** A migration from a file called NNNN_name.sql. */
export function migration(file: string, text: string): Migration {
  const [, number, name] = /^(\d{4})_(\w+)\.sql$/.exec(file) ?? [];
  if (!number || !name) throw new Error(`sql/${file} is not called NNNN_name.sql`);
  const sql = withUnixLines(text);
  return { number: Number(number), name, sql, checksum: new Bun.CryptoHasher('sha256').update(sql).digest('hex') };
}

function withUnixLines(text: string) {
  return text.replaceAll('\r\n', '\n');
}

function onDisk(): Record<string, string> {
  const folder = join(import.meta.dir, '../../sql');
  const paths = [...new Bun.Glob('**/*').scanSync(folder)].sort();
  return Object.fromEntries(paths.map(path => [path, readFileSync(join(folder, path), 'utf8')]));
}
