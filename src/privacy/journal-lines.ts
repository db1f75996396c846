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
