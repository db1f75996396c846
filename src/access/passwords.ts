import { z } from 'zod';
import { RequestError } from '../errors.ts';

/** OWASP's smallest recommendation for argon2id: signing in costs about 30 ms of one core. */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
const AT_ONCE = 2;
const MOST_WAITING = 100;
const LEAST_LENGTH = 10;
/** Hashing longer passwords would only cost time. */
const MOST_LENGTH = 256;

export const PASSWORD_RULE = `at least ${LEAST_LENGTH} characters, at most ${MOST_LENGTH}`;

export const newPassword = z
  .string({ error: `expected ${PASSWORD_RULE}` })
  .min(LEAST_LENGTH, `expected ${PASSWORD_RULE}`)
  .max(MOST_LENGTH, `expected ${PASSWORD_RULE}`);

let running = 0;
const waiting: (() => void)[] = [];

export function hashPassword(password: string): Promise<string> {
  return oneOfFew(() => Bun.password.hash(password, ARGON2ID));
}

/** Takes as long for an account that does not exist (`hash` null) as for one that does. Call it within oneOfFew. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  if (password.length > MOST_LENGTH) return false;
  const fits = await Bun.password.verify(password, hash ?? (await otherHash()));
  return fits && hash !== null;
}

let other: Promise<string> | undefined;

function otherHash(): Promise<string> {
  other ??= Bun.password.hash('nobody has this one', ARGON2ID);
  return other;
}

/** Limits hashing, so that a flood of sign-ins leaves processor and memory for records. */
export async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (waiting.length >= MOST_WAITING) throw new RequestError(503, 'too many people sign in at the moment; try again');
  if (running >= AT_ONCE) await new Promise<void>(resolve => waiting.push(resolve));
  running++;
  try {
    return await work();
  } finally {
    running--;
    waiting.shift()?.();
  }
}
