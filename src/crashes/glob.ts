/** A pattern in which `*` stands for any text (also none), `\*` for a star and `\\` for a backslash. */
export interface Glob {
  /** The beginning of every match; the whole pattern if it has no star. */
  prefix: string;
  hasStar: boolean;
  /** Searches for the texts between the stars one after the other, so each character is read once. */
  matches(text: string): boolean;
}

export function globOf(pattern: string): Glob {
  const [prefix, ...rest] = piecesOf(pattern);
  const suffix = rest.pop();
  if (suffix === undefined) return { prefix: prefix!, hasStar: false, matches: text => text === prefix };
  return {
    prefix: prefix!,
    hasStar: true,
    matches(text) {
      if (!text.startsWith(prefix!) || !text.endsWith(suffix)) return false;
      let end = prefix!.length;
      for (const piece of rest) {
        const start = text.indexOf(piece, end);
        if (start < 0) return false;
        end = start + piece.length;
      }
      return end <= text.length - suffix.length;
    },
  };
}

/** The texts between the stars. */
function piecesOf(pattern: string): string[] {
  const pieces = [''];
  for (const [part] of pattern.matchAll(/\\[\\*]|\*|[^\\*]+|\\/g)) {
    if (part === '*') pieces.push('');
    else pieces.push(`${pieces.pop()}${/^\\./.test(part) ? part.slice(1) : part}`);
  }
  return pieces;
}
