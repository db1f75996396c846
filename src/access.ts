import type { Context, MiddlewareHandler } from 'hono';
import { RequestError } from './errors.ts';

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * On a loopback listener, pages and API answer only to a name of this host: a web page elsewhere can make its own name
 * resolve to 127.0.0.1 (DNS rebinding) and would be let in otherwise. `publicUrl` names the host of a proxy in front.
 */
export function requireLocalHost(publicUrl: string | undefined): MiddlewareHandler {
  const publicHost = publicUrl && new URL(publicUrl).host.toLowerCase();
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (!LOOPBACK.test(host) && host.toLowerCase() !== publicHost) {
      throw new RequestError(
        403,
        `this address answers to localhost, 127.0.0.1 and [::1] only, not to ${JSON.stringify(host.slice(0, 100))}; ` +
          'a proxy in front needs http.public_url set to the URL that people use',
      );
    }
    await next();
  };
}

/** Requests that change something must come from our own pages: a browser says so in Sec-Fetch-Site or Origin. */
export function requireSameOrigin(): MiddlewareHandler {
  return async (c, next) => {
    if (!isRead(c.req.method) && !isSameOrigin(c)) {
      throw new RequestError(
        403,
        'this request did not come from a page of this server: Sec-Fetch-Site or Origin must say so',
      );
    }
    await next();
  };
}

function isRead(method: string) {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function isSameOrigin(c: Context) {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = c.req.header('origin');
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === c.req.header('host');
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
export function securityHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  };
}
