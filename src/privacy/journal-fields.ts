import { type Range, rangeOfMember } from '../json-members.ts';
import { endOfBinaryValue, endOfLines, endOfLinesOfProgram } from './journal-lines.ts';

/** The name in a record's `scrubbed_by`, beside those of the rules of privacy.scrub. */
export const JOURNAL_FIELDS = 'journal-fields';

/** What a process was given and had open, all of its memory, and what names its user, or its machine for good. Of names in upper case. */
const PRIVATE =
  /^_*(?:COREDUMP(?:_ROOT|_USERNAME|_FILENAME)?|HOST|SYSLOG_RAW)$|(?:^|_)(?:ENVIRON|CMDLINE|PROCTITLE|AUDIT_FIELD_CMD|CWD|OPEN_FDS|HOSTNAME|MACHINE_ID|PROC_[A-Z0-9_]+)$/;
/** `journalctl -o verbose --all` prints their lines as they are, without blanks before them. */
const OF_MANY_LINES = /(?:ENVIRON|OPEN_FDS|PROC_\w+)$/i;
/** Other texts have no fields of these names. */
const MARK =
  /^(?:_*COREDUMP_\w+|_{2,3}(?:CURSOR|REALTIME_TIMESTAMP|MONOTONIC_TIMESTAMP)|_{1,2}(?:BOOT_ID|TRANSPORT|HOSTNAME|CMDLINE|MACHINE_ID|SYSTEMD_\w+)|SYSLOG_(?:IDENTIFIER|RAW)|OBJECT_CMDLINE)$/;
/** Nor these, as JSON and in upper case. */
const MARK_OF_JSON = /^(?:MESSAGE|MESSAGE_ID|COREDUMP)$/;
/** What every form has but that of `coredumpctl`, and most backtraces have not: looking for these costs next to nothing. */
const SIGNS = ['"', '=', "'", 'COREDUMP_'];
/** A text with none of these has no mark. As two expressions, which are far quicker than one that ignores the case. */
const MAYBE_MARKED = /MESSAGE|CURSOR|_TIMESTAMP|_ID|TRANSPORT|NAME|CMDLINE|SYSTEMD_|SYSLOG_|COREDUMP|\\u00/;
const MAYBE_MARKED_LOWER =
  /_(?:cursor|realtime|monotonic|boot|transport|hostname|cmdline|machine|systemd|identifier|raw)|coredump_/;

/** `"KEY":`, also with escapes, as within other texts, and with the quotes that Python prints. */
const QUOTED = /(["'])((?:[\w\s]|\\{1,15}u00[0-9a-fA-F]{2}){1,100})(\\{0,15})\1\s*(?::|=>)/g;
const ESCAPE = /\\+u00([0-9a-f]{2})/gi;
/** `KEY=` at the beginning of a line, as YAML with a colon; a name alone has its value as bytes on the next, behind how many they are. */
const OF_LINE = /([ \t]*)(?:- )?([a-z_]\w{1,63})(?:[ \t]*[=:]|\n(?=[\s\S]{0,7}\0))/iy;
/** `KEY=` within a line. */
const WITHIN_LINE = /(?:COREDUMP_\w{1,60}|_(?:HOSTNAME|CMDLINE|MACHINE_ID)|OBJECT_CMDLINE)=/g;
/** Behind something else, which may be a newline that is spelled `\n`. */
const BEGINS = /(?:^|[^\w"'\\]|\\[nrt])_?$/;
/** A text within JSON ends a line so, or itself. */
const END_WITHIN_STRING = /\n|(?<!\\)(?:\\\\)*(?:\\n|")/g;
/** As `coredumpctl info` prints them, and how that begins. */
const LABELS = /^ *(?:Command Line|Hostname|Machine ID|UID|GID|Owner UID): [^\n]*\n?/gm;
const COREDUMPCTL = /^ {1,40}PID: \d{1,10} \(/;
/** How a text in UTF-16 begins, whose bytes were read as UTF-8. */
const UTF_16 = /^(?:\xff\xfe|\xfe\xff)?(?:(?:[\t\n\r -~]\0){8}|(?:\0[\t\n\r -~]){8})/;

/**
 * A payload that holds journal entries without their private fields; undefined where there is nothing to take out. The rest stays byte
 * for byte. src/help/privacy.md says in which forms entries are known. They need not be valid: one may have been cut off.
 */
export function withoutPrivateFields(payload: string): string | undefined {
  const text = UTF_16.test(payload) ? payload.replaceAll('\0', '') : payload;
  if (!mayHoldPrivateFields(text)) return undefined;
  let left = COREDUMPCTL.test(text) ? text.replaceAll(LABELS, '') : text;
  for (const ranges of [privateMembers, privateLines, privateWithinLines]) left = without(left, ranges(left));
  return left === text ? undefined : left;
}

/** Whether a text holds something of a journal entry, in any of the forms that are known. */
export function mayHoldPrivateFields(text: string): boolean {
  if (UTF_16.test(text)) return mayHoldPrivateFields(text.replaceAll('\0', ''));
  if (COREDUMPCTL.test(text)) return true;
  if (!SIGNS.some(sign => text.includes(sign)) || !(MAYBE_MARKED.test(text) || MAYBE_MARKED_LOWER.test(text)))
    return false;
  for (const [, , key] of text.matchAll(QUOTED)) {
    const name = nameOf(key!);
    if (MARK_OF_JSON.test(name) || MARK.test(name.toUpperCase())) return true;
  }
  for (const [, , name] of linesWithNames(text)) if (MARK.test(name!.toUpperCase())) return true;
  return !fieldsWithinLines(text).next().done;
}

function* privateMembers(text: string): Generator<Range> {
  QUOTED.lastIndex = 0;
  let from = 0;
  for (let key = QUOTED.exec(text); key; key = QUOTED.exec(text)) {
    if (!isPrivate(nameOf(key[2]!))) {
      // What closes this name may open another, of a text that ends there.
      QUOTED.lastIndex = key.index + 1 + key[2]!.length;
      continue;
    }
    const delimiter = { quote: key[1]!, backslashes: key[3]!.length };
    const member = rangeOfMember(text, key.index, QUOTED.lastIndex, delimiter, from);
    yield member;
    from = QUOTED.lastIndex = Math.max(member.end, key.index + 1);
  }
}

function* privateLines(text: string): Generator<Range> {
  let from = 0;
  for (const line of linesWithNames(text)) {
    if (line.index < from || !isPrivate(line[2]!)) continue;
    const value = line.index + line[0].length;
    if (line[0].endsWith('\n')) from = endOfBinaryValue(text, value);
    else if (OF_MANY_LINES.test(line[2]!)) from = endOfLinesOfProgram(text, value);
    else from = endOfLines(text, value, line[1]!.length);
    yield { start: line.index, end: from };
  }
}

function* privateWithinLines(text: string): Generator<Range> {
  let from = 0;
  let end: RegExp | undefined;
  for (const field of fieldsWithinLines(text)) {
    if (field.index < from || !isPrivate(field[0].slice(0, -1))) continue;
    end ??= text.search(QUOTED) >= 0 ? END_WITHIN_STRING : /$/gm;
    end.lastIndex = field.index;
    from = end.exec(text)?.index ?? text.length;
    yield { start: field.index, end: from };
  }
}

function* linesWithNames(text: string): Generator<RegExpExecArray> {
  for (let start = 0; start < text.length; ) {
    OF_LINE.lastIndex = start;
    const line = OF_LINE.exec(text);
    if (line) yield line;
    const newline = text.indexOf('\n', start);
    if (newline < 0) return;
    start = newline + 1;
  }
}

function* fieldsWithinLines(text: string): Generator<RegExpExecArray> {
  if (!text.includes('=')) return;
  for (const field of text.matchAll(WITHIN_LINE))
    if (BEGINS.test(text.slice(Math.max(0, field.index - 3), field.index))) yield field;
}

function isPrivate(name: string): boolean {
  return PRIVATE.test(name.toUpperCase());
}

function nameOf(key: string): string {
  const name = key.trim();
  if (!name.includes('\\')) return name;
  return name.replaceAll(ESCAPE, (_, code) => String.fromCharCode(Number.parseInt(code, 16))).trim();
}

/** A text without some ranges, which are in order. */
function without(text: string, ranges: Iterable<Range>): string {
  const kept: string[] = [];
  let from = 0;
  for (const { start, end } of ranges) {
    kept.push(text.slice(from, start));
    from = end;
  }
  return from === 0 ? text : kept.join('') + text.slice(from);
}
