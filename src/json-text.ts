const BACKSLASH = 0x5c;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xfeff;

/** Skips blanks and control characters, such as the mark before each record of `journalctl -o json-seq`. */
export function startOfJson(text: string): number {
  let at = 0;
  while (text.charCodeAt(at) <= SPACE || text.charCodeAt(at) === BYTE_ORDER_MARK) at++;
  return at;
}

/** The index of the quote that ends the string beginning at `begin`; the text's length if none does. */
export function endOfString(json: string, begin: number): number {
  for (let quote = json.indexOf('"', begin + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return json.length;
}
