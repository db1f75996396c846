import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { z } from 'zod';
import { table, uniqueList } from './list.ts';

const SERVES = ['all', 'collector', 'pages', 'redirect'] as const;
/** The kernel's limit for the path of a unix socket. */
const UNIX_PATH_BYTES = 107;

/** Where the server listens, and what for. `address` is the text as given. */
export type Listener = { address: string; serves: (typeof SERVES)[number] } & Place;
type Place = { host: string; port: number; https?: true } | { unix: string };

const HTTPS = 'https://';
const ADDRESS_FORMS = 'HOST:PORT, [IPV6]:PORT, :PORT (all interfaces), one of these after https://, or unix:/PATH';

const place = z
  .string({ error: `an address as text: ${ADDRESS_FORMS}` })
  .trim()
  .transform((address, context) => {
    const parsed = parseAddress(address);
    if (typeof parsed !== 'string') return { address, ...parsed };
    context.issues.push({ code: 'custom', input: address, message: parsed });
    return z.NEVER;
  });

const listener = z.preprocess(
  fromText,
  table({
    address: place,
    serves: z.enum(SERVES, { error: '"all", "collector", "pages" or "redirect"' }).default('all'),
  }).transform(({ address, serves }): Listener => ({ ...address, serves })),
);

/** `["https://:8443", { address = ":8081", serves = "collector" }]`, or the text `https://:8443,:8081=collector`. */
export const listeners = uniqueList(listener, placeOf, 'every address once');

/** Back to the form that `listeners` reads, as a plain string where possible. */
export function listenersToToml(list: Listener[]) {
  return list.map(({ address, serves }) => {
    const plain = serves === 'all' && !address.includes('=');
    return plain ? address : { address, serves };
  });
}

export function takesRecords({ serves }: Listener): boolean {
  return serves === 'all' || serves === 'collector';
}

export function servesPages({ serves }: Listener): boolean {
  return serves === 'all' || serves === 'pages';
}

export function isHttps(listener: Listener): listener is Extract<Listener, { host: string }> & { https: true } {
  return 'https' in listener;
}

/**
 * The URL that other machines use, with this host's name if it listens on every address: `http://127.0.0.1:8080`,
 * `https://…`, or the path of a unix socket. `port` is the port that was really taken.
 */
export function urlOf(listener: Listener, port?: number): string {
  return urlBy(hostname(), listener, port);
}

/** The URL that this host uses, which may not be able to resolve its own name. */
export function localUrlOf(listener: Listener, port?: number): string {
  return urlBy('localhost', listener, port);
}

function urlBy(name: string, listener: Listener, port?: number): string {
  if ('unix' in listener) return `unix:${listener.unix}`;
  const host = isEveryAddress(listener.host) ? name : listener.host;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${isHttps(listener) ? 'https' : 'http'}://${shown}:${port ?? listener.port}`;
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function fromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const equals = raw.lastIndexOf('=');
  return equals < 0 ? { address: raw } : { address: raw.slice(0, equals), serves: raw.slice(equals + 1).trim() };
}

/** The place that `address` means, or what was expected of it. */
function parseAddress(address: string): Place | string {
  if (address.startsWith('unix:')) return parseUnix(address.slice('unix:'.length));
  if (!address.startsWith(HTTPS)) return parseHostAndPort(address);
  const place = parseHostAndPort(address.slice(HTTPS.length));
  return typeof place === 'string' ? place : { ...place, https: true };
}

function parseHostAndPort(address: string): { host: string; port: number } | string {
  if (address.includes('://')) return `an address without "http://": ${ADDRESS_FORMS}`;
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(address);
  if (!parts) return ADDRESS_FORMS;
  const [, v6, name = '', digits] = parts;
  const port = Number(digits);
  if (port > 65535) return 'a port from 1 to 65535 (0: any free one)';
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6.toLowerCase(), port } : 'an IPv6 address in the brackets';
  // '::' takes IPv4 connections as well.
  if (name === '') return { host: '::', port };
  return isHost(name) ? { host: name.toLowerCase(), port } : 'a host name or an IPv4 address before the port';
}

function parseUnix(path: string): Place | string {
  if (!path.startsWith('/') || path.includes('\0')) return 'an absolute path after "unix:"';
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES) return `a socket path of at most ${UNIX_PATH_BYTES} bytes`;
  return { unix: path };
}

function isHost(name: string): boolean {
  if (/^[0-9.]+$/.test(name)) return isIP(name) === 4;
  return name.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(name);
}

function placeOf(listener: Listener): string | undefined {
  if ('unix' in listener) return `unix:${listener.unix}`;
  // Port 0 is another port each time.
  return listener.port === 0 ? undefined : `${listener.host}:${listener.port}`;
}
