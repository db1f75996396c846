import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import type { Config } from '../config/settings.ts';

const NAME = 'telemetricsd';
const DAY_S = 86_400;

/** Whether browsers reach us by TLS, ours or a proxy's. */
export function isSecure(c: Context, { http }: Config): boolean {
  return new URL(c.req.url).protocol === 'https:' || http.public_url?.startsWith('https:') === true;
}

/** With this prefix, browsers let only this host set the cookie; it needs TLS. */
export function cookieName(c: Context, config: Config, of?: 'sign-in'): string {
  const name = of ? `${NAME}-${of}` : NAME;
  return isSecure(c, config) ? `__Host-${name}` : name;
}

export function setSessionCookie(c: Context, config: Config, key: string) {
  setCookie(c, cookieName(c, config), key, {
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure(c, config),
    path: '/',
    maxAge: config.access.session_days * DAY_S,
  });
}

export function clearSessionCookie(c: Context, config: Config) {
  deleteCookie(c, cookieName(c, config), { path: '/', secure: isSecure(c, config) });
}
