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

/** The address of a listener. */
export type ListenPlace = { unix: string } | { host: string; port: number; tls?: TlsOptions | undefined };

interface TlsOptions {
  certificate: ServedCertificate;
  /** Whether machines may show certificates here. */
  asksForCertificates: boolean;
}

export interface ListenOptions {
  /** The connections of all listeners. */
  connections: Connections;
  room: BodyRoom;
  maxBodyBytes: number;
  onUnreadable(request: Unreadable): void;
  log: Log;
}

/** Something that takes connections. */
interface Listening {
  /** Undefined for unix sockets. */
  port: number | undefined;
  /** Stops accepting; resolves when every request under way is answered, or cut off after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/** For this long, answers ask clients in full flow to close, before we close their connections. */
const FAREWELL_MS = 100;
/** An idle connection is closed after this time. Clients are told, so that none sends a request at that moment. */
const KEEP_ALIVE_MS = 30_000;
/** Suites with forward secrecy and authenticated encryption; TLS 1.3 has no others. */
const CIPHERS_OF_TLS_12 = 'ECDHE+AESGCM:ECDHE+CHACHA20';

/**
 * Serves at an address. Bun.serve would silently answer 400 to a control character in a header, a listening server of
 * node:http would take far longer for each record, and neither can change its certificate. So we accept connections
 * ourselves: `serveRecords` reads those that bring records, and an HTTP server that does not listen reads the others.
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
    // connections.ts keeps the time limits.
    headersTimeout: 0,
    requestTimeout: 0,
  });
  // A client may send everything, close its side and wait for the answer. Bun's types lack this option.
  Object.assign(others, { httpAllowHalfOpen: true });
  others.on('request', (incoming, outgoing) => handedOver.get(incoming.socket)!(incoming, outgoing));
  others.on('clientError', (error: ParseError, socket: Socket) => {
    const request = unreadable(error, peerOf(socket, kind).address ?? null);
    if (request) onUnreadable(request);
    if (request && socket.writable) answerUnreadable(socket, error, request);
    else socket.destroy();
  });
  const server = serverAt(place, take, begin, log);

  /** Undefined if there are too many connections. */
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
  // A proxy in our group may connect, whatever the umask is.
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

/** A server that does not listen yet. It calls `take` with each connection, and `begin` once requests may come. */
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
    // TLS accepts any certificate, since some fleets need none; the collector refuses the others and says why.
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
    // Load balancers connect and reset to check that a port is open.
    if (error.code === 'ECONNRESET') return;
    log.limited('TLS', 'info', 'a TLS handshake failed', {
      address: plainAddress(socket.remoteAddress ?? ''),
      reason: error.message,
    });
  });
  certificate.onPair(({ cert, key, ca }) => server.setSecureContext({ cert, key, ca, ciphers: CIPHERS_OF_TLS_12 }));
  return server;
}

/** Removes a socket of an earlier run, which would keep us from listening. */
function removeStaleSocket(path: string) {
  try {
    if (statSync(path).isSocket()) rmSync(path);
  } catch {
    // There is no file.
  }
}
