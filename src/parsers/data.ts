import { z } from 'zod';
import { storable } from '../db/storable.ts';
import type { Data, Parsed } from './parser.ts';

/** The size limit of a parser's result as JSON. */
export const MOST_BYTES = 65_536;
const KEY = 'keys have 1 to 64 characters';

const result = z.record(z.string().min(1, KEY).max(64, KEY), z.json(), 'it did not return an object').optional();

/** The parser returned something not allowed; the message is for its author. */
export class UnfitResult extends Error {}

/** A parser's result in a form that the database takes; null counts as undefined. */
export function parsedData(returned: unknown): Parsed {
  try {
    return checkedData(returned);
  } catch (error) {
    if (error instanceof RangeError) throw new UnfitResult('what it returned is nested too deeply');
    throw error;
  }
}

function checkedData(returned: unknown): Parsed {
  const checked = result.safeParse(plain(returned) ?? undefined);
  if (!checked.success) throw new UnfitResult(checked.error.issues[0]!.message);
  if (checked.data === undefined) return undefined;
  const data = storableData(checked.data as { [key: string]: Data });
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes > MOST_BYTES) throw new UnfitResult(`it returned ${bytes} bytes as JSON, more than ${MOST_BYTES}`);
  return data;
}

/** The value as JSON holds it, without undefined parts. */
function plain(returned: unknown): unknown {
  let json: string | undefined;
  try {
    json = JSON.stringify(returned);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new UnfitResult(`it returned what JSON can't hold: ${(error as Error).message}`);
  }
  return json === undefined ? undefined : JSON.parse(json);
}

/** A plain value with its texts in a form that the database takes. */
export function storableData<Value extends Data>(value: Value): Value;
export function storableData(value: Data): Data {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(inner => storableData(inner));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storableData(inner)]));
}
