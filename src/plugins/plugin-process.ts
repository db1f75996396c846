import { dirname } from 'node:path';
import * as hono from 'hono';
import * as httpException from 'hono/http-exception';
import * as jsx from 'hono/jsx';
import * as jsxDev from 'hono/jsx/jsx-dev-runtime';
import * as jsxRuntime from 'hono/jsx/jsx-runtime';
import { z } from 'zod';
import { pluginPath } from '../../views/parts/links.ts';
import { endWithParent } from '../children/end-with-parent.ts';
import { describeBriefly, describeFully, isOutOfMemory } from '../children/foreign-error.ts';
import { limitMemory } from '../children/limits.ts';
import { goAfterOthers } from '../children/manners.ts';
import { inputLines, keepStdoutForAnswers, READY } from '../children/serve-lines.ts';
import { connect, type Sql } from '../db/connect.ts';
import type { Role } from '../roles.ts';
import { PROGRAM_VERSION } from '../version.ts';
import { loadAssets } from '../web/assets.ts';
import { type PluginFrame, pluginModule } from './module.tsx';
import {
  FACTS_HEADER,
  type Failure,
  type FrameFacts,
  type LoadRequest,
  OUTCOME_HEADER,
  type PluginLoaded,
} from './plugin.ts';

/** The first argument that makes the executable run a plugin instead of a command. */
export const PLUGIN_ARGUMENT = 'plugin-process';

const MORE_MEMORY_BYTES = 512 * 2 ** 20;
const CONNECTIONS = 2;
/** Less than the patience for a request. */
const DEADLINE_MS = 8_000;

/** What a plugin's handlers find in `c.env`. */
export interface PluginEnv {
  sql: Sql;
  frame: PluginFrame;
  user: { name: string; role: Role } | undefined;
  base: string;
}

/**
 * Runs a view plugin: the first line on stdin is a `LoadRequest`, its answer on stdout is `PluginLoaded`. Then the plugin answers
 * requests on its socket until it is killed.
 */
export async function servePlugin(): Promise<void> {
  const answer = keepStdoutForAnswers();
  endWithParent();
  limitMemory(MORE_MEMORY_BYTES);
  goAfterOthers();
  answer(READY);
  const { value: line } = inputLines().next();
  if (line === undefined) return;
  const request: LoadRequest = JSON.parse(line);
  provideModules();
  let plugin: Exported;
  try {
    plugin = await load(request.source);
    listen(plugin, request);
  } catch (error) {
    const problem = error instanceof Mistake ? error.message : describeFully(error);
    return answer(JSON.stringify({ problem } satisfies PluginLoaded));
  }
  answer(JSON.stringify({ title: plugin.title } satisfies PluginLoaded));
  await new Promise(() => {});
}

/** A plugin has no packages beside it: what it imports is what this program carries. */
function provideModules() {
  const modules: Record<string, object> = {
    telemetricsd: pluginModule,
    hono,
    'hono/http-exception': httpException,
    'hono/jsx': jsx,
    'hono/jsx/jsx-runtime': jsxRuntime,
    'hono/jsx/jsx-dev-runtime': jsxDev,
    // What JSX becomes where no tsconfig.json is found.
    'react/jsx-runtime': jsxRuntime,
    'react/jsx-dev-runtime': jsxDev,
  };
  Bun.plugin({
    name: 'telemetricsd',
    setup(builder) {
      for (const [name, exports] of Object.entries(modules))
        builder.module(name, () => ({ exports: { ...exports }, loader: 'object' }));
    },
  });
}

const TITLE = 'it exports no "title", a text of 1 to 40 printable characters';
const exported = z.object({
  title: z.string(TITLE).regex(/^[^\p{C}]{1,40}$/u, TITLE),
  app: z.custom<hono.Hono<{ Bindings: PluginEnv }>>(
    value => value instanceof hono.Hono,
    'it exports no "app", a Hono of the package "hono"',
  ),
});
type Exported = z.output<typeof exported>;

async function load(source: string): Promise<Exported> {
  const result = exported.safeParse(await import(source));
  if (result.success) return result.data;
  throw new Mistake(result.error.issues.map(({ message }) => message).join('; '));
}

/** Of the plugin, in words of ours. */
class Mistake extends Error {}

function listen({ app }: Exported, { name, source, socket, database }: LoadRequest) {
  const base = pluginPath(name);
  const assets = loadAssets();
  const sql = connect({
    target: database,
    connections: CONNECTIONS,
    name: `plugin ${name}`,
    deadlineMs: DEADLINE_MS,
    settings: {
      default_transaction_read_only: 'on',
      // A transaction that is left open would keep retention from dropping a day.
      idle_in_transaction_session_timeout: '5s',
      // The query of a process that was killed ends with it.
      client_connection_check_interval: '1s',
    },
  });
  const root = new hono.Hono<{ Bindings: PluginEnv }>();
  root.route(base, app);
  root.notFound(() => new Response(null, { status: 404, headers: { [OUTCOME_HEADER]: 'not-found' } }));
  root.onError(error => {
    if (error instanceof httpException.HTTPException) return error.getResponse();
    const { code } = error as { code?: unknown };
    const failure: Failure = {
      reason: describeBriefly(error, dirname(source)),
      code: typeof code === 'string' ? code : undefined,
    };
    return Response.json(failure, {
      status: 500,
      headers: { [OUTCOME_HEADER]: isOutOfMemory(error) ? 'exhausted' : 'failed' },
    });
  });
  Bun.serve({
    unix: socket,
    fetch(request) {
      const facts: FrameFacts = JSON.parse(decodeURIComponent(request.headers.get(FACTS_HEADER)!));
      const frame = { ...facts, plugin: name, asset: assets.href, version: PROGRAM_VERSION, now: new Date() };
      return root.fetch(request, { sql, frame, user: userOf(facts), base });
    },
  });
}

function userOf({ visitor }: FrameFacts): PluginEnv['user'] {
  return visitor && visitor.via !== 'open' ? { name: visitor.name, role: visitor.role } : undefined;
}

if (import.meta.main) await servePlugin();
