import { decodeText } from '../decode-text.ts';
import { startOfJson } from '../json-text.ts';

/** The fields of a journal entry, each with its values, in their original order. */
export type JournalEntry = Map<string, string[]>;

/** Every real entry has at least one of these fields. */
const MARKS = /^(?:MESSAGE|MESSAGE_ID|__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|_TRANSPORT|COREDUMP_[A-Z_]+)$/;

/** Reads an entry as `journalctl -o json --all` prints it; undefined for any other payload. */
export function readJournalEntry(payload: string): JournalEntry | undefined {
  const start = startOfJson(payload);
  if (payload[start] !== '{') return undefined;
  const fields = Object.entries(parsed(payload.slice(start)));
  if (!fields.some(([name]) => MARKS.test(name))) return undefined;
  return new Map(fields.map(([name, value]) => [name, valuesOf(value)]));
}

/** The first value of a field that has text; null if none has. */
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

/** A field that came several times is a list of values; null stands for one that was too large to print. */
function valuesOf(value: unknown): string[] {
  const values = Array.isArray(value) && !value.every(isByte) ? value : [value];
  return values.map(textOf);
}

/** Bytes that are not text, or contain control characters, come as a list of numbers. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) && value.every(isByte) ? decodeText(Uint8Array.from(value)) : '';
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 256;
}
