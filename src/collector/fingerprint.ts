import type { Report } from '../records/record.ts';

/**
 * Identifies a record that arrives again from the same machine: 128 bits of a SHA-256 over event id, classification,
 * capture time and the received payload bytes, as 32 hexadecimal digits.
 */
export function recordFingerprint(report: Report, payloadBytes: Uint8Array): string {
  return new Bun.CryptoHasher('sha256')
    .update(`${report.eventId ?? ''}\0${report.classification}\0${report.capturedAt}\0`)
    .update(payloadBytes)
    .digest('hex')
    .slice(0, 32);
}

/** Identifies a refused request that arrives again, by its TID, the headers that matter, and its body. */
export function requestFingerprint(tid: string, headers: readonly [string, string][], body: Uint8Array): string {
  const hasher = new Bun.CryptoHasher('sha256').update(`${tid}\0`);
  for (const [name, value] of [...headers].sort()) hasher.update(`${name}\0${value}\0`);
  return hasher.update(body).digest('hex').slice(0, 32);
}
