import type { Context } from 'hono';
import type { Config } from '../config/settings.ts';

/** A name or address with or without a port, which is safe in a script. */
const PLAIN_HOST = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?$/i;

/** Where machines reach this server: `http.public_url`, else the address by which they ask; undefined where that makes no sense. */
export function baseOfRequest({ http }: Config, c: Context): string | undefined {
  if (http.public_url) return http.public_url.replace(/\/$/, '');
  const host = c.req.header('host') ?? '';
  return PLAIN_HOST.test(host) ? `${new URL(c.req.url).protocol}//${host}` : undefined;
}
