/** The lines of a text, without what ends them. */
export function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(start, end > start && text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}

/** An id or a signal: 0 to 2^31 - 1. */
export function int32Of(text: string | null | undefined): number | null {
  return text != null && /^[0-9]{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : null;
}
