import type { Permission } from '../roles.ts';
import { isRead } from '../web/methods.ts';

/** What anyone may ask for: to get in, and the manual. */
const OPEN_PATHS = /^\/telemetryui\/(login|logout|oidc|links|help)(\/|$)/;
const ADMIN_PATHS = /^\/(telemetryui\/(users|tokens|audit|settings)|api\/audit)(\/|$)/;
/** What everyone does with an account of their own. */
const OWN_PATHS = /^\/telemetryui\/account(\/|$)/;

/** What a request to a page or to the API needs; undefined: nothing. Whatever is not named here needs a role by its method. */
export function permissionFor(method: string, path: string): Permission | undefined {
  if (OPEN_PATHS.test(path)) return undefined;
  if (ADMIN_PATHS.test(path)) return 'administer';
  if (OWN_PATHS.test(path)) return 'read';
  if (path === '/metrics' || path === '/api/status') return 'metrics';
  return isRead(method) ? 'read' : 'analyse';
}
