/** A text as PostgreSQL takes it, which holds neither NUL nor half a surrogate pair: these become ␀ and U+FFFD. */
export function storable(text: string): string {
  return text.replaceAll('\0', '␀').toWellFormed();
}
