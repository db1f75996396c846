import { FIELDS, parseOldFields, quoted, type RawFields, type Refusal } from '../collector/fields.ts';
import { recordFingerprint, requestFingerprint } from '../collector/fingerprint.ts';
import { TELEMETRICS } from '../collector/forms.ts';
import type { RefusedRequest } from '../collector/quarantine.ts';
import { redactBody } from '../collector/redact.ts';
import { storable } from '../db/storable.ts';
import { decodeText } from '../decode-text.ts';
import type { Fleet } from '../fleets.ts';
import type { Scrubber } from '../privacy/scrubber.ts';
import type { NewRecord } from '../records/store.ts';
import type { OldRecord } from './source.ts';

export type ImportedRecord = Omit<NewRecord, 'work' | 'parsed' | 'wayIn'> & { receivedAt: Date };

/** An old record in storable form, or why it can't be stored. */
export type Translated =
  | { kind: 'record'; id: string; old: OldRecord; record: ImportedRecord }
  | { kind: 'refused'; id: string; old: OldRecord; refusal: Refusal };

/** The old server did not exist before. Earlier days would each get a partition. */
const FIRST_RECEPTION = Date.UTC(2015, 0) / 1000;
const DAY = 86_400;

/** Turns an old record into one of ours by the rules of the collector, except for fields that old records may lack. */
export async function translate(old: OldRecord, fleet: Fleet, scrubber: Scrubber): Promise<Translated> {
  const refused = (refusal: Refusal): Translated => ({ kind: 'refused', id: old.id, old, refusal });
  const received = Number(old.received ?? Number.NaN);
  if (!(received >= FIRST_RECEPTION && received < Date.now() / 1000 + DAY)) {
    const message = `time of reception: got ${quoted(old.received ?? '')}, expected Unix seconds from ${FIRST_RECEPTION} to now`;
    return refused({ field: null, message });
  }
  const fields = parseOldFields(rawFields(old, received));
  if ('message' in fields) return refused(fields);
  const bytes = payloadOf(old);
  const report = { ...fields, external: old.external ?? false, payload: decodeText(bytes) };
  const scrubbed = await scrubber.scrub(report.payload, report.classification);
  if (scrubbed.kind === 'failed') {
    const message = `payload: the rule "${scrubbed.rule}" of privacy.scrub ${scrubbed.reason}, which is withheld`;
    return refused({ field: 'payload', message, withheldBy: scrubbed.rule });
  }
  const record = {
    report: { ...report, payload: scrubbed.payload },
    fleetId: fleet.id,
    fingerprint: recordFingerprint(report, bytes),
    scrubbedBy: [...scrubbed.by],
    receivedAt: new Date(Math.floor(received * 1000)),
  };
  return { kind: 'record', id: old.id, old, record };
}

/**
 * The record as quarantine keeps it: a request that the collector would take if it were valid. A header holds its id in
 * the old database.
 */
export async function toQuarantine(
  { id, old, refusal }: Translated & { kind: 'refused' },
  fleet: Fleet,
  scrubber: Scrubber,
): Promise<RefusedRequest> {
  const raw = Object.entries(rawFields(old, Number(old.received)));
  const external: [string, string][] = old.external ? [['x_clr_external', 'true']] : [];
  const headers: [string, string][] = [
    ...raw.map(([name, value]): [string, string] => [name, headerText(value)]),
    ...external,
    ['x_imported_id', id],
  ];
  const body = payloadOf(old);
  return {
    fingerprint: requestFingerprint(fleet.tid, headers, body),
    fleetId: fleet.id,
    machineId: old.machine_id?.slice(0, 32).replaceAll(/[\p{Cc}\p{Cs}]/gu, '') || null,
    address: null,
    field: refusal.field,
    reason: storable(refusal.message),
    headers,
    isUreport: false,
    ...(await redactBody(
      scrubber,
      { form: TELEMETRICS, headers: Object.fromEntries(headers), body },
      refusal.withheldBy,
    )),
  };
}

/** The reason without the value, so that there are few reasons to count records by. */
export function reasonOf({ message }: Refusal): string {
  return message.replace(/: got ".*", expected/s, ': expected');
}

function rawFields(old: OldRecord, received: number): RawFields {
  const raw: RawFields = {};
  for (const field of FIELDS) {
    const value = old[field];
    if (value !== null) raw[field] = value.trim();
  }
  if (raw.event_id === '') delete raw.event_id;
  if (Number.isFinite(received)) raw.creation_timestamp ??= String(received);
  // One of the schemas has it as numeric, with decimals.
  if (raw.creation_timestamp !== undefined) raw.creation_timestamp = raw.creation_timestamp.replace(/\.[0-9]*$/, '');
  return raw;
}

/** The payload as received, if the old server kept that. */
function payloadOf({ payloadBytes, payloadText }: OldRecord): Uint8Array {
  return payloadBytes ?? Buffer.from(payloadText ?? '');
}

/** Header values hold UTF-8 bytes, one character each. */
function headerText(value: string) {
  return Buffer.from(value).toString('latin1');
}
