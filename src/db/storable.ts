/** Makes a text storable: PostgreSQL takes neither NUL nor half a surrogate pair, so they become ␀ and U+FFFD. */
export function storable(text: string): string {
  return text.replaceAll('\0', '␀').toWellFormed();
}
