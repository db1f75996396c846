import { type Context, Hono } from 'hono';
import type { PageFrame } from '../../views/layout.tsx';
import { pluginPath } from '../../views/parts/links.ts';
import { PluginFailed, type PluginFailedProps, PluginLeftOut } from '../../views/plugins/plugin.tsx';
import { isConnectionFailure } from '../db/sqlstates.ts';
import { errorResponse } from '../web/error-response.tsx';
import { isRead } from '../web/methods.ts';
import type { Site } from '../web/site.ts';
import { type PluginAnswer, PluginFailure } from './lifecycle.ts';
import { FACTS_HEADER, type Failure, type FrameFacts, OUTCOME_HEADER } from './plugin.ts';
import type { Plugins } from './plugins.ts';
import { findStatic } from './static.ts';

/** What a plugin is told of a request: neither cookies nor passwords. */
const REQUEST_HEADERS = [
  'accept',
  'accept-language',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'hx-current-url',
  'hx-request',
  'hx-target',
  'hx-trigger',
];
/** What a plugin may say about its answer: what protects pages is not among it. */
const RESPONSE_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'etag',
  'hx-location',
  'hx-push-url',
  'hx-redirect',
  'hx-refresh',
  'hx-replace-url',
  'hx-reswap',
  'hx-retarget',
  'hx-trigger',
  'last-modified',
  'location',
  'vary',
];

/** Hands requests to the plugins' processes; their static files are read here. */
export function pluginPages({ plugins, frame, asset, log }: Site & { plugins: Plugins }) {
  const app = new Hono();

  app.use(async (_, next) => {
    await plugins.ready;
    await next();
  });

  app.get('/:name/static/:path{.+}', async c => {
    const { name, path } = c.req.param();
    const file = plugins.find(name) && (await findStatic(plugins.folder(name), path));
    if (!file) return c.notFound();
    const headers = { 'Cache-Control': 'no-cache', ETag: file.etag };
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers);
    return c.body(file.bytes, 200, { ...headers, 'Content-Type': file.type });
  });

  // Not for a name of none, which may be anything.
  app.get('/:name/', c =>
    plugins.find(c.req.param('name')) ? c.redirect(pluginPath(c.req.param('name')), 301) : c.notFound(),
  );

  app.all('/:name/*', async c => {
    const name = c.req.param('name');
    const [made, body] = await Promise.all([frame(c), isRead(c.req.method) ? undefined : c.req.arrayBuffer()]);
    // From here to its question nothing waits: a plugin that is about to be replaced is still asked.
    const plugin = plugins.find(name);
    if (!plugin) return c.notFound();
    if (plugin.problem !== undefined) {
      return c.html(<PluginLeftOut frame={made} name={name} problem={plugin.problem} />, 503);
    }
    const page = { frame: made, name, title: plugin.title };
    try {
      const answer = await plugin.ask(pathOf(c), requestOf(c, made, body));
      const outcome = answer.headers.get(OUTCOME_HEADER);
      if (outcome === 'not-found') return c.notFound();
      if (outcome !== null) return failed(c, page, JSON.parse(new TextDecoder().decode(answer.body)));
      return responseOf(c, answer);
    } catch (error) {
      if (error instanceof PluginFailure) return failed(c, page, { reason: error.message }, error.message);
      throw error;
    }
  });

  /** Whose fault it was; where the database was away or too slow, as on every page. */
  function failed(c: Context, page: Omit<PluginFailedProps, 'reason'>, { reason, code }: Failure, shown?: string) {
    const { name } = page;
    log.error('a plugin failed', { plugin: name, method: c.req.method, path: c.req.path, reason });
    if (isConnectionFailure({ code })) return errorResponse(c, { code }, asset);
    c.header('Cache-Control', 'no-store');
    return c.html(<PluginFailed {...page} reason={shown} />, 500);
  }

  return app;
}

/** With the query, and the encoding that it came with. */
function pathOf(c: Context): string {
  return c.req.url.replace(/^[^/]+\/\/[^/]+/, '');
}

function requestOf(
  c: Context,
  { quarantined, kept, visitor, readonly, plugins }: PageFrame,
  body?: ArrayBuffer,
): RequestInit {
  // Nothing of a session gets out.
  const known = visitor && { via: visitor.via, name: visitor.name, role: visitor.role };
  const facts: FrameFacts = { quarantined, kept, visitor: known, readonly, plugins };
  const headers = new Headers({ [FACTS_HEADER]: encodeURIComponent(JSON.stringify(facts)) });
  for (const name of REQUEST_HEADERS) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return { method: c.req.method, headers, ...(body && { body }) };
}

function responseOf(c: Context, { status, headers, body }: PluginAnswer): Response {
  const kept = new Headers();
  for (const name of RESPONSE_HEADERS) {
    const value = headers.get(name);
    if (value !== null) kept.set(name, value);
  }
  const empty = c.req.method === 'HEAD' || body.length === 0;
  return new Response(empty ? null : body, { status, headers: kept });
}
