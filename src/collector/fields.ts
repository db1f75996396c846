import { z } from 'zod';
import type { Report } from '../records/record.ts';
import { LONGEST_SYSTEM_NAME } from '../validation.ts';

/** A record's metadata by the names of both wire formats, in the order in which they are checked. */
export const FIELDS = [
  'record_format_version',
  'severity',
  'classification',
  'machine_id',
  'creation_timestamp',
  'arch',
  'host_type',
  'kernel_version',
  'board_name',
  'cpu_model',
  'bios_version',
  'event_id',
  'system_name',
  'build',
  'payload_format_version',
] as const;
export type Field = (typeof FIELDS)[number];
export type RawFields = Partial<Record<Field, string>>;

/** Why a request can't become a record. `field` is null if the reason is not one field. */
export interface Refusal {
  field: Field | 'payload' | null;
  message: string;
  /** The rule of privacy.scrub that failed on its payload, which therefore may not be kept. */
  withheldBy?: string;
}

type FormatVersion = Report['recordFormatVersion'];

const SINCE_FORMAT_1 = [
  'severity',
  'classification',
  'machine_id',
  'creation_timestamp',
  'arch',
  'host_type',
  'kernel_version',
  'build',
] as const;
const REQUIRED: Record<FormatVersion, readonly Field[]> = {
  1: SINCE_FORMAT_1,
  2: [...SINCE_FORMAT_1, 'payload_format_version', 'system_name'],
  3: [...SINCE_FORMAT_1, 'payload_format_version', 'system_name', 'board_name', 'cpu_model', 'bios_version'],
  4: [
    ...SINCE_FORMAT_1,
    'payload_format_version',
    'system_name',
    'board_name',
    'cpu_model',
    'bios_version',
    'event_id',
  ],
};

/** 9999-12-31, the last day that ISO 8601 writes with a four-digit year. */
const LAST_TIMESTAMP = 253_402_300_799;
const CLEAR_LINUX = 'clear-linux-os';

const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;
export const THREE_PARTS = /^[^/]+\/[^/]+\/[^/]+$/;
const MAJOR_MINOR = /^[0-9]+\.[0-9]+/;
/** Clients send "unknown" if uname fails. */
const KERNEL = /^(?:[0-9]|unknown$)/;
/** Used for a system that names no version. */
const NO_BUILD = '0';

const MAY_HOLD_COMMAS = new Set<Field>([
  'classification',
  'machine_id',
  'host_type',
  'kernel_version',
  'board_name',
  'cpu_model',
  'bios_version',
  'system_name',
]);
/** Patterns that a whole value matches, but no part of one. */
const FORMS: Partial<Record<Field, RegExp>> = {
  classification: THREE_PARTS,
  host_type: /^[^|]*\|[^|]*\|[^|]*$/,
  kernel_version: MAJOR_MINOR,
};
const ANY = /^/;
const LONGEST_TEXT = 249;
const LONGEST_HARDWARE = 199;

const text = (expected: string, accepts: (value: string) => boolean) => z.string().refine(accepts, { error: expected });
const matching = (pattern: RegExp, expected: string) => text(expected, value => pattern.test(value));
const printable = (least: number, most: number, expected: string) =>
  text(expected, value => value.length >= least && value.length <= most && PRINTABLE.test(value));

/**
 * Firmware may report any text about a machine, which is no reason to refuse its records: control characters become
 * dots, as dmidecode prints them, and a longer text is cut.
 */
const hardware = (most: number) =>
  z.string().transform(value => {
    if (value.length <= most && PRINTABLE.test(value)) return value;
    return value.slice(0, most).replaceAll(/[\p{Cc}\p{Cs}]/gu, '.');
  });

const severity = matching(/^0*[1-4]$/, 'expected 1 to 4').transform(value => Number(value) as Report['severity']);
const formatVersion = matching(/^0*[1-4]$/, 'expected 1 to 4').transform(value => Number(value) as FormatVersion);
const integer = (most: number, expected: string) =>
  text(expected, value => /^[0-9]{1,20}$/.test(value) && Number(value) <= most).transform(Number);

const clearLinuxBuild = matching(/^[0-9]{1,256}$/, 'expected digits, since system_name is clear-linux-os');
const anyBuild = matching(
  /^[-_a-zA-Z0-9.+~^:]{1,256}$/,
  'expected letters, digits and any of ._-+~^:, at most 256 of them',
);

const schemaWith = (build: z.ZodType<string>) =>
  z.object({
    severity,
    classification: text(
      'expected DOMAIN/PROBE/REST: three parts, none empty, printable, at most 140 characters',
      value => value.length <= 140 && THREE_PARTS.test(value) && PRINTABLE.test(value),
    ),
    machine_id: printable(1, 32, 'expected 1 to 32 printable characters'),
    creation_timestamp: integer(LAST_TIMESTAMP, `expected Unix seconds, 0 to ${LAST_TIMESTAMP}`),
    arch: matching(/^[A-Za-z0-9_.-]{1,32}$/, 'expected 1 to 32 letters, digits, "_", "." and "-"'),
    host_type: hardware(LONGEST_TEXT),
    kernel_version: text(
      'expected a version such as 6.1 with printable text after it, under 200 characters, or "unknown"',
      value => value.length < 200 && KERNEL.test(value) && PRINTABLE.test(value),
    ),
    board_name: hardware(LONGEST_HARDWARE).nullable(),
    cpu_model: hardware(LONGEST_HARDWARE).nullable(),
    bios_version: hardware(LONGEST_HARDWARE).nullable(),
    event_id: matching(/^[0-9a-f]{32}$/, 'expected 32 lower-case hexadecimal digits').nullable(),
    system_name: printable(0, LONGEST_SYSTEM_NAME, `expected at most ${LONGEST_SYSTEM_NAME} printable characters`),
    build,
    payload_format_version: integer(2 ** 31 - 1, 'expected an integer from 0 to 2147483647').nullable(),
  });

const schemas = { clearLinux: schemaWith(clearLinuxBuild), other: schemaWith(anyBuild) };

/**
 * Turns the metadata of either wire format into a report without its payload, or says what is wrong with the first
 * invalid field: `severity: got "5", expected 1 to 4`.
 */
export function parseFields(raw: RawFields): Omit<Report, 'external' | 'payload'> | Refusal {
  return parseWith(raw, version => REQUIRED[version]);
}

/** Like parseFields, for a record of an old server's database. It may lack required fields that we can do without. */
export function parseOldFields(raw: RawFields): Omit<Report, 'external' | 'payload'> | Refusal {
  return parseWith(raw, () => SINCE_FORMAT_1);
}

function parseWith(
  raw: RawFields,
  requiredOf: (version: FormatVersion) => readonly Field[],
): Omit<Report, 'external' | 'payload'> | Refusal {
  if (raw.record_format_version === undefined) {
    return { field: 'record_format_version', message: 'record_format_version: missing, expected 1 to 4' };
  }
  const version = formatVersion.safeParse(raw.record_format_version);
  if (!version.success) return wrong('record_format_version', raw, 'expected 1 to 4');
  const missing = requiredOf(version.data).find(field => raw[field] === undefined);
  if (missing) return { field: missing, message: `${missing}: missing, record format ${version.data} requires it` };

  const systemName = withoutQuotes(raw.system_name ?? '');
  const schema = systemName === CLEAR_LINUX ? schemas.clearLinux : schemas.other;
  const parsed = schema.safeParse({
    ...known(raw, version.data),
    system_name: systemName,
    build: withoutQuotes(raw.build!) || NO_BUILD,
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return wrong(issue!.path[0] as Field, raw, issue!.message);
  }
  const fields = parsed.data;
  return {
    recordFormatVersion: version.data,
    severity: fields.severity,
    classification: fields.classification,
    machineId: fields.machine_id,
    capturedAt: fields.creation_timestamp,
    arch: fields.arch,
    hostType: fields.host_type,
    kernelVersion: fields.kernel_version,
    boardName: fields.board_name,
    cpuModel: fields.cpu_model,
    biosVersion: fields.bios_version,
    eventId: fields.event_id,
    systemName: fields.system_name,
    build: fields.build,
    payloadFormatVersion: fields.payload_format_version,
  };
}

/**
 * Splits the joined values of a header that was sent twice: "1, 2". Some values may contain ", " themselves. Such a
 * value is split only if both parts are valid, and either the parts are equal, or both have the form of such a value
 * (three parts of a classification, the two "|" of a host type, MAJOR.MINOR of a kernel), or the whole is invalid.
 */
export function joinedTwice(field: Field, value: string): [string, string] | undefined {
  if (!value.includes(', ')) return undefined;
  if (!MAY_HOLD_COMMAS.has(field)) return splitAt(value, value.indexOf(', '));
  if (value.length > 2 * LONGEST_TEXT + 2) return undefined;
  const form = isValid(field, value) ? FORMS[field] : ANY;
  return [...value.matchAll(/, /g)]
    .map(({ index }) => splitAt(value, index))
    .find(
      halves =>
        halves.every(half => isValid(field, half)) &&
        (halves[0] === halves[1] || halves.every(half => form?.test(half))),
    );
}

function splitAt(value: string, comma: number): [string, string] {
  return [value.slice(0, comma), value.slice(comma + 2)];
}

function isValid(field: Field, value: string): boolean {
  if (field === 'record_format_version') return false;
  const { success, data } = schemas.other.shape[field].safeParse(value);
  return success && (typeof data !== 'string' || data === value);
}

/** Ignores fields that a format does not have; format 1 may bring the two that it does not require. */
function known(raw: RawFields, version: FormatVersion) {
  return {
    ...raw,
    board_name: version >= 3 ? (raw.board_name ?? null) : null,
    cpu_model: version >= 3 ? (raw.cpu_model ?? null) : null,
    bios_version: version >= 3 ? (raw.bios_version ?? null) : null,
    event_id: version >= 4 ? (raw.event_id ?? null) : null,
    payload_format_version: raw.payload_format_version ?? null,
  };
}

function withoutQuotes(value: string) {
  return value.replaceAll(/["']/g, '').trim();
}

function wrong(field: Field, raw: RawFields, expected: string): Refusal {
  return { field, message: `${field}: got ${quoted(raw[field] ?? '')}, ${expected}` };
}

const SHOWN_CHARACTERS = 100;

export function quoted(value: string) {
  return escapeControls(
    JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value),
  );
}

/** Keeps messages to one line of printable text, so that a link can filter the quarantine by message. */
export function escapeControls(message: string) {
  return message.replaceAll(/\p{Cc}/gu, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
