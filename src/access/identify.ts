import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Config } from '../config/settings.ts';
import type { Sql } from '../db/connect.ts';
import type { Database } from '../db/database.ts';
import { RequestError } from '../errors.ts';
import { may, needed, type Visitor } from '../roles.ts';
import { OF_MANUAL } from '../web/addresses.ts';
import { within } from '../web/patience.ts';
import { cookieName } from './cookie.ts';
import { originOf } from './forwarded.ts';
import { permissionFor } from './permission.ts';
import { visitorOfProxy } from './proxy.ts';
import { type SessionLimits, useSession } from './sessions.ts';
import { useToken } from './tokens.ts';
import { rememberWatchers } from './watchers.ts';

/** If it takes longer to learn who asks, the manual is shown as to someone who is not signed in. */
const MANUAL_WAITS_MS = 1_000;

const ANYONE: Visitor = { via: 'open', name: 'anyone', role: 'admin' };

export function sessionLimits({ access }: Config): SessionLimits {
  return { idleHours: access.session_idle, days: access.session_days };
}

/**
 * Finds out who sends a request and refuses what they may not do: 401 if nobody is signed in, 403 if their rights are
 * not enough.
 */
export function requirePermission(database: Database, config: Config, accounts: boolean): MiddlewareHandler {
  const limits = sessionLimits(config);
  const watchers = rememberWatchers();
  return async (c, next) => {
    c.set('address', originOf(c, config));
    const permission = permissionFor(c.req.method, c.req.path);
    let visitor: Visitor | undefined = ANYONE;
    if (accounts && permission === 'metrics')
      visitor = await watchers.visitor(c, () => visitorOf(c, database.health, config, limits));
    else if (accounts && OF_MANUAL.test(c.req.path))
      visitor = await within(MANUAL_WAITS_MS, visitorOf(c, database.sql, config, limits)).catch(() => undefined);
    else if (accounts) visitor = await visitorOf(c, database.sql, config, limits);
    c.set('visitor', visitor);
    if (permission === undefined || may(visitor, permission)) return await next();
    if (visitor) throw new RequestError(403, `this needs ${needed(permission)}`);
    if (c.req.path.startsWith('/telemetryui')) return toSignIn(c);
    c.header('WWW-Authenticate', 'Bearer realm="telemetricsd"');
    throw new RequestError(
      401,
      'sign in, or send a token: Authorization: Bearer TOKEN ("telemetricsd token add" makes one)',
    );
  };
}

async function visitorOf(c: Context, sql: Sql, config: Config, limits: SessionLimits): Promise<Visitor | undefined> {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '') ?? [];
  if (bearer !== undefined) {
    const token = await useToken(sql, bearer);
    if (token) return { via: 'token', name: `token ${token.name}`, scopes: token.scopes };
    c.header('WWW-Authenticate', 'Bearer realm="telemetricsd", error="invalid_token"');
    throw new RequestError(401, 'the token is unknown, expired or was removed');
  }
  const proxied = await visitorOfProxy(c, sql, config);
  if (proxied) return proxied;
  const key = getCookie(c, cookieName(c, config));
  const session = key === undefined ? undefined : await useSession(sql, key, limits);
  if (!session) return undefined;
  const { id: sessionId, userId, name, role } = session;
  return { via: 'session', name, role, userId, sessionId };
}

/** Redirects to the sign-in form, which leads back here. Tells a request for a part of a page to leave the page. */
function toSignIn(c: Context) {
  const { pathname, search } = new URL(c.req.url);
  const back = c.req.method === 'GET' && !c.req.header('hx-request') ? `${pathname}${search}` : '/telemetryui';
  const target = back === '/telemetryui' ? SIGN_IN : `${SIGN_IN}?${new URLSearchParams({ next: back })}`;
  if (!c.req.header('hx-request')) return c.redirect(target, 303);
  c.header('HX-Redirect', target);
  return c.body(null, 204);
}

export const SIGN_IN = '/telemetryui/login';
