import { isIPv6 } from 'node:net';
import type { Queryable } from '../db/connect.ts';
import { RequestError } from '../errors.ts';
import { oneOfFew, verifyPassword } from './passwords.ts';

const MINUTES = 15;
/**
 * After this many failures within that time, an account refuses an address, an address may try no account, and an
 * account refuses addresses it does not know.
 */
const FROM_THERE = 5;
const OF_AN_ADDRESS = 30;
const OF_AN_ACCOUNT = 50;
/**
 * An address that signed in to the account within this many days is known: an attack from elsewhere does not lock it
 * out.
 */
const KNOWN_DAYS = 30;

/**
 * Whether a password is the account's (`hash` null: the account has none). Looks at earlier attempts only when its turn
 * comes, so that a thousand guesses sent at once are limited like guesses sent one by one.
 */
export function tryPassword(
  sql: Queryable,
  {
    account,
    address,
    password,
    hash,
  }: { account: string; address: string | null; password: string; hash: string | null },
): Promise<boolean> {
  return oneOfFew(async () => {
    await assertMayTry(sql, account, address);
    const fits = await verifyPassword(password, hash);
    if (!fits) await countFailure(sql, account, address);
    return fits;
  });
}

/**
 * Refuses (429) after too many wrong passwords. A refused attempt is not counted, so the refusal ends after a while.
 */
async function assertMayTry(sql: Queryable, account: string, address: string | null): Promise<void> {
  const from = networkOf(address);
  const [failed] = await sql<{ there: number; ofAddress: number; ofAccount: number; known: boolean }[]>`
    select count(*) filter (where account = lower(${account}) and address = ${from}) as there,
           count(*) filter (where address = ${from}) as "ofAddress",
           count(*) filter (where account = lower(${account})) as "ofAccount",
           exists (select from audit
                    where lower(who) = lower(${account}) and action = 'signed in' and address is not distinct from ${address}
                      and at > now() - make_interval(days => ${KNOWN_DAYS})) as known
      from sign_in_failures
     where (account = lower(${account}) or address = ${from}) and at > now() - make_interval(mins => ${MINUTES})`;
  const { there, ofAddress, ofAccount, known } = failed!;
  if (there < FROM_THERE && ofAddress < OF_AN_ADDRESS && (known || ofAccount < OF_AN_ACCOUNT)) return;
  throw new RequestError(
    429,
    `too many wrong passwords; try again in ${MINUTES} minutes, or let an administrator make a link ("telemetricsd user password")`,
  );
}

async function countFailure(sql: Queryable, account: string, address: string | null) {
  await sql`insert into sign_in_failures (account, address) values (lower(${account}), ${networkOf(address)})`;
}

/** The owner of one IPv6 address usually has all addresses with the same first 64 bits. */
function networkOf(address: string | null): string {
  if (address === null) return 'socket';
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length;
  return [...groups, ...new Array(missing).fill('0'), ...(tail ?? '').split(':')].slice(0, 4).join(':');
}
