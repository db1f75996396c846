import { NotMangled } from './symbol-text.ts';

// Parameters of RFC 3492, section 5.
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_CODE_POINT = 0x80;

/** Decodes punycode (RFC 3492), given as its ASCII characters and the part that says where to insert the others. */
export function decodePunycode(ascii: string, insertions: string): string {
  if (insertions === '') throw new NotMangled();
  const characters = [...ascii];
  let codePoint = INITIAL_CODE_POINT;
  let bias = INITIAL_BIAS;
  let index = 0;
  for (let position = 0; position < insertions.length; index++) {
    const { delta, end } = readDelta(insertions, position, bias);
    const length = characters.length + 1;
    bias = adapt(delta, length, position === 0);
    index += delta;
    codePoint += Math.floor(index / length);
    index %= length;
    characters.splice(index, 0, fromCodePoint(codePoint));
    position = end;
  }
  return characters.join('');
}

function readDelta(text: string, start: number, bias: number): { delta: number; end: number } {
  let delta = 0;
  let weight = 1;
  for (let position = start, k = BASE; ; position++, k += BASE) {
    const digit = digitValue(text[position]);
    delta += digit * weight;
    if (delta > 0xffff_ffff) throw new NotMangled();
    const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
    if (digit < threshold) return { delta, end: position + 1 };
    weight *= BASE - threshold;
  }
}

function adapt(delta: number, length: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? DAMP : 2));
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

function digitValue(char: string | undefined): number {
  if (char !== undefined && char >= 'a' && char <= 'z') return char.charCodeAt(0) - 97;
  if (char !== undefined && char >= '0' && char <= '9') return char.charCodeAt(0) - 48 + 26;
  throw new NotMangled();
}

function fromCodePoint(codePoint: number): string {
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) throw new NotMangled();
  return String.fromCodePoint(codePoint);
}
