import { isIP } from 'node:net';
import type { Context } from 'hono';
import { peerAddressOf } from '../audit/audit.ts';
import { networkMatcher, plainAddress } from '../config/network.ts';
import type { Config } from '../config/settings.ts';

const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

/** Whether the address is one of our proxies; null is a unix socket, which counts if `unix` is in the list. */
export function isTrusted(address: string | null, proxies: string[]): boolean {
  if (address === null) return proxies.includes('unix');
  return networkMatcher(proxies.filter(proxy => proxy !== 'unix'))(address);
}

/**
 * The address that a request came from, read from access.forwarded_header if our proxies sent it: the last address
 * there that is not a proxy's. Each proxy appends its client, and a client may make up what stands before.
 */
export function originOf(c: Context, { access }: Config): string | null {
  const peer = peerAddressOf(c);
  const told = access.forwarded_header === undefined ? undefined : c.req.header(access.forwarded_header);
  if (told === undefined || !isTrusted(peer, access.trusted_proxies)) return peer;
  const hops = told.split(',').map(text => text.trim());
  const hop = hops
    .map(text => text.replace(WITH_PORT, '$1$2'))
    .findLast(one => !isTrusted(one, access.trusted_proxies));
  return hop !== undefined && isIP(hop) !== 0 ? plainAddress(hop) : peer;
}
