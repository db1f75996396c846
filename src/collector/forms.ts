import { decodeText } from '../decode-text.ts';
import { mayHoldPrivateFields } from '../privacy/journal-fields.ts';
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
import { findUreport, parseUreport } from './ureport.ts';

/** How requests of one kind are read. */
export interface Form {
  parse(headers: RequestHeaders, body: Uint8Array): Received | Refusal;
  /** The machine that a refused request claims to come from. */
  claimedMachine(headers: RequestHeaders, body: Uint8Array): string | null;
  /** Where the payload of a refused request is; undefined where its body makes no sense. */
  findPayload(headers: RequestHeaders, body: Uint8Array): FoundPayload | undefined;
  /** A refused request may hold what is not to be kept of any. */
  mayBePrivate(body: Uint8Array): boolean;
}

/** Both wire formats of the telemetrics client, which our probe uses, too. */
export const TELEMETRICS: Form = {
  parse: parseRequest,
  claimedMachine,
  findPayload,
  mayBePrivate: body => mayHoldPrivateFields(decodeText(body)),
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
      mayBePrivate: () => true,
    },
  };
}
