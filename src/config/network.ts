import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const FORM = 'an address or a network such as "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32"';

/** Addresses and networks in CIDR notation. */
export const networks = z.array(z.string({ error: FORM }).trim().refine(isNetwork, { error: FORM }), {
  error: `a list of addresses or networks, each ${FORM}`,
});

export function isNetwork(text: string): boolean {
  const [address, bits, ...rest] = text.split('/') as [string, string?, ...string[]];
  const version = isIP(address);
  // An address with a zone, such as fe80::1%eth0, means something on one machine only.
  if (version === 0 || address.includes('%') || rest.length > 0) return false;
  return bits === undefined || (/^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** Returns whether an address is in one of the networks; an IPv4 address may also come as `::ffff:10.1.2.3`. */
export function networkMatcher(list: readonly string[]): (address: string) => boolean {
  const within = new BlockList();
  for (const network of list) {
    const [address, bits] = network.split('/') as [string, string?];
    within.addSubnet(address, Number(bits ?? (isIP(address) === 4 ? 32 : 128)), family(address));
  }
  return address => {
    const plain = address.replace(/%.*/, '');
    return isIP(plain) !== 0 && within.check(plain, family(plain));
  };
}

/** An IPv4 address in its usual form; a socket for both kinds reports `::ffff:10.1.2.3`. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function family(address: string) {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
