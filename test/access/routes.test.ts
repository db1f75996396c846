import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { post, testApp } from '../app.ts';
import { type AccountsApp, type As, accountsApp, EVERYONE, routesOf, SITE } from './accounts-app.ts';

/**
 * The permission that each route needs. A route missing here fails the first test: decide who may use it, and say so in
 * src/access/permission.ts.
 */
const ROUTES = {
  nothing: `
    GET /static/:name
    GET /probe/:tid
    GET /probe/:tid/:file
    OPTIONS /probe/:tid
    OPTIONS /probe/:tid/:file
    GET /abrt/:tid/reports/bthash/:hash
    GET /abrt/:tid/reports/bthash/:hash/
    POST /abrt/:tid/reports/attach
    POST /abrt/:tid/reports/attach/
    POST /abrt/:tid/reports/new
    POST /abrt/:tid/reports/new/
    GET /healthz
    GET /readyz
    GET /
    GET /v2/collector
    GET /v3/collector
    POST /
    POST /v2/collector
    POST /v3/collector
    DELETE /
    DELETE /v2/collector
    DELETE /v3/collector
    OPTIONS /
    OPTIONS /readyz
    OPTIONS /v2/collector
    OPTIONS /v3/collector
    PATCH /
    PATCH /v2/collector
    PATCH /v3/collector
    PUT /
    PUT /v2/collector
    PUT /v3/collector
    GET /telemetryui/login
    POST /telemetryui/login
    POST /telemetryui/logout
    GET /telemetryui/oidc
    GET /telemetryui/oidc/callback
    GET /telemetryui/help
    GET /telemetryui/help/:chapter
    GET /telemetryui/links/:key
    POST /telemetryui/links/:key`,
  read: `
    GET /api/builds
    GET /api/guilties
    GET /api/guilties/:id
    GET /api/guilties/:id/backtraces
    GET /api/mce
    GET /api/never-guilty
    GET /api/parsers
    GET /api/population
    GET /api/recomputations
    GET /api/recomputations/:id
    GET /api/records
    GET /api/records/:id
    GET /api/stats
    GET /api/thermal
    GET /api/updates
    GET /telemetryui
    GET /telemetryui/
    GET /telemetryui/account
    GET /telemetryui/builds
    GET /telemetryui/connect
    GET /telemetryui/connect/arrivals
    GET /telemetryui/crashes
    GET /telemetryui/crashes/:build
    GET /telemetryui/crashes/failed
    GET /telemetryui/crashes/guilty_details/:id
    GET /telemetryui/crashes/guilty_details/:id/backtraces
    GET /telemetryui/crashes/guilty_edit/
    GET /telemetryui/crashes/guilty_edit/add
    GET /telemetryui/crashes/guilty_edit/hidden
    GET /telemetryui/crashes/guilty_edit/remove
    GET /telemetryui/crashes/guilty_edit/reset
    GET /telemetryui/crashes/overall
    GET /telemetryui/crashes/recomputations/:id
    GET /telemetryui/crashes/recomputations/:id/progress
    GET /telemetryui/machines/:id
    GET /telemetryui/mce
    GET /telemetryui/parsers
    GET /telemetryui/population
    GET /telemetryui/quarantine
    GET /telemetryui/quarantine/:id
    GET /telemetryui/records
    GET /telemetryui/records/count
    GET /telemetryui/records/export/:file
    GET /telemetryui/records/record_details/:id
    GET /telemetryui/stats
    GET /telemetryui/status
    GET /telemetryui/thermal
    GET /telemetryui/update_matrix
    GET /telemetryui/updates
    POST /telemetryui/account/password
    POST /telemetryui/account/sessions`,
  metrics: `
    GET /api/status
    GET /metrics`,
  analyse: `
    POST /api/never-guilty
    DELETE /api/never-guilty/:id
    POST /api/recomputations
    POST /telemetryui/crashes/comments
    POST /telemetryui/crashes/guilty_edit/add
    POST /telemetryui/crashes/guilty_edit/apply
    POST /telemetryui/crashes/guilty_edit/preview
    POST /telemetryui/crashes/guilty_edit/remove
    POST /telemetryui/crashes/guilty_edit/submit
    POST /telemetryui/crashes/hidings
    POST /telemetryui/crashes/recomputations
    POST /telemetryui/crashes/retries
    POST /telemetryui/crashes/unhidings
    POST /telemetryui/parsers/retries
    POST /telemetryui/quarantine/discards
    POST /telemetryui/quarantine/replays`,
  administer: `
    GET /api/audit
    GET /telemetryui/audit
    GET /telemetryui/settings
    GET /telemetryui/tokens
    GET /telemetryui/users
    POST /telemetryui/tokens
    POST /telemetryui/tokens/removals
    POST /telemetryui/users
    POST /telemetryui/users/links
    POST /telemetryui/users/removals
    POST /telemetryui/users/roles`,
};

const MAY: Record<As, (keyof typeof ROUTES)[]> = {
  nobody: ['nothing'],
  viewer: ['nothing', 'read', 'metrics'],
  analyst: ['nothing', 'read', 'metrics', 'analyse'],
  admin: ['nothing', 'read', 'metrics', 'analyse', 'administer'],
  'records:read': ['nothing', 'read'],
  'analysis:write': ['nothing', 'analyse'],
  'metrics:read': ['nothing', 'metrics'],
};

const declared = Object.entries(ROUTES).flatMap(([need, list]) =>
  list
    .trim()
    .split(/\n\s*/)
    .map(route => ({ need: need as keyof typeof ROUTES, route })),
);

let server: AccountsApp;
beforeAll(async () => {
  server = await accountsApp();
  await post(server.app, { machine_id: 'one' });
});
afterAll(() => server.close());

const filled = (path: string) =>
  path.replace(':file', 'r.csv').replace(':name', 'app.js').replaceAll(/:\w+/g, '999999');

test('every route is declared here, and no others are', () => {
  expect(routesOf(server.app).sort()).toEqual(declared.map(({ route }) => route).sort());
});

describe.each(EVERYONE)('%s', as => {
  test.each(declared)('$route, which needs: $need', async ({ need, route }) => {
    const [method = '', path = ''] = route.split(' ');
    // Signing out would end the session for the tests that follow.
    const headers = path === '/telemetryui/logout' ? { Cookie: '' } : undefined;
    const answer = await server.ask(as, method, filled(path), { headers, form: method === 'POST' ? {} : undefined });
    const location = answer.headers.get('location') ?? '';
    if (MAY[as].includes(need)) {
      expect([401, 403, 500]).not.toContain(answer.status);
      if (path !== '/telemetryui/logout') expect(location).not.toStartWith('/telemetryui/login');
    } else if (as !== 'nobody') {
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain(
        `the role ${need === 'administer' ? 'admin' : need === 'analyse' ? 'analyst' : 'viewer'}`,
      );
    } else if (path.startsWith('/telemetryui')) {
      expect(answer.status).toBe(303);
      expect(location).toStartWith('/telemetryui/login');
      if (method === 'GET' && path !== '/telemetryui')
        expect(location).toContain(`?next=${encodeURIComponent(filled(path))}`);
    } else {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toStartWith('Bearer');
      expect(((await answer.json()) as { message: string }).message).toContain('sign in, or send a token');
    }
  });
});

test('if access is open, everyone may do everything', async () => {
  const open = await testApp();
  try {
    for (const { route } of declared) {
      const [method = '', path = ''] = route.split(' ');
      const headers = { Host: 'localhost:8080', 'Sec-Fetch-Site': 'same-origin' };
      const answer = await open.app.request(`${SITE}${filled(path)}`, { method, headers });
      expect([route, [401, 403, 500].includes(answer.status)]).toEqual([route, false]);
    }
  } finally {
    await open.close();
  }
});
