import { type AddressProblem, tryAddress } from './address-trial.ts';
import { type AppDependencies, createApp } from './app.ts';
import { bodyLimit, isCollectorPath, recordReceiver } from './collector/routes.ts';
import { isHttps, type Listener, takesRecords, urlOf } from './config/listener.ts';
import { OperatorError } from './errors.ts';
import { bodyRoom } from './http/body-room.ts';
import type { Connections } from './http/connections.ts';
import { type ListenOptions, type ListenPlace, listen } from './http/listen.ts';
import type { RecordService } from './http/service.ts';
import type { Unreadable } from './http/unreadable.ts';
import { logAnswer } from './web/access-log.ts';
import { answerToError } from './web/error-response.tsx';

export interface RunningServer {
  listener: Listener;
  /** `http://127.0.0.1:8080`, `https://…`, or the path of a unix socket. */
  url: string;
  /** Stops accepting and resolves when what is under way is answered, or after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/** Opens every listener; where one can't be opened, none stays open. */
export async function startServers(deps: AppDependencies & { connections: Connections }): Promise<RunningServer[]> {
  const { config, connections, log } = deps;
  const maxBodyBytes = bodyLimit(config.collector.max_payload) + 1024;
  const options: ListenOptions = {
    connections,
    room: bodyRoom(maxBodyBytes),
    maxBodyBytes,
    onUnreadable: request => reportUnreadable(deps, request),
    log,
  };
  const servers: RunningServer[] = [];
  try {
    for (const listener of config.http.listen)
      servers.push(await startServer({ ...deps, places: () => servers }, listener, options));
  } catch (error) {
    await Promise.all(servers.map(server => server.stop(0)));
    throw error;
  }
  return servers;
}

async function startServer(deps: AppDependencies, listener: Listener, options: ListenOptions): Promise<RunningServer> {
  const app = createApp(deps, listener);
  const records = takesRecords(listener) ? recordService(deps) : undefined;
  const service = { records, fetch: app.fetch };
  try {
    const { port, stop } = await listen(service, placeOf(listener, deps), options);
    return { listener, url: urlOf(listener, port), stop };
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

function placeOf(listener: Listener, { certificate }: AppDependencies): ListenPlace {
  if (!isHttps(listener)) return listener;
  return { ...listener, tls: { certificate: certificate!, asksForCertificates: takesRecords(listener) } };
}

/** Takes records by the shortest way; those that come in an unusual form go through the app. */
function recordService({ collector, config, log }: AppDependencies): RecordService {
  const receive = recordReceiver(collector, config);
  return {
    isPath: isCollectorPath,
    async answer(request) {
      const started = performance.now();
      const { path } = request;
      const address = config.log.access === 'all' ? request.peer.address : undefined;
      const answer = await receive(request).catch(error => {
        const { message, ...rest } = answerToError(error, { method: 'POST', path }, log);
        return { ...rest, json: { message } };
      });
      const { status } = answer;
      collector.metrics.answered(status, (performance.now() - started) / 1000);
      if (config.log.access === 'all') logAnswer(log, { method: 'POST', path, status, started, address });
      return answer;
    },
  };
}

function reportUnreadable({ collector, log }: AppDependencies, request: Unreadable) {
  collector.metrics.unreadable(request);
  const { address, reason, isPost } = request;
  log.limited(`unreadable ${isPost}`, isPost ? 'warn' : 'info', 'a request could not be read', { address, reason });
}
