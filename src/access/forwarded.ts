import { isIP } from 'node:net';
import type { Context } from 'hono';
import { peerAddressOf } from '../audit/audit.ts';
import { networkMatcher, plainAddress } from '../config/network.ts';
import type { Config } from '../config/settings.ts';

const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

/** Whether an address is one of our proxies; null, that of a unix socket, where `unix` is among them. */
export function isTrusted(address: string | null, proxies: string[]): boolean {
  if (address === null) return proxies.includes('unix');
  return networkMatcher(proxies.filter(proxy => proxy !== 'unix'))(address);
}

/**
 * Where a request came from, as our proxies tell it in access.forwarded_header: the last address there that is none of theirs,
 * since each appends who asked it, and what comes before may be made up.
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
