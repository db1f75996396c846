import { decodeText } from '../decode-text.ts';
import type { Report, WayIn } from '../records/record.ts';
import {
  escapeControls,
  FIELDS,
  type Field,
  joinedTwice,
  parseFields,
  quoted,
  type RawFields,
  type Refusal,
  THREE_PARTS,
} from './fields.ts';
import { jsonExcess } from './json-excess.ts';
import { trimmed } from './trim.ts';

/** By name in lower case; values of a repeated header are joined. */
export type RequestHeaders = Readonly<Record<string, string>>;

export interface Received {
  report: Report;
  /** The payload's bytes as they came, for the fingerprint. */
  payloadBytes: Uint8Array;
  wayIn: WayIn;
  /** Where it is not the one of `recordFingerprint`. */
  fingerprint?: string;
  /** What has been taken out of the payload already. */
  scrubbedBy?: string[];
}

const KNOWN = new Set<string>(FIELDS);
/** The usual spellings, so that few headers need to be normalised. */
const SPELLINGS = new Map<string, Field>(
  FIELDS.flatMap(field => [
    [field, field],
    [field.replaceAll('_', '-'), field],
  ]),
);
const EXPECTED = 'expected metadata in headers (record_format_version …) or a JSON object in the body';
const SPACE = ' \t\r\n';

/**
 * Reads a request of either wire format. With a record_format_version header in any spelling, the metadata is in the
 * headers and the body is the payload; without one, the body is a JSON object.
 */
export function parseRequest(headers: RequestHeaders, body: Uint8Array): Received | Refusal {
  const { fields, external, twice } = readHeaders(headers);
  if (fields.record_format_version !== undefined) {
    if (twice) return twice;
    return withPayload(parseFields(fields), external, decodeText(body), body, wayInOf(headers, 'headers'));
  }
  const object = readObject(body);
  if (typeof object === 'string') {
    return { field: null, message: `${object} and no record_format_version header${proxyHint(headers)}, ${EXPECTED}` };
  }
  const received = parseJson(object, external, wayInOf(headers, 'json'));
  const isVersionMissing = isRefusal(received) && received.message.startsWith('record_format_version: missing');
  if (!isVersionMissing || Object.keys(fields).length === 0) return received;
  return { ...received, message: received.message + proxyHint(headers) };
}

/** Our probe names itself in a header; otherwise the form of the request decides. */
function wayInOf(headers: RequestHeaders, form: 'headers' | 'json'): WayIn {
  return headers['user-agent']?.startsWith('telemetricsd-probe/') ? 'probe' : form;
}

/** Added if no header had a "_", as most metadata headers have. */
function proxyHint(headers: RequestHeaders): string {
  if (Object.keys(headers).some(name => name.includes('_'))) return '';
  return ' (none came with "_" in its name: a proxy may drop those, as nginx does unless it has "underscores_in_headers on")';
}

export function isRefusal(result: Received | Refusal): result is Refusal {
  return 'message' in result;
}

/** The machine that a request claims to come from, even if it can't become a record. */
export function claimedMachine(headers: RequestHeaders, body: Uint8Array): string | null {
  const claimed = readHeaders(headers).fields.machine_id ?? jsonMachine(body);
  return claimed?.slice(0, 32).replaceAll(/[\p{Cc}\p{Cs}]/gu, '') || null;
}

/** The payload found in a request that could not become a record. */
export interface FoundPayload {
  payload: string;
  /** The rules that have scrubbed it already. */
  scrubbedBy?: string[];
  /** Undefined if it is missing or wrong. */
  classification: string | undefined;
  /** Makes the body with another payload, without the parts of it that we do not know. */
  bodyWith(payload: string): Uint8Array;
}

/** Finds the payload of a refused request; undefined if its body can't be read. */
export function findPayload(headers: RequestHeaders, body: Uint8Array): FoundPayload | undefined {
  const { fields } = readHeaders(headers);
  if (fields.record_format_version !== undefined) {
    const classification = knownClassification(fields.classification);
    const found = decodeText(body);
    return { payload: found, classification, bodyWith: payload => (payload === found ? body : Buffer.from(payload)) };
  }
  const object = readObject(body);
  if (typeof object === 'string' || typeof object.payload !== 'string') return undefined;
  const entries = Object.entries(object).filter(([key, value]) => isField(key) && typeof value !== 'object');
  const classifications = entries.filter(([key]) => key.toLowerCase() === 'classification').map(([, value]) => value);
  return {
    payload: object.payload,
    classification: classifications.length === 1 ? knownClassification(classifications[0]) : undefined,
    bodyWith: payload => Buffer.from(JSON.stringify({ ...Object.fromEntries(entries), payload })),
  };
}

function isField(key: string) {
  return KNOWN.has(key.toLowerCase().replaceAll('-', '_'));
}

function knownClassification(claimed: unknown): string | undefined {
  return typeof claimed === 'string' && THREE_PARTS.test(claimed.trim()) ? claimed.trim() : undefined;
}

interface HeaderFields {
  fields: RawFields;
  external: boolean;
  twice?: Refusal;
}

function readHeaders(headers: RequestHeaders): HeaderFields {
  const result: HeaderFields = { fields: {}, external: false };
  const spelling: Partial<Record<Field, string>> = {};
  for (const header in headers) {
    const rawValue = headers[header]!;
    const name = SPELLINGS.get(header) ?? header.toLowerCase().replaceAll('-', '_');
    if (name === 'x_clr_external') result.external = rawValue.trim().toLowerCase() === 'true';
    if (!KNOWN.has(name)) continue;
    const field = name as Field;
    const value = headerText(rawValue);
    const joined = joinedTwice(field, value);
    if (joined) result.twice ??= givenTwice(field, header, joined[0], header, joined[1]);
    const earlier = result.fields[field];
    if (earlier !== undefined) result.twice ??= givenTwice(field, spelling[field]!, earlier, header, value);
    result.fields[field] = value;
    spelling[field] = header;
  }
  return result;
}

function givenTwice(field: Field, first: string, firstValue: string, second: string, secondValue: string): Refusal {
  return {
    field,
    message: `${field}: given twice, as ${first}: ${quoted(firstValue)} and ${second}: ${quoted(secondValue)}, expected once`,
  };
}

/** Header values are bytes that arrive as Latin-1. */
function headerText(value: string) {
  if (/^[!-~](?:[ -~]*[!-~])?$/.test(value)) return value;
  return trimmed(decodeText(Buffer.from(value, 'latin1')), SPACE);
}

function parseJson(object: Record<string, unknown>, external: boolean, wayIn: WayIn): Received | Refusal {
  const fields: RawFields = {};
  const spelling: Partial<Record<Field, string>> = {};
  for (const [key, given] of Object.entries(object)) {
    const name = key.toLowerCase().replaceAll('-', '_');
    if (!KNOWN.has(name)) continue;
    const field = name as Field;
    const value = typeof given === 'number' ? String(given) : given;
    if (typeof value !== 'string') return { field, message: `${field}: got ${kindOf(given)}, expected a text` };
    if (fields[field] !== undefined) return givenTwice(field, spelling[field]!, fields[field], key, value);
    fields[field] = trimmed(value, SPACE);
    spelling[field] = key;
  }
  const metadata = parseFields(fields);
  if ('message' in metadata) return metadata;
  const { payload } = object;
  if (typeof payload !== 'string') {
    const came = payload === undefined ? 'missing' : `got ${kindOf(payload)}`;
    return { field: 'payload', message: `payload: ${came}, expected a text` };
  }
  return withPayload(metadata, external, payload, Buffer.from(payload), wayIn);
}

/** Names the type of a JSON value that is not a text; lists may be nested too deeply to print. */
function kindOf(value: unknown) {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Caches parsed bodies, since the machine and payload of a refused request are read as well. */
const objects = new WeakMap<Uint8Array, Record<string, unknown> | string>();

function readObject(body: Uint8Array): Record<string, unknown> | string {
  let object = objects.get(body);
  if (object === undefined) {
    object = parseObject(body);
    objects.set(body, object);
  }
  return object;
}

/** The JSON object in a body, or what is wrong with it, and what would be right where that helps. */
export function parseObject(
  body: Uint8Array,
  mostValues?: number,
  expected = EXPECTED,
): Record<string, unknown> | string {
  if (body.byteLength === 0) return 'body: empty';
  const json = decodeText(body).replace(/^\uFEFF/, '');
  const excess = jsonExcess(json, mostValues);
  if (excess) return `body: ${excess}, ${expected}`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    // Leaves out the identifier in the message: it may be long, and part of the payload.
    const mistake = (error as Error).message.replace(/^JSON Parse error: /, '').replace(/ ".*"$/s, '');
    return `body: not JSON (${escapeControls(mistake)})`;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return 'body: JSON, but not an object,';
  }
  return value as Record<string, unknown>;
}

function jsonMachine(body: Uint8Array): string | undefined {
  const object = readObject(body);
  const machine = typeof object === 'string' ? undefined : object.machine_id;
  return typeof machine === 'string' ? machine.trim() : undefined;
}

function withPayload(
  metadata: Omit<Report, 'external' | 'payload'> | Refusal,
  external: boolean,
  payload: string,
  payloadBytes: Uint8Array,
  wayIn: WayIn,
): Received | Refusal {
  if ('message' in metadata) return metadata;
  // JSON can spell half a surrogate pair, which neither UTF-8 nor the database can store.
  return { report: { ...metadata, external, payload: payload.toWellFormed() }, payloadBytes, wayIn };
}
