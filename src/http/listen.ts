import { once } from 'node:events';
import { chmodSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { plainAddress } from '../config/network.ts';
import type { Log } from '../log.ts';
import type { ServedCertificate } from '../tls/certificate.ts';
import type { BodyRoom } from './body-room.ts';
import type { Connection, Connections } from './connections.ts';
import { MAX_HEAD_BYTES } from './head.ts';
import { peerOf } from './peer.ts';
import { serveRecords } from './record-connection.ts';
import { requestListener } from './requests.ts';
import type { Service } from './service.ts';
import { answerUnreadable, type ParseError, type Unreadable, unreadable } from './unreadable.ts';

/** Where a listener takes connections. */
export type ListenPlace = { unix: string } | { host: string; port: number; tls?: TlsOptions | undefined };

interface TlsOptions {
  certificate: ServedCertificate;
  /** Machines may show certificates here. */
  asksForCertificates: boolean;
}

export interface ListenOptions {
  /** Those of all listeners. */
  connections: Connections;
  room: BodyRoom;
  maxBodyBytes: number;
  onUnreadable(request: Unreadable): void;
  log: Log;
}

/** What takes connections. */
interface Listening {
  /** Absent on unix sockets. */
  port: number | undefined;
  /** Stops accepting and resolves when what is under way is answered, or cut off after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/** Before connections are closed, clients in full flow are told to close them. */
const FAREWELL_MS = 100;
/** A kept connection is closed after so long; clients are told, so that none sends a request at that moment. */
const KEEP_ALIVE_MS = 30_000;
/** With forward secrecy and authenticated encryption; TLS 1.3 has no others. */
const CIPHERS_OF_TLS_12 = 'ECDHE+AESGCM:ECDHE+CHACHA20';

/**
 * Serves at a place. Bun.serve would answer 400 to a control character in a header and tell nobody, a listening server of node:http
 * would take far longer over each record, and neither can change its certificate. So connections are taken as such: `serveRecords`
 * reads those that bring records, an HTTP server that does not listen reads the others.
 */
export async function listen(service: Service, place: ListenPlace, options: ListenOptions): Promise<Listening> {
  const { connections, room, maxBodyBytes, onUnreadable, log } = options;
  const kind = 'unix' in place ? 'unix' : place.tls ? 'tls' : 'plain';
  const own = new Set<Connection>();
  const handedOver = new WeakMap<Socket, RequestListener>();
  let closing = false;
  const isClosing = () => closing;
  const others = createHttpServer({
    httpValidation: 'relaxed',
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Connections are watched here.
    headersTimeout: 0,
    requestTimeout: 0,
  });
  // A client may have sent all and wait for the answer. Bun's types do not have it.
  Object.assign(others, { httpAllowHalfOpen: true });
  others.on('request', (incoming, outgoing) => handedOver.get(incoming.socket)!(incoming, outgoing));
  others.on('clientError', (error: ParseError, socket: Socket) => {
    const request = unreadable(error, peerOf(socket, kind).address ?? null);
    if (request) onUnreadable(request);
    if (request && socket.writable) answerUnreadable(socket, error, request);
    else socket.destroy();
  });
  const server = serverAt(place, take, begin, log);

  /** Undefined where there is no place for it. */
  function take(socket: Socket): Connection | undefined {
    const connection = connections.add(socket);
    if (!connection) return undefined;
    own.add(connection);
    socket.once('close', () => own.delete(connection));
    return connection;
  }

  function begin(connection: Connection) {
    const { socket } = connection;
    const { records } = service;
    const peer = peerOf(socket, kind);

    function handOver(read?: Buffer) {
      const scheme = kind === 'tls' ? 'https' : 'http';
      const { fetch } = service;
      handedOver.set(socket, requestListener({ fetch, scheme, room, maxBodyBytes, isClosing, log }, connection, peer));
      socket.pause();
      if (read) socket.unshift(read);
      others.emit('connection', socket);
      socket.resume();
    }

    if (records) serveRecords(socket, { records, room, connection, peer, isClosing, log, handOver });
    else handOver();
  }

  if ('unix' in place) removeStaleSocket(place.unix);
  if ('unix' in place) server.listen(place.unix);
  else server.listen(place.port, place.host);
  await once(server, 'listening');
  server.on('error', error =>
    log.limited('accept', 'error', 'a connection could not be taken', { reason: error.message }),
  );
  // A proxy in our group may connect, whatever the umask.
  if ('unix' in place) chmodSync(place.unix, 0o660);

  return {
    port: 'unix' in place ? undefined : (server.address() as AddressInfo).port,
    async stop(deadlineMs) {
      closing = true;
      await Bun.sleep(Math.min(FAREWELL_MS, deadlineMs));
      server.close();
      const closed = [...own].map(({ socket }) => new Promise(resolve => socket.once('close', resolve)));
      for (const { phase, socket } of own) if (phase === 'idle') socket.destroy();
      await Promise.race([Promise.all(closed), Bun.sleep(deadlineMs)]);
      for (const { socket } of own) socket.destroy();
      if ('unix' in place) rmSync(place.unix, { force: true });
    },
  };
}

/** A server that does not listen yet. It calls `take` with each connection, and `begin` once requests may come on it. */
function serverAt(
  place: ListenPlace,
  take: (socket: Socket) => Connection | undefined,
  begin: (connection: Connection) => void,
  log: Log,
): Server {
  if ('unix' in place || !place.tls) {
    return createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      const connection = take(socket);
      if (connection) begin(connection);
    });
  }
  const { certificate, asksForCertificates } = place.tls;
  const { pair } = certificate;
  const waiting = new WeakMap<Socket, Connection>();
  const server = createTlsServer({
    cert: pair.cert,
    key: pair.key,
    ca: pair.ca,
    ciphers: CIPHERS_OF_TLS_12,
    requestCert: asksForCertificates && pair.ca !== undefined,
    // A fleet that needs no certificate is let in with any; the collector refuses the others and says why.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1', 'http/1.0'],
    allowHalfOpen: true,
  });
  server.on('connection', (socket: Socket) => {
    const connection = take(socket);
    if (connection) waiting.set(socket, connection);
  });
  server.on('secureConnection', socket => {
    const connection = waiting.get(socket);
    if (connection) begin(connection);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Load balancers look whether a port is open in this way.
    if (error.code === 'ECONNRESET') return;
    log.limited('TLS', 'info', 'a TLS handshake failed', {
      address: plainAddress(socket.remoteAddress ?? ''),
      reason: error.message,
    });
  });
  certificate.onPair(({ cert, key, ca }) => server.setSecureContext({ cert, key, ca, ciphers: CIPHERS_OF_TLS_12 }));
  return server;
}

/** A socket that an earlier run left behind would keep us from listening. */
function removeStaleSocket(path: string) {
  try {
    if (statSync(path).isSocket()) rmSync(path);
  } catch {
    // There is none.
  }
}
