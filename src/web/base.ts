import type { Context } from 'hono';
import type { Config } from '../config/settings.ts';

/** A name or address with or without a port, which is safe in a script. Names of containers may have a `_`. */
const PLAIN_HOST =
  /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:]+\])(?::0*([1-9]\d{0,4}))?$/i;
const MOST_PORT = 65_535;

/** Where machines reach this server: `http.public_url`, else the address by which they ask; undefined where that makes no sense. */
export function baseOfRequest({ http }: Config, c: Context): string | undefined {
  if (http.public_url) return http.public_url.replace(/\/$/, '');
  const host = c.req.header('host') ?? '';
  const [plain, port] = PLAIN_HOST.exec(host) ?? [];
  if (plain === undefined || Number(port ?? 80) > MOST_PORT) return undefined;
  return `${new URL(c.req.url).protocol}//${host}`;
}
