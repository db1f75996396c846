import { isUtf8 } from 'node:buffer';

/** Reads bytes as UTF-8. A byte that is not UTF-8 is read as Latin-1; the text around it is not affected. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : mended(buffer).toString('utf8');
}

/** Turns the bytes into valid UTF-8. */
function mended(bytes: Buffer): Buffer {
  const result = Buffer.allocUnsafe(bytes.length * 2);
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      const byte = bytes[at++]!;
      result[end++] = 0xc0 | (byte >> 6);
      result[end++] = 0x80 | (byte & 0x3f);
    } else {
      for (const until = at + length; at < until; at++) result[end++] = bytes[at]!;
    }
  }
  return result.subarray(0, end);
}

/** The length in bytes of the character that begins there; 0 if none does (table 3-7 of Unicode). */
function sequenceLength(bytes: Buffer, at: number): 0 | 1 | 2 | 3 | 4 {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let n = 2; n < length; n++) if ((bytes[at + n] ?? 0) >> 6 !== 0b10) return 0;
  return length;
}
