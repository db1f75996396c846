import type { Context, MiddlewareHandler } from 'hono';
import type { Config } from '../config/settings.ts';
import { RequestError } from '../errors.ts';
import { isRead } from '../web/methods.ts';
import { isSecure } from './cookie.ts';

/** As a browser sends them, with a port. */
const NAMES_OF_THIS_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * A web page elsewhere can make its own name resolve to our address (DNS rebinding) and would be let in. So pages and API answer,
 * on a loopback listener (`loopback` is its host) only to a name of this host, on any other, once http.public_url is set, only to
 * that and to names of this host.
 */
export function requireKnownHost(loopback: string | undefined, publicUrl: string | undefined): MiddlewareHandler {
  const known = publicUrl === undefined ? undefined : new URL(publicUrl);
  const publicHost = known?.host;
  return async (c, next) => {
    const host = (c.req.header('host') ?? '').toLowerCase();
    const isPublic = known && withoutUsualPort(host, known.protocol) === publicHost;
    const isOurs = NAMES_OF_THIS_HOST.test(host) || isPublic || host.replace(/:\d+$/, '') === loopback;
    if ((loopback || publicHost) && !isOurs) {
      const names = loopback ? 'localhost, 127.0.0.1 and [::1]' : publicHost;
      throw new RequestError(
        403,
        `this address answers to ${names} only, not to ${JSON.stringify(host.slice(0, 100))}; ` +
          'http.public_url must be the URL that people use',
      );
    }
    await next();
  };
}

/** Clients may name the port of https in Host, or of http: URLs leave it out. */
function withoutUsualPort(host: string, protocol: string) {
  const usual = protocol === 'https:' ? ':443' : ':80';
  return host.endsWith(usual) ? host.slice(0, -usual.length) : host;
}

/** Requests that change something must come from our own pages: a browser says so in Sec-Fetch-Site or Origin. */
export function requireSameOrigin(publicUrl: string | undefined): MiddlewareHandler {
  const publicOrigin = publicUrl && new URL(publicUrl).origin;
  return async (c, next) => {
    // A token is never sent by a browser on its own.
    if (!isRead(c.req.method) && c.get('visitor')?.via !== 'token' && !isSameOrigin(c, publicOrigin)) {
      throw new RequestError(
        403,
        'this request did not come from a page of this server: Sec-Fetch-Site or Origin must say so',
      );
    }
    await next();
  };
}

/** A proxy may have put another name into Host. */
function isSameOrigin(c: Context, publicOrigin: string | undefined) {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = c.req.header('origin');
  if (origin === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  const host = (c.req.header('host') ?? '').toLowerCase();
  return from.host === withoutUsualPort(host, from.protocol) || from.origin === publicOrigin;
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers that keep a page from running, framing or leaking anything. */
export function securityHeaders(config: Config): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    if (isSecure(c, config)) c.header('Strict-Transport-Security', 'max-age=31536000');
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  };
}
