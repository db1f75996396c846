import { quoted } from './fields.ts';

/** Why an encoded body can't be read. */
export type Undecoded =
  | { kind: 'unsupported' | 'corrupt'; message: string }
  /** It decodes to more than `most` bytes. */
  | { kind: 'oversized'; most: number };

/**
 * The accepted Content-Encodings. Not "br": a few hundred bytes of it can take 40 ms before the first byte comes out.
 */
export const ENCODINGS = 'gzip, deflate, zstd';

/** Decodes a body in pieces, and stops beyond `most` bytes. */
export async function decodeContent(body: Uint8Array, encoding: string, most: number): Promise<Uint8Array | Undecoded> {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return body;
  const format = formatOf(name, body);
  if (!format) {
    const message = `Content-Encoding: got ${quoted(encoding)}, expected one of ${ENCODINGS}, or no such header`;
    return { kind: 'unsupported', message };
  }
  try {
    return (await decompressed(body, format, most)) ?? { kind: 'oversized', most };
  } catch {
    return { kind: 'corrupt', message: `body: expected ${name}, as Content-Encoding says, and all of it` };
  }
}

type Format = ConstructorParameters<typeof DecompressionStream>[0];

function formatOf(name: string, body: Uint8Array): Format | undefined {
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      // Many senders leave out the two header bytes that the standard requires.
      return (body[0]! & 0x0f) === 8 && ((body[0]! << 8) | body[1]!) % 31 === 0 ? 'deflate' : 'deflate-raw';
    case 'zstd':
      return 'zstd';
    default:
      return undefined;
  }
}

/** Undefined if the result is larger than `most` bytes. */
async function decompressed(body: Uint8Array, format: Format, most: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of new Blob([body as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format))) {
    size += chunk.byteLength;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
