/** From one place of a text up to another. */
export interface Range {
  start: number;
  end: number;
}

/** What strings begin and end with: in a string within a string, there are backslashes before each quote. */
interface Delimiter {
  quote: string;
  backslashes: number;
}

const BACKSLASH = '\\';
const SPACE = /\s/;
/** Blanks between what JSON consists of, also as a string within a string spells them. */
const BLANKS = /(?:\s|\\+[nrt])*/y;

/**
 * Where the member of an object is whose name begins at `name` and whose value at `value`, with one of the commas around it. What is
 * before `from` belongs to the member before.
 */
export function rangeOfMember(json: string, name: number, value: number, delimiter: Delimiter, from: number): Range {
  const start = Math.max(from, name - delimiter.backslashes);
  const end = endOfValue(json, value, delimiter);
  const comma = placeOfCommaBefore(json, start, from);
  return comma === undefined ? { start, end: placeAfterComma(json, end) } : { start: comma, end };
}

/** The place behind a value; the end of the text where that is cut off, or of the string that all is in. */
function endOfValue(json: string, start: number, { quote, backslashes }: Delimiter): number {
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const char = json[at];
    if (char === BACKSLASH || char === quote || char === '"') {
      const quoteAt = placeBehindBackslashes(json, at);
      if (json[quoteAt] !== quote && json[quoteAt] !== '"') {
        at = quoteAt - 1;
        continue;
      }
      if (quoteAt - at < backslashes) return at;
      at = endOfString(json, quoteAt, { quote: json[quoteAt]!, backslashes });
    } else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (depth > 0 || char !== ',') continue;
    if (depth < 0 || char === ',') return at;
    if (depth === 0) return Math.min(at + 1, json.length);
  }
  return json.length;
}

/** The place of the quote that ends a string; of what is before the quote that ends the string around it; or the end of the text. */
function endOfString(json: string, begin: number, { quote, backslashes }: Delimiter): number {
  for (let at = json.indexOf(quote, begin + 1); at >= 0; at = json.indexOf(quote, at + 1)) {
    let before = 0;
    while (json[at - 1 - before] === BACKSLASH) before++;
    if (before < backslashes) return at - before - 1;
    // Each level of strings within strings doubles them.
    if (((before - backslashes) / (backslashes + 1)) % 2 === 0) return at;
  }
  return json.length;
}

function placeBehindBackslashes(json: string, start: number): number {
  let at = start;
  while (json[at] === BACKSLASH) at++;
  return at;
}

function placeOfCommaBefore(json: string, member: number, from: number): number | undefined {
  let at = member - 1;
  for (; at >= from; at--) {
    if (SPACE.test(json[at]!)) continue;
    if (json[at - 1] !== BACKSLASH || !'nrt'.includes(json[at]!)) break;
    while (json[at - 1] === BACKSLASH) at--;
  }
  return at >= from && json[at] === ',' ? at : undefined;
}

function placeAfterComma(json: string, end: number): number {
  const comma = placeAfterBlanks(json, end);
  return json[comma] === ',' ? placeAfterBlanks(json, comma + 1) : end;
}

function placeAfterBlanks(json: string, start: number): number {
  BLANKS.lastIndex = start;
  return start + BLANKS.exec(json)![0].length;
}

/** The place behind a value on the rest of a line and on lines below that are farther in than the name. */
export function endOfLines(text: string, start: number, indentation: number): number {
  for (let newline = text.indexOf('\n', start); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
    let blanks = 0;
    while (blanks <= indentation && /[ \t]/.test(text[newline + 1 + blanks] ?? '')) blanks++;
    if (blanks <= indentation) return newline + 1;
  }
  return text.length;
}

/** How a line begins on which a journal has the next field: of the others of a program, such as its environment, these are none. */
const NEXT_FIELD =
  /[ \t]*(?:- )?(?:_\w|COREDUMP_|MESSAGE|PRIORITY\b|SYSLOG_|CODE_|OBJECT_|(?:USER_)?UNIT\b|ERRNO\b|TID\b|INVOCATION_ID\b)\w*(?:[=:]|\n)/iy;

/** The place behind a value that may have lines of its own, which are not farther in than the name: where the next field begins. */
export function endOfLinesOfProgram(text: string, start: number): number {
  for (let newline = text.indexOf('\n', start); newline >= 0; newline = text.indexOf('\n', newline + 1)) {
    NEXT_FIELD.lastIndex = newline + 1;
    if (NEXT_FIELD.test(text)) return newline + 1;
  }
  return text.length;
}

const LENGTH_BYTES = 8;

/**
 * The place behind a value of the export format: eight bytes say how many follow, and a newline ends them. As the bytes were read as
 * text, a character of Latin-1 may have been one byte or two: what may belong to the value is taken to do so. Where the length makes
 * no sense, that is all.
 */
export function endOfBinaryValue(text: string, start: number): number {
  for (const encoding of ['latin1', 'utf8'] as const) {
    const { length, end } = readLength(text, start, encoding);
    if (length > 4 * text.length) continue;
    let at = end;
    for (let left = length; left > 0 && at < text.length; at++) left -= leastBytes(text.charCodeAt(at));
    const newline = text.indexOf('\n', at);
    return newline < 0 ? text.length : newline + 1;
  }
  return text.length;
}

function readLength(text: string, start: number, encoding: 'latin1' | 'utf8') {
  const bytes: number[] = [];
  let at = start;
  for (; at < text.length && bytes.length < LENGTH_BYTES; at++) bytes.push(...Buffer.from(text[at]!, encoding));
  return { length: bytes.slice(0, LENGTH_BYTES).reduceRight((sum, byte) => sum * 256 + byte, 0), end: at };
}

/** How many bytes a code unit may have been; a character beyond 16 bits is two of them and was four bytes. */
function leastBytes(code: number): 1 | 2 | 3 {
  if (code <= 0xff) return 1;
  return code <= 0x7ff || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
}
