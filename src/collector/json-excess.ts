import { endOfString } from '../json-text.ts';

/** A shorter text is parsed within a millisecond, whatever it holds. */
const SCANNED_FROM = 16 * 1024;
/** A record has 16 values in one object. */
const VALUES = 1_000;
const DEPTH_AT_MOST = 32;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Why a JSON text is not parsed: it has far more values than a record or is nested too deeply, so parsing would block
 * everything else. Undefined if it may be parsed.
 */
export function jsonExcess(json: string, mostValues = VALUES): string | undefined {
  if (json.length < SCANNED_FROM) return undefined;
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case COMMA:
        if (++values > mostValues) return `JSON with more than ${mostValues} values`;
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        if (++depth > DEPTH_AT_MOST) return `JSON nested more than ${DEPTH_AT_MOST} deep`;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
        depth--;
    }
  }
  return undefined;
}
