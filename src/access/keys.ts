import { createHash, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;

/** A random secret as text for addresses, cookies and headers. */
export function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

/** The stored form of a key. A plain hash is enough, because 256 random bits can't be guessed. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
