import { decodeText } from '../decode-text.ts';
import { JOURNAL_FIELDS, mayHoldPrivateFields, withoutPrivateFields } from '../privacy/journal-fields.ts';
import type { HashMachine } from '../privacy/machine-ids.ts';
import type { Refusal } from './fields.ts';
import {
  claimedMachine,
  type FoundPayload,
  findPayload,
  parseRequest,
  type Received,
  type RequestHeaders,
} from './parse.ts';
import { ABRT_AUTH, findUreport, parseUreport } from './ureport.ts';

/** How requests of one kind are read. */
export interface Form {
  parse(headers: RequestHeaders, body: Uint8Array): Received | Refusal;
  /** The machine that a refused request claims to come from. */
  claimedMachine(headers: RequestHeaders, body: Uint8Array): string | null;
  /** Where the payload of a refused request is; undefined where its body makes no sense. */
  findPayload(headers: RequestHeaders, body: Uint8Array): FoundPayload | undefined;
  /** The name of the rule for what is not to be kept of any request, where a refused one may hold that. */
  privateBy(body: Uint8Array, found: FoundPayload | undefined): string | undefined;
}

/** Both wire formats of the telemetrics client, which our probe uses, too. */
export const TELEMETRICS: Form = {
  parse: parseRequest,
  claimedMachine,
  findPayload,
  privateBy(body, found) {
    const isPrivate = found
      ? withoutPrivateFields(found.payload) !== undefined || withoutPrivateFields(decodeText(body)) !== undefined
      : mayHoldPrivateFields(decodeText(body));
    return isPrivate ? JOURNAL_FIELDS : undefined;
  },
};

export interface Forms {
  telemetrics: Form;
  /** The body is a µReport of ABRT; headers say nothing. */
  ureport: Form;
}

export function formsOf(hashMachine: HashMachine): Forms {
  return {
    telemetrics: TELEMETRICS,
    ureport: {
      parse: (_, body) => parseUreport(body, hashMachine),
      claimedMachine: () => null,
      findPayload: (_, body) => findUreport(body),
      privateBy: () => ABRT_AUTH,
    },
  };
}
