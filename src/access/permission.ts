import type { Permission } from '../roles.ts';
import { isRead } from '../web/methods.ts';

/** Paths open to anyone: signing in, and the manual. */
const OPEN_PATHS = /^\/telemetryui\/(login|logout|oidc|links|help)(\/|$)/;
const ADMIN_PATHS = /^\/(telemetryui\/(users|tokens|audit|settings)|api\/audit)(\/|$)/;
/** Paths where everyone manages their own account. */
const OWN_PATHS = /^\/telemetryui\/account(\/|$)/;

/**
 * The permission that a request to pages or API needs; undefined if none. Any path not named here needs a role that
 * depends on the method.
 */
export function permissionFor(method: string, path: string): Permission | undefined {
  if (OPEN_PATHS.test(path)) return undefined;
  if (ADMIN_PATHS.test(path)) return 'administer';
  if (OWN_PATHS.test(path)) return 'read';
  if (path === '/metrics' || path === '/api/status') return 'metrics';
  return isRead(method) ? 'read' : 'analyse';
}
