import { endOfString } from '../json-text.ts';
import { withoutPrivateLines } from './journal-lines.ts';
import { isPrivate, unescaped } from './private-names.ts';

/** The name in a record's `scrubbed_by`, beside those of the rules of privacy.scrub. */
export const JOURNAL_FIELDS = 'journal-fields';

/** Without one of these no text holds a journal entry; they are looked for in every payload, most of which have no quotes. */
const SIGNS = ['COREDUMP', 'coredump', '_HOSTNAME', '_CMDLINE', '_MACHINE_ID'];
const SIGNS_IN_JSON = ['"MESSAGE', '"_', '\\u00'];
/** Every journal entry has one of these. */
const MARKS = /"(?:MESSAGE|MESSAGE_ID|__CURSOR|__REALTIME_TIMESTAMP|_BOOT_ID|_TRANSPORT|COREDUMP_[A-Z_]{1,60})"\s*:/;
const FIELD = /"((?:[\w ]|\\u[0-9a-fA-F]{4}){1,64})"\s*:\s*/g;
/** Names that tell by themselves, in a text in which fields can't be told apart. */
const PRIVATE_ANYWHERE = [
  /\b_?COREDUMP(?:\\*"|_(?:ROOT|FILENAME|\w{0,20}(?:ENVIRON|CMDLINE|CWD|OPEN_FDS|HOSTNAME|USERNAME|PROC_)))/i,
  /\b_\w{0,20}(?:HOSTNAME|CMDLINE|MACHINE_ID|ENVIRON|CWD)\b|"_(?:hostname|cmdline|machine_id|environ|cwd)\b/,
];
const SPACE = /\s/;

/**
 * A payload that holds journal entries, as JSON or with a field on each line, without their private fields; undefined where there is
 * nothing to take out. The rest stays byte for byte. It need be no valid JSON: an entry may have been cut off, or stand among other text.
 */
export function withoutPrivateFields(payload: string): string | undefined {
  const has = (sign: string) => payload.includes(sign);
  if (!SIGNS.some(has) && !(has('"') && SIGNS_IN_JSON.some(has))) return undefined;
  const shortened = withoutPrivateMembers(payload);
  return withoutPrivateLines(shortened ?? payload) ?? shortened;
}

/** Members of JSON objects, wherever they stand. */
function withoutPrivateMembers(payload: string): string | undefined {
  const isEntry = MARKS.test(payload);
  const kept: string[] = [];
  let from = 0;
  FIELD.lastIndex = 0;
  for (let field = FIELD.exec(payload); field; field = FIELD.exec(payload)) {
    // Within a text there is a backslash before each quote, so that none can look like a field.
    if (!isPrivate(field[1]!, isEntry)) continue;
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
  const plain = unescaped(text);
  if (PRIVATE_ANYWHERE.some(names => names.test(plain))) return true;
  if (!MARKS.test(plain)) return false;
  return [...plain.matchAll(FIELD)].some(([, name]) => isPrivate(name!, true));
}

/** The place behind a JSON value; the end of the text where that is cut off. */
function endOfValue(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const char = json[at];
    if (char === '"') at = endOfString(json, at);
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (depth > 0 || char !== ',') continue;
    if (depth < 0 || char === ',') return at;
    if (depth === 0) return Math.min(at + 1, json.length);
  }
  return json.length;
}

/** The place of the comma before a member of an object, if there is one behind `from`. */
function commaBefore(json: string, member: number, from: number): number | undefined {
  let at = member - 1;
  while (at >= from && SPACE.test(json[at]!)) at--;
  return at >= from && json[at] === ',' ? at : undefined;
}

function afterComma(json: string, end: number): number {
  let at = end;
  while (at < json.length && SPACE.test(json[at]!)) at++;
  if (json[at] !== ',') return end;
  for (at++; at < json.length && SPACE.test(json[at]!); ) at++;
  return at;
}
