import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { addressOf, recordAudit } from '../audit/audit.ts';
import { RequestError } from '../errors.ts';
import type { Site } from '../web/site.ts';
import { cookieName, isSecure } from './cookie.ts';
import { type OpenIdProvider, userOfProvider } from './oidc.ts';
import { ownPath, signIn } from './sign-in-pages.tsx';

const PATH = '/telemetryui/oidc';
const SECONDS = 600;

/** Signing in with an OpenID provider: GET / redirects to it, and it sends people back to GET /callback. */
export function oidcPages({ sql, config, provider }: Site) {
  return new Hono()
    .get('/', async c => {
      const { href, state } = await the(provider).begin(redirectUri(c), ownPath(c.req.query('next')));
      // Not strict, since the provider's answer comes from another site.
      const options = { httpOnly: true, sameSite: 'Lax', path: '/', secure: isSecure(c, config) } as const;
      setCookie(c, cookieName(c, config, 'sign-in'), state, { ...options, maxAge: SECONDS });
      return c.redirect(href, 303);
    })
    .get('/callback', async c => {
      const cookie = cookieName(c, config, 'sign-in');
      const state = getCookie(c, cookie);
      deleteCookie(c, cookie, { path: '/', secure: isSecure(c, config) });
      const url = new URL(redirectUri(c));
      url.search = new URL(c.req.url).search;
      const { claimed, next } = await the(provider).finish(url, state);
      const { role, name, groups } = claimed;
      if (role === undefined) {
        const actor = { who: name, via: 'provider', address: addressOf(c) };
        await recordAudit(sql, actor, { action: 'was not let in', after: { groups } });
        throw new RequestError(403, 'none of your groups may enter; an administrator can change oidc.roles');
      }
      const user = await sql.begin(async tx => {
        const known = await userOfProvider(tx, { ...claimed, role });
        const subject = `user ${known.name}`;
        const actor = { who: known.name, via: 'provider', address: addressOf(c) };
        const after = { role };
        if (known.before === null) await recordAudit(tx, actor, { action: 'added a user', subject, after });
        else if (known.before !== role)
          await recordAudit(tx, actor, { action: 'set the role', subject, before: { role: known.before }, after });
        return known;
      });
      await signIn(c, sql, config, { ...user, via: 'provider' });
      return c.redirect(next, 303);
    });

  function redirectUri(c: Context): string {
    return `${config.http.public_url ?? new URL(c.req.url).origin}${PATH}/callback`;
  }
}

function the(provider: OpenIdProvider | undefined): OpenIdProvider {
  if (!provider) throw new RequestError(404, 'no OpenID provider is configured');
  return provider;
}
