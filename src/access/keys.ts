import { createHash, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** A secret that nobody can guess, as text for addresses, cookies and headers. */
export function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

/** What is kept of a key. A plain hash will do: there is nothing to guess in 256 random bits. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
