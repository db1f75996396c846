import { BoundedText, NotMangled, SymbolReader } from './symbol-text.ts';

const ALLOWED = /^[\w$.:@]*$/;
const HASH = /^h[0-9a-f]{16}$/;
// A hash is 64 random bits in hexadecimal, so it has many different digits; a C++ name that looks like one has few.
const HASH_LEAST_DIGITS = 5;

const ESCAPES: Record<string, string> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};

/**
 * Demangles what follows `_ZN`: identifiers with their lengths (the last is a hash), `E`, and perhaps a suffix, which
 * is dropped.
 */
export function demangleRustLegacy(symbol: string): string {
  if (!ALLOWED.test(symbol)) throw new NotMangled();
  const parts = readIdentifiers(withoutSuffix(symbol));
  if (!isHash(parts.at(-1))) throw new NotMangled();
  const printed = new BoundedText();
  parts.forEach((part, index) => {
    printed.print(`${index > 0 ? '::' : ''}${unescapeIdentifier(part)}`);
  });
  return printed.finish();
}

/** Cuts after the last `E` that ends the symbol or is followed by a dot. */
function withoutSuffix(symbol: string): string {
  for (let end = symbol.length; end > 0; end--) {
    const atSuffix = end === symbol.length || symbol[end] === '.';
    if (atSuffix && symbol[end - 1] === 'E') return symbol.slice(0, end - 1);
  }
  throw new NotMangled();
}

function readIdentifiers(path: string): string[] {
  const reader = new SymbolReader(path);
  const parts: string[] = [];
  while (!reader.atEnd) parts.push(reader.take(reader.decimal()));
  return parts;
}

function isHash(part: string | undefined): boolean {
  return part !== undefined && HASH.test(part) && new Set(part.slice(1)).size >= HASH_LEAST_DIGITS;
}

/**
 * `_$LT$impl$u20$X$GT$` becomes `<impl X>`, `..` becomes `::`. From the first unknown escape on, the rest stays
 * unchanged.
 */
function unescapeIdentifier(identifier: string): string {
  let rest = identifier.startsWith('_$') ? identifier.slice(1) : identifier;
  let printed = '';
  while (rest !== '') {
    const piece = /^(?:\$([^$]*)\$|\.\.|\.|[^$.]+)/.exec(rest);
    const text = piece && unescapePiece(piece[0], piece[1]);
    if (text == null) return printed + rest;
    printed += text;
    rest = rest.slice(piece![0].length);
  }
  return printed;
}

function unescapePiece(piece: string, code: string | undefined): string | undefined {
  if (code !== undefined) return ESCAPES[code] ?? unescapeCodePoint(code);
  return piece === '..' ? '::' : piece;
}

function unescapeCodePoint(code: string): string | undefined {
  if (!/^u[0-9a-f]{2}$/.test(code)) return undefined;
  const codePoint = Number.parseInt(code.slice(1), 16);
  return codePoint >= 0x20 && codePoint <= 0x7e ? String.fromCharCode(codePoint) : undefined;
}
