import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { TableDigest, type TableSum } from './digest.ts';
import { isWholeFrames } from './frames.ts';

// A backup is lines of JSON, compressed with zstd (`zstd -dc FILE` shows them): a header; for each table a line with
// its name, a line for each row and one with the checksum; then the sequences; then the SHA-256 of all lines before it.

const FORMAT = 1;

const migration = z.object({ number: z.int(), name: z.string(), checksum: z.string(), program: z.string() });
const header = z.object({
  telemetricsd: z.string(),
  format: z.int(),
  /** The major version. */
  postgresql: z.int(),
  /** When the snapshot was taken. */
  taken_at: z.string(),
  migrations: z.array(migration),
  /** UTC days that hold records. */
  days: z.array(z.string()),
});
const line = z.union([
  /** A row in PostgreSQL's notation of a composite value. */
  z.string(),
  z.object({ table: z.string() }),
  z.object({ end: z.string(), rows: z.int(), sha256: z.string() }),
  z.object({ sequences: z.array(z.object({ name: z.string(), last_value: z.int(), is_called: z.boolean() })) }),
  z.object({ sha256: z.string() }),
]);

export type BackupHeader = z.output<typeof header>;
export type Sequence = { name: string; last_value: number; is_called: boolean };
/** The parts of a backup in order; rows come in batches. */
export type BackupPart =
  | { kind: 'header'; header: BackupHeader }
  | { kind: 'rows'; table: string; rows: string[] }
  | { kind: 'table'; table: string; sum: TableSum }
  | { kind: 'sequences'; sequences: Sequence[] };

export function headerOf(values: Omit<BackupHeader, 'format'>): BackupHeader {
  return { ...values, format: FORMAT };
}

/** Writes the parts of a backup into a new file that only its owner may read. */
export async function writeBackup(file: string, parts: AsyncIterable<BackupPart>) {
  const sink = createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true });
  await pipeline(Readable.from(chunks(parts)), createZstdCompress(), sink);
}

async function* chunks(parts: AsyncIterable<BackupPart>): AsyncGenerator<Buffer> {
  const all = new Bun.CryptoHasher('sha256');
  let open: string | undefined;
  for await (const part of parts) {
    let text = '';
    if (part.kind === 'header') text = jsonLine(part.header);
    else if (part.kind === 'sequences') text = jsonLine({ sequences: part.sequences });
    else {
      if (open !== part.table) text = jsonLine({ table: part.table });
      open = part.table;
      if (part.kind === 'rows') text += part.rows.map(row => `${JSON.stringify(row)}\n`).join('');
      else text += jsonLine({ end: part.table, ...part.sum });
    }
    const bytes = Buffer.from(text);
    all.update(bytes);
    yield bytes;
  }
  yield Buffer.from(jsonLine({ sha256: all.digest('hex') }));
}

function jsonLine(value: object) {
  return `${JSON.stringify(value)}\n`;
}

/** The size of a batch, which has at least one row. PostgreSQL takes at most 256 MB at once. */
const BATCH = 1_000;
const BATCH_LENGTH = 4 * 1024 ** 2;

/** Reads the parts of a backup. Throws OperatorError if the file is not a backup, is damaged, or ends too early. */
export async function* readBackup(file: string): AsyncGenerator<BackupPart> {
  const all = new Bun.CryptoHasher('sha256');
  let [table, rows, digest]: [string | undefined, string[], TableDigest] = [undefined, [], new TableDigest()];
  let length = 0;
  let first = true;
  let whole = false;
  for await (const text of linesOf(file)) {
    if (whole) throw damaged(file, 'something follows its end');
    if (first) {
      yield { kind: 'header', header: headerFrom(file, text) };
      first = false;
      all.update(`${text}\n`);
      continue;
    }
    const parsed = line.safeParse(jsonOf(text));
    if (!parsed.success) throw damaged(file, `a line can't be read: ${text.slice(0, 60)}`);
    const value = parsed.data;
    if (typeof value === 'string') {
      if (table === undefined) throw damaged(file, 'a row belongs to no table');
      rows.push(value);
      length += value.length;
      digest.add(value);
      if (rows.length === BATCH || length >= BATCH_LENGTH) {
        yield { kind: 'rows', table, rows };
        [rows, length] = [[], 0];
      }
    } else if ('table' in value) [table, digest] = [value.table, new TableDigest()];
    else if ('end' in value) {
      const sum = digest.sum();
      if (value.end !== table || value.rows !== sum.rows || value.sha256 !== sum.sha256)
        throw damaged(file, `the rows of ${value.end} are not those that were backed up`);
      if (rows.length > 0) yield { kind: 'rows', table, rows };
      [rows, length] = [[], 0];
      yield { kind: 'table', table, sum };
      table = undefined;
    } else if ('sequences' in value) yield { kind: 'sequences', sequences: value.sequences };
    else {
      if (value.sha256 !== all.digest('hex')) throw damaged(file, 'its checksum is wrong');
      whole = true;
      continue;
    }
    all.update(`${text}\n`);
  }
  if (!whole) throw damaged(file, first ? 'it is empty' : 'it ends too early');
  if (!isWholeFrames(file)) throw damaged(file, 'something follows its end');
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  const source = createReadStream(file);
  const plain = createZstdDecompress();
  source.once('error', error => plain.destroy(error));
  try {
    for await (const chunk of source.pipe(plain)) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall) {
      throw new OperatorError(
        `${file} can't be read: ${(error as Error).message}`,
        'Name a file that telemetricsd backup has written.',
      );
    }
    if (error instanceof OperatorError) throw error;
    throw damaged(file, `it can't be decompressed (${(error as Error).message})`);
  }
  if (rest !== '') throw damaged(file, 'it ends within a line');
}

function headerFrom(file: string, text: string): BackupHeader {
  const parsed = header.safeParse(jsonOf(text));
  if (!parsed.success) throw damaged(file, 'it does not begin like a backup of telemetricsd');
  if (parsed.data.format === FORMAT) return parsed.data;
  throw new OperatorError(
    `${file} is a backup of telemetricsd ${parsed.data.telemetricsd} in a format that this program does not know`,
    `Use telemetricsd ${parsed.data.telemetricsd} or newer.`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(file: string, what: string) {
  return new OperatorError(`${file} is damaged or no backup: ${what}`, 'Use another backup; nothing was changed.');
}
