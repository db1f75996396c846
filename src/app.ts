import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import { abrtRoutes } from './abrt/routes.ts';
import { accountPages } from './access/account-pages.tsx';
import { requirePermission } from './access/identify.ts';
import { openIdProvider } from './access/oidc.ts';
import { oidcPages } from './access/oidc-pages.ts';
import { signInPages } from './access/sign-in-pages.tsx';
import { tokenPages } from './access/token-pages.tsx';
import { userPages } from './access/user-pages.tsx';
import { requireKnownHost, requireSameOrigin, securityHeaders } from './access/web-safety.ts';
import { auditApi, auditPages, settingsPages } from './audit/pages.tsx';
import { buildsApi, buildsPages } from './builds/pages.tsx';
import type { Collector } from './collector/collector.ts';
import { summariseQuarantine } from './collector/quarantine.ts';
import { quarantinePages } from './collector/quarantine-pages.tsx';
import { collectorRoutes, pathOf } from './collector/routes.ts';
import { loopbackHost, needsAccounts } from './config/access-mode.ts';
import { type Listener, servesPages, takesRecords } from './config/listener.ts';
import type { Config } from './config/settings.ts';
import { connectPages } from './connect/pages.tsx';
import { guiltiesApi, neverGuiltyApi, recomputationsApi } from './crashes/api.ts';
import { neverGuiltyPages } from './crashes/edit-pages.tsx';
import { crashPages } from './crashes/pages.tsx';
import { crashJson, crashOfRecord } from './crashes/record-crash.ts';
import type { Database } from './db/database.ts';
import { pendingMigrations } from './db/migrate.ts';
import { RequestError } from './errors.ts';
import { helpPages } from './help/pages.tsx';
import type { Connections } from './http/connections.ts';
import type { Peer } from './http/peer.ts';
import type { Log } from './log.ts';
import { machinePages } from './machines/pages.tsx';
import { mceApi, mcePages } from './mce/pages.tsx';
import { metricsRoutes } from './metrics/routes.ts';
import { overviewPages } from './overview/pages.tsx';
import { parsersApi, parsersPages } from './parsers/pages.tsx';
import type { Parsers } from './parsers/parsers.ts';
import { parsedOfRecord, withParsed } from './parsers/shown.ts';
import { pluginPages } from './plugins/pages.tsx';
import type { Plugins } from './plugins/plugins.ts';
import { populationApi, populationPages } from './population/pages.tsx';
import { probeRoutes } from './probe/routes.ts';
import { recordsApi } from './records/api.ts';
import { exportRoutes } from './records/export-routes.ts';
import { recordsPages } from './records/pages.tsx';
import { keptRecords } from './records/queries.ts';
import { createSearcher } from './records/searcher.ts';
import type { DiskStatus } from './retention/disk-reserve.ts';
import { statsApi, statsPages } from './stats/pages.tsx';
import { tellsOfSilence, UNCOMMITTED_SECONDS } from './status/checks.ts';
import { statusApi, statusPages } from './status/pages.tsx';
import { thermalApi, thermalPages } from './thermal/pages.tsx';
import type { ServedCertificate } from './tls/certificate.ts';
import { redirectToHttps } from './tls/redirect.ts';
import { updatesApi, updatesPages } from './updates/pages.tsx';
import { accessLog } from './web/access-log.ts';
import { nothingThere, OF_MANUAL, pagesElsewhere, type ServedAddress } from './web/addresses.ts';
import { loadAssets } from './web/assets.ts';
import { errorResponse } from './web/error-response.tsx';
import { bareFrame, frameMaker } from './web/frame.ts';
import { notFound } from './web/not-found.ts';
import { PATIENCE, type Patience, patiently, within } from './web/patience.ts';
import type { Site } from './web/site.ts';

export interface AppDependencies {
  config: Config;
  database: Database;
  collector: Collector;
  log: Log;
  plugins?: Plugins;
  parsers?: Parsers;
  /** The certificate of the https:// listeners. */
  certificate?: ServedCertificate | undefined;
  connections?: Connections | undefined;
  /** The free space beside the built-in PostgreSQL at the last check. */
  disk?: () => DiskStatus | undefined;
  /** Called when crash analysis or a recomputation has something to do. */
  onWork?: () => void;
  /** The configuration in force as text, shown to admins. */
  settings?: string;
  /** The command that writes sample data into the same database. */
  demoCommand?: string;
  /** The addresses that this server serves, once it serves them. */
  places?: () => ServedAddress[];
  patience?: Patience;
}

/** Forms are small; records do not come this way. */
const FORM_BYTES = 256 * 1024;
/** Health checks ask again after a few seconds, so they get an answer before that. */
const READY_WITHIN_MS = 2_500;

export type App = Hono<{ Bindings: Peer }>;

/** Everything that one listener serves. */
export function createApp(deps: AppDependencies, listener: Listener): App {
  const { config, database, collector, log, places = () => [] } = deps;
  const assets = loadAssets();
  const app: App = new Hono<{ Bindings: Peer }>({ getPath: pathOf });

  if (config.log.access !== 'off') app.use(accessLog(config.log.access, log));
  app.get('/healthz', c => c.text('alive\n'));
  // HAProxy sends OPTIONS by default.
  app.on(['GET', 'OPTIONS'], '/readyz', async c => {
    database.assertAvailable();
    c.header('Allow', 'GET, HEAD, OPTIONS');
    const pending = await within(READY_WITHIN_MS, pendingMigrations(database.health));
    if (pending.length > 0) return c.text(`${pending.length} migrations are pending\n`, 503);
    if (collector.waiting > 0 && collector.waitingSeconds > UNCOMMITTED_SECONDS)
      return c.text(`records wait to be committed, one for ${Math.round(collector.waitingSeconds)} s\n`, 503);
    return c.text('ready\n');
  });
  if (takesRecords(listener))
    app.route(
      '/',
      collectorRoutes(collector, config, servesPages(listener) ? undefined : () => pagesElsewhere(config, places())),
    );
  if (takesRecords(listener)) app.route('/probe', probeRoutes(config));
  if (takesRecords(listener)) app.route('/abrt', abrtRoutes({ config, collector, sql: database.sql, log, listener }));
  if (servesPages(listener)) app.route('/', pages(deps, listener, assets));
  if (listener.serves === 'redirect') app.all('*', redirectToHttps(config));

  app.notFound(
    notFound({
      app,
      listener,
      collector,
      asset: assets.href,
      nothingThere: (method, path) => nothingThere(method, path, listener, config, places()),
    }),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    return errorResponse(c, error, assets.href, log);
  });
  return app;
}

function pages(
  {
    config,
    database,
    collector,
    certificate,
    connections,
    log,
    plugins,
    parsers,
    onWork = () => {},
    disk = () => undefined,
    settings = '',
    demoCommand = 'npm run demo',
    patience = PATIENCE,
  }: AppDependencies,
  listener: Listener,
  assets: ReturnType<typeof loadAssets>,
) {
  const app = new Hono();
  const searcher = createSearcher(database);
  const made = { crashOfRecord, crashJson, parsedOfRecord, withParsed };
  const frame = frameMaker(assets.href, async () => {
    const [{ entries: quarantined }, kept] = await Promise.all([
      summariseQuarantine(database.sql),
      keptRecords(database.sql),
    ]);
    return { quarantined, kept, plugins: plugins?.tabs() ?? [] };
  });
  const bare = (c: Context) => bareFrame(c, assets.href);
  const watched = { config, collector, disk, certificate, connections, plugins, parsers };
  const inTime = patiently(patience);
  app.get('/static/:name', compress(), c => {
    const asset = assets.find(c.req.param('name'));
    if (!asset) return c.notFound();
    return c.body(asset.text, 200, {
      'Content-Type': asset.type,
      'Cache-Control': c.req.query('v') ? 'public, max-age=31536000, immutable' : 'no-cache',
      'X-Content-Type-Options': 'nosniff',
    });
  });
  for (const path of ['/telemetryui/*', '/api/*', '/metrics']) {
    app.use(path, securityHeaders(config), compress());
    app.use(
      path,
      bodyLimit({
        maxSize: FORM_BYTES,
        onError: () => {
          throw new RequestError(413, 'a form or a body may have at most 256 KB');
        },
      }),
    );
    app.use(path, requireKnownHost(loopbackHost(listener), config.http.public_url));
    if (path !== '/metrics') app.use(path, inTime);
    app.use(path, async (c, next) => {
      if (!tellsOfSilence(c.req.path) && !OF_MANUAL.test(c.req.path)) database.assertAvailable();
      await next();
    });
    app.use(
      path,
      requirePermission(database, config, needsAccounts(config)),
      requireSameOrigin(config.http.public_url),
      async (_, next) => {
        await collector.counted();
        await next();
      },
    );
  }
  app.get('/telemetryui/', c => c.redirect('/telemetryui', 301));
  app.get('/', c => c.redirect('/telemetryui', 302));
  const provider = openIdProvider(database.sql, config, log);
  const site: Site = {
    config,
    database,
    sql: database.sql,
    frame,
    bare,
    asset: assets.href,
    log,
    collector,
    searcher,
    made,
    parsers,
    plugins,
    provider,
    watched,
    onWork,
    settings,
    demoCommand,
  };
  for (const [path, routes] of SITE) app.route(path, routes(site));
  if (plugins) app.route('/telemetryui/plugins', pluginPages({ ...site, plugins }));
  return app;
}

/** Pages and API, by their paths. */
const SITE: [path: string, routes: (site: Site) => Hono][] = [
  ['/telemetryui', signInPages],
  ['/telemetryui/oidc', oidcPages],
  ['/telemetryui/account', accountPages],
  ['/telemetryui/users', userPages],
  ['/telemetryui/tokens', tokenPages],
  ['/telemetryui/audit', auditPages],
  ['/telemetryui/settings', settingsPages],
  ['/telemetryui', overviewPages],
  ['/telemetryui/records/export', exportRoutes],
  ['/telemetryui/records', recordsPages],
  ['/telemetryui/machines', machinePages],
  ['/telemetryui/crashes', neverGuiltyPages],
  ['/telemetryui/crashes', crashPages],
  ['/telemetryui/builds', buildsPages],
  ['/telemetryui/stats', statsPages],
  ['/telemetryui/mce', mcePages],
  ['/telemetryui/thermal', thermalPages],
  ['/telemetryui/updates', updatesPages],
  ['/telemetryui/update_matrix', updatesPages],
  ['/telemetryui/population', populationPages],
  ['/telemetryui/quarantine', quarantinePages],
  ['/telemetryui/parsers', parsersPages],
  ['/telemetryui/connect', connectPages],
  ['/telemetryui/help', helpPages],
  ['/telemetryui/status', statusPages],
  ['/metrics', metricsRoutes],
  ['/api/status', statusApi],
  ['/api/audit', auditApi],
  ['/api/parsers', parsersApi],
  ['/api/records', recordsApi],
  ['/api/builds', buildsApi],
  ['/api/stats', statsApi],
  ['/api/mce', mceApi],
  ['/api/thermal', thermalApi],
  ['/api/updates', updatesApi],
  ['/api/population', populationApi],
  ['/api/guilties', guiltiesApi],
  ['/api/never-guilty', neverGuiltyApi],
  ['/api/recomputations', recomputationsApi],
];
