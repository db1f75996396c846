const WORDS = 8;

export interface TableSum {
  rows: number;
  sha256: string;
}

/**
 * The number of rows of a table and the XOR of their SHA-256 sums, which does not depend on their order. No two rows
 * are the same.
 */
export class TableDigest {
  #rows = 0;
  readonly #sum = new Uint32Array(WORDS);
  readonly #ofRow = new Uint32Array(WORDS);

  add(row: string) {
    Bun.SHA256.hash(row, new Uint8Array(this.#ofRow.buffer));
    for (let n = 0; n < WORDS; n++) this.#sum[n]! ^= this.#ofRow[n]!;
    this.#rows++;
  }

  sum(): TableSum {
    return { rows: this.#rows, sha256: Buffer.from(this.#sum.buffer).toString('hex') };
  }
}
