const TWO_32 = 4294967296;
const HEX = Buffer.from('0123456789abcdef', 'latin1');
const scratch = Buffer.alloc(32);

/** A bijection of 32-bit integers whose results look random. */
export function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A small seeded generator; two streams of one seed never overlap. */
export class Random {
  #state: number;
  readonly #step: number;

  constructor(seed: number, stream: number) {
    this.#state = mix(seed ^ mix(stream + 0x51ed27));
    this.#step = mix(this.#state + stream) | 1;
  }

  u32(): number {
    this.#state = (this.#state + this.#step) | 0;
    return mix(this.#state);
  }

  fraction(): number {
    return this.u32() / TWO_32;
  }

  below(limit: number): number {
    return Math.floor((this.u32() / TWO_32) * limit);
  }
}

/** 32 hex digits. Different pairs give different digits, because the first half is a bijection of the pair. */
export function hexId(first: number, second: number, key: number): string {
  let left = (first ^ key) | 0;
  let right = second | 0;
  for (let round = 1; round <= 4; round++) {
    const next = left ^ mix((right + Math.imul(key, round)) | 0);
    left = right;
    right = next;
  }
  writeHex(left, 0);
  writeHex(right, 8);
  writeHex(mix(left + Math.imul(right, 0x9e3779b1)), 16);
  writeHex(mix(right ^ mix(left ^ key)), 24);
  return scratch.toString('latin1');
}

function writeHex(word: number, at: number): void {
  for (let digit = 0; digit < 8; digit++) scratch[at + digit] = HEX[(word >>> (28 - digit * 4)) & 15]!;
}

/** Turns weights into a lookup table: a random slot holds each index as often as its weight says. */
export function weightedTable(weights: readonly number[], size: number): Uint8Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Uint8Array(size);
  let cumulated = 0;
  let slot = 0;
  weights.forEach((weight, index) => {
    cumulated += weight;
    const end = Math.round((cumulated / total) * size);
    while (slot < end) table[slot++] = index;
  });
  return table;
}
