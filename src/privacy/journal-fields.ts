import { afterComma, commaBefore, endOfValue } from '../json-members.ts';
import { startOfJson } from '../json-text.ts';

/** The name in a record's `scrubbed_by`, beside those of the rules of privacy.scrub. */
export const JOURNAL_FIELDS = 'journal-fields';

/** Every journal entry has one of these. */
const MARKS = /"(?:MESSAGE|MESSAGE_ID|__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|_TRANSPORT|COREDUMP_[A-Z_]{1,60})"\s*:/;
const FIELD = /"([A-Z0-9_]{1,64})"\s*:\s*/g;
/** What a process was given and had open, all of its memory, and what names its machine for good. */
const PRIVATE = /^COREDUMP$|(?:^|_)(?:ENVIRON|CMDLINE|CWD|OPEN_FDS|HOSTNAME|MACHINE_ID|PROC_[A-Z0-9_]+)$/;
const PRIVATE_ANYWHERE =
  /\b(?:COREDUMP(?:\\*"|_(?:ENVIRON|\w{0,20}CMDLINE|CWD|OPEN_FDS|HOSTNAME|PROC_))|_HOSTNAME\b|_CMDLINE\b|_MACHINE_ID\b)/;

/**
 * A payload that holds journal entries as JSON, without their private fields; undefined where there is nothing to take out. The rest
 * stays byte for byte. It need be no valid JSON: an entry may have been cut off.
 */
export function withoutPrivateFields(payload: string): string | undefined {
  const start = startOfJson(payload);
  if ((payload[start] !== '{' && payload[start] !== '[') || !MARKS.test(payload)) return undefined;
  const kept: string[] = [];
  let from = 0;
  FIELD.lastIndex = start;
  for (let field = FIELD.exec(payload); field; field = FIELD.exec(payload)) {
    // Within a text there is a backslash before each quote, so that none can look like a field.
    if (!PRIVATE.test(field[1]!)) continue;
    let end = endOfValue(payload, field.index + field[0].length);
    const comma = commaBefore(payload, field.index, from);
    if (comma === undefined) end = afterComma(payload, end);
    kept.push(payload.slice(from, comma ?? field.index));
    from = end;
    FIELD.lastIndex = end;
  }
  return from === 0 ? undefined : kept.join('') + payload.slice(from);
}

/** Whether a text that makes no sense, of a refused request, may hold private fields of a journal entry. */
export function mayHoldPrivateFields(text: string): boolean {
  return PRIVATE_ANYWHERE.test(text);
}
