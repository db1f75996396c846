import { chmodSync, rmSync, statSync } from 'node:fs';
import { type AddressProblem, tryAddress } from './address-trial.ts';
import { type AppDependencies, createApp } from './app.ts';
import { quoted } from './collector/fields.ts';
import { bodyLimit, type CollectorBindings, PEER_GONE } from './collector/routes.ts';
import { isHttps, type Listener, takesRecords, urlOf } from './config/listener.ts';
import { plainAddress } from './config/network.ts';
import { OperatorError } from './errors.ts';
import { listenHttps } from './tls/listen.ts';

export interface RunningServer {
  listener: Listener;
  /** `http://127.0.0.1:8080`, `https://…`, or the path of a unix socket. */
  url: string;
  /** Stops accepting and resolves when what is under way is answered, or after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/** A sender that stalls for this long is dropped; a handler may take as long. */
const IDLE_TIMEOUT_S = 30;
/** Bun closes kept connections at once when it stops: first, clients in full flow are told to close them. */
const FAREWELL_MS = 100;

/** Opens every listener; where one can't be opened, none stays open. */
export async function startServers(deps: AppDependencies): Promise<RunningServer[]> {
  const servers: RunningServer[] = [];
  try {
    for (const listener of deps.config.http.listen)
      servers.push(await startServer({ ...deps, places: () => servers }, listener));
  } catch (error) {
    await Promise.all(servers.map(server => server.stop(0)));
    throw error;
  }
  return servers;
}

async function startServer(deps: AppDependencies, listener: Listener): Promise<RunningServer> {
  const app = createApp(deps, listener);
  let stopping = false;
  // A client that keeps its connection would otherwise go on sending until it is cut off in the middle of a request.
  const answer: Answer = async (request, bindings) => {
    const response = await app.fetch(request, bindings);
    if (stopping) response.headers.set('Connection', 'close');
    return response;
  };
  const server = await listen(answer, listener, deps);
  return {
    listener,
    url: urlOf(listener, server.port),
    async stop(deadlineMs) {
      stopping = true;
      await Bun.sleep(Math.min(FAREWELL_MS, deadlineMs));
      const stopped = server.stop().then(() => true);
      if (!(await Promise.race([stopped, Bun.sleep(deadlineMs).then(() => false)]))) await server.stop(true);
      if ('unix' in listener) rmSync(listener.unix, { force: true });
    },
  };
}

export type Answer = (request: Request, bindings: CollectorBindings) => Promise<Response>;

/** What takes connections. */
export interface Listening {
  port?: number | undefined;
  /** Stops accepting, and resolves when what is under way is answered; `force` cuts it off. */
  stop(force?: boolean): Promise<void>;
}

async function listen(answer: Answer, listener: Listener, deps: AppDependencies): Promise<Listening> {
  const maxBodySize = bodyLimit(deps.config.collector.max_payload) + 1024;
  try {
    if (!isHttps(listener)) return listenPlain(answer, listener, maxBodySize);
    return await listenHttps(answer, {
      host: listener.host,
      port: listener.port,
      certificate: deps.certificate!,
      takesRecords: takesRecords(listener),
      maxBodySize,
      idleTimeoutMs: IDLE_TIMEOUT_S * 1000,
      log: deps.log,
    });
  } catch (cause) {
    throw cantListen([sentenceOf(listener, cause as NodeJS.ErrnoException)], { cause });
  }
}

/** Before a database is made or started: throws, naming every address of http.listen at which nothing can listen now. */
export async function assertAddresses(listeners: Listener[]): Promise<void> {
  const problems = await Promise.all(listeners.map(tryAddress));
  const sentences = listeners.flatMap((listener, n) => (problems[n] ? [sentenceOf(listener, problems[n])] : []));
  if (sentences.length > 0) throw cantListen(sentences);
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EADDRNOTAVAIL: 'this host does not have that address',
  EACCES: 'this user may not',
  ENOTFOUND: 'there is no host of that name',
  ENOENT: 'its directory is not there',
  EROFS: 'its directory is on a read-only file system',
};

function sentenceOf(listener: Listener, { code = '', message }: AddressProblem): string {
  return `${listener.address} (${REASONS[code] ?? message})`;
}

function cantListen(sentences: string[], options?: ErrorOptions) {
  return new OperatorError(
    `can't listen on ${sentences.join(' and ')}`,
    'Stop what is there, or choose another address in http.listen (TELEMETRICSD_HTTP_LISTEN=127.0.0.1:8090, for example).',
    options,
  );
}

function listenPlain(answer: Answer, listener: Listener, maxRequestBodySize: number): Listening {
  if ('unix' in listener) {
    removeStaleSocket(listener.unix);
    const server = Bun.serve({
      unix: listener.unix,
      maxRequestBodySize,
      // Taken, though Bun's types have it for TCP alone.
      ...({ idleTimeout: IDLE_TIMEOUT_S } as object),
      fetch: request => answerWithUrl(answer, request, {}),
    });
    // A proxy in our group may connect, whatever the umask.
    chmodSync(listener.unix, 0o660);
    return server;
  }
  return Bun.serve({
    hostname: listener.host,
    port: listener.port,
    maxRequestBodySize,
    idleTimeout: IDLE_TIMEOUT_S,
    fetch: (request, server) =>
      answerWithUrl(answer, request, {
        // Few requests are asked where they came from.
        get address() {
          return plainAddress(server.requestIP(request)?.address ?? PEER_GONE);
        },
      }),
  });
}

/** Bun makes a request's URL of its Host, which HTTP/1.0 does not require and which may be nonsense. */
function answerWithUrl(answer: Answer, request: Request, bindings: CollectorBindings): Response | Promise<Response> {
  if (URL.canParse(request.url)) return answer(request, bindings);
  const host = request.headers.get('host');
  if (host) return Response.json({ message: `Host: got ${quoted(host)}, expected a host name` }, { status: 400 });
  return answer(new Request(`http://localhost${request.url}`, request), bindings);
}

/** A socket that an earlier run left behind would keep us from listening. */
function removeStaleSocket(path: string) {
  try {
    if (statSync(path).isSocket()) rmSync(path);
  } catch {
    // There is none.
  }
}
