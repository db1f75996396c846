import { z } from 'zod';
import { decodeText } from '../decode-text.ts';
import { withoutMember } from '../json-members.ts';
import type { HashMachine } from '../privacy/machine-ids.ts';
import type { Report } from '../records/record.ts';
import { type Field, parseFields, quoted, type Refusal } from './fields.ts';
import { recordFingerprint } from './fingerprint.ts';
import { type FoundPayload, parseObject, type Received } from './parse.ts';

/** The name in `scrubbed_by` where `auth` was taken out of a report. */
export const ABRT_AUTH = 'abrt-auth';

/** What ABRT reports, by the type that it gives a problem. The third part of the classification is always the same. */
const SEVERITIES = { core: 3, kerneloops: 3, python: 2, java: 2, ruby: 2 } as const satisfies Record<
  string,
  Report['severity']
>;
const TYPES = Object.keys(SEVERITIES) as (keyof typeof SEVERITIES)[];
const EXPECTED = 'expected a µReport of version 2 as a JSON object';
/** All threads of a large program with all that is known of each frame. */
const VALUES_AT_MOST = 100_000;
/** Where a µReport says what records have fields for. */
const PLACES: Partial<Record<Field, string>> = { system_name: 'os.name', build: 'os.version', arch: 'os.architecture' };

const text = z.string().catch('');
const ureport = z.object({
  ureport_version: z.union([z.literal(2), z.literal('2')], { error: wrongVersion }),
  os: z.object({ name: text, version: text, architecture: text }).catch({ name: '', version: '', architecture: '' }),
  problem: z.object(
    {
      type: z.enum(TYPES, { error: issue => `got ${shown(issue.input)}, expected ${TYPES.join(', ')}` }),
      version: text,
    },
    { error: issue => `got ${shown(issue.input)}, expected an object` },
  ),
  auth: z.object({ machineid: text }).catch({ machineid: '' }),
});

/**
 * Reads a µReport of version 2 as ABRT sends it. What is under `auth` names the machine: it is taken out, and becomes a hash. Where
 * it does not say which machine it is, the record is of none.
 */
export function parseUreport(body: Uint8Array, hashMachine: HashMachine): Received | Refusal {
  const object = parseObject(body, VALUES_AT_MOST, EXPECTED);
  if (typeof object === 'string') return { field: null, message: object };
  const parsed = ureport.safeParse(object);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { field: null, message: `${issue!.path.join('.')}: ${issue!.message}` };
  }
  const { os, problem, auth } = parsed.data;
  const fields = parseFields({
    record_format_version: '2',
    severity: String(SEVERITIES[problem.type]),
    classification: `abrt/${problem.type}/report`,
    machine_id: '-',
    creation_timestamp: String(Math.floor(Date.now() / 1000)),
    arch: os.architecture || 'unknown',
    host_type: '',
    kernel_version: /^\d[^\p{Cc}\p{Cs}]{0,198}$/u.test(problem.version) ? problem.version : 'unknown',
    build: os.version,
    payload_format_version: '2',
    system_name: os.name,
  });
  if ('message' in fields) return inItsWords(fields);
  const { payload, scrubbedBy } = withoutAuth(body);
  const report = {
    ...fields,
    machineId: hashMachine(auth.machineid),
    external: false,
    payload: payload.toWellFormed(),
  };
  const payloadBytes = Buffer.from(payload);
  return { report, payloadBytes, wayIn: 'abrt', fingerprint: fingerprintOf(report, payloadBytes), scrubbedBy };
}

/** A refused µReport as far as it may be kept; undefined where it can't be told what names its machine. */
export function findUreport(body: Uint8Array): FoundPayload | undefined {
  if (typeof parseObject(body, VALUES_AT_MOST, EXPECTED) === 'string') return undefined;
  return { ...withoutAuth(body), classification: undefined, bodyWith: payload => Buffer.from(payload) };
}

/** What is sent again has another time of capture here; what comes from machines unknown is never known to be sent again. */
function fingerprintOf(report: Report, payload: Uint8Array): string {
  if (report.machineId === '') return crypto.randomUUID().replaceAll('-', '');
  return recordFingerprint({ ...report, capturedAt: 0 }, payload);
}

function withoutAuth(body: Uint8Array) {
  const json = decodeText(body);
  const payload = withoutMember(json, 'auth');
  return { payload, scrubbedBy: payload === json ? [] : [ABRT_AUTH] };
}

function wrongVersion({ input }: { input?: unknown }): string {
  if (input === 1 || input === '1' || input === 0)
    return `got ${input}, which is too old, expected 2: update ABRT there`;
  return `got ${shown(input)}, expected 2`;
}

function inItsWords({ field, message }: Refusal): Refusal {
  const place = field && PLACES[field as Field];
  return { field: null, message: place ? message.replace(field, place) : message };
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return quoted(String(value));
}
