import { decodeText } from '../decode-text.ts';
import { startOfJson } from '../json-text.ts';

/** The fields of a journal entry, each with its values, in the order in which they came. */
export type JournalEntry = Map<string, string[]>;

/** Fields of which at least one is in each entry that anybody would send. */
const MARKS = /^(?:MESSAGE|MESSAGE_ID|__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|_TRANSPORT|COREDUMP_[A-Z_]+)$/;

/** Reads an entry as `journalctl -o json --all` prints it; undefined where the payload is something else. */
export function readJournalEntry(payload: string): JournalEntry | undefined {
  const start = startOfJson(payload);
  if (payload[start] !== '{') return undefined;
  const fields = Object.entries(parsed(payload.slice(start)));
  if (!fields.some(([name]) => MARKS.test(name))) return undefined;
  return new Map(fields.map(([name, value]) => [name, valuesOf(value)]));
}

/** The first value of a field that has text; null where none has. */
export function fieldText(entry: JournalEntry, field: string): string | null {
  return entry.get(field)?.find(value => value !== '') ?? null;
}

function parsed(json: string): object {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

/** A field that came more than once is a list of values; null is one that was too large to be printed. */
function valuesOf(value: unknown): string[] {
  const values = Array.isArray(value) && !value.every(isByte) ? value : [value];
  return values.map(textOf);
}

/** Bytes that are no text, or hold control characters, come as a list of numbers. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) && value.every(isByte) ? decodeText(Uint8Array.from(value)) : '';
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 256;
}
