import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

// A frame of zstd (RFC 8878) is a header, blocks with a header of three bytes each, and perhaps a checksum.
const MAGIC = 0xfd2fb528;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
const RLE = 1;
/** Other programs may add such a frame: a length, and as many bytes without meaning. */
const SKIPPABLE = 0x184d2a50;

/** Whether a file consists of complete zstd frames and nothing else: the decompressor ignores anything after them. */
export function isWholeFrames(file: string): boolean {
  const fd = openSync(file, 'r');
  const bytes = Buffer.alloc(8);
  const { size } = fstatSync(fd);
  let at = 0;

  /** The next bytes as a number, with zeros after the end of the file. */
  function take(length: number): number {
    bytes.fill(0);
    readSync(fd, bytes, 0, length, at);
    at += length;
    return bytes.readUIntLE(0, length);
  }

  function skipFrame() {
    const descriptor = take(1);
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSize = descriptor >> 6 === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[descriptor >> 6]!;
    at += (isSingleSegment ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + contentSize;
    for (let last = false; !last && at < size; ) {
      const header = take(3);
      last = (header & 1) === 1;
      at += ((header >> 1) & 3) === RLE ? 1 : header >> 3;
    }
    if (descriptor & 4) at += 4;
  }

  try {
    while (at < size) {
      const magic = take(4);
      if (magic === MAGIC) skipFrame();
      else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
        const length = take(4);
        at += length;
      } else return false;
    }
    return at === size;
  } finally {
    closeSync(fd);
  }
}
