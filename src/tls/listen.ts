import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { plainAddress } from '../config/network.ts';
import type { Log } from '../log.ts';
import type { Answer, Listening } from '../server.ts';
import type { ServedCertificate } from './certificate.ts';
import { requestListener } from './requests.ts';

export interface HttpsOptions {
  host: string;
  port: number;
  certificate: ServedCertificate;
  /** Machines may show certificates here. */
  takesRecords: boolean;
  maxBodySize: number;
  idleTimeoutMs: number;
  log: Log;
}

interface Connection {
  /** Requests that are not answered yet. */
  underWay: number;
  /** In both directions, as last looked, and when they last changed. */
  bytes: number;
  movedAt: number;
}

const WATCH_MS = 1_000;
/** As plain listeners take them by --max-http-header-size. */
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Does over TLS what Bun.serve does for plain listeners; Bun.serve can't change its certificate without losing requests, nor tell
 * who its client is. Each connection is handed to an HTTP server that does not listen itself.
 */
export async function listenHttps(answer: Answer, options: HttpsOptions): Promise<Listening> {
  const { host, port, certificate, idleTimeoutMs, log } = options;
  const connections = new Map<TLSSocket, Connection>();
  let stopping = false;

  const http = createHttpServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: idleTimeoutMs });
  const onRequest = requestListener(answer, options.maxBodySize, log);
  http.on('request', (incoming, outgoing) => {
    const socket = incoming.socket as TLSSocket;
    count(socket, 1);
    outgoing.once('close', () => count(socket, -1));
    onRequest(incoming, outgoing);
  });

  function count(socket: TLSSocket, change: 1 | -1) {
    const connection = connections.get(socket);
    if (!connection) return;
    connection.underWay += change;
    if (stopping && connection.underWay === 0) socket.end();
  }

  const { pair } = certificate;
  const server = createTlsServer({
    cert: pair.cert,
    key: pair.key,
    ca: pair.ca,
    requestCert: options.takesRecords && pair.ca !== undefined,
    // A fleet that needs no certificate is let in with any; the collector refuses the others and says why.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1', 'http/1.0'],
  });
  server.on('connection', (socket: TLSSocket) => {
    connections.set(socket, { underWay: 0, bytes: 0, movedAt: performance.now() });
    socket.once('close', () => connections.delete(socket));
    // A client may vanish at any moment; 'close' follows.
    socket.on('error', () => {});
  });
  server.on('secureConnection', socket => http.emit('connection', socket));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Load balancers look whether a port is open in this way.
    if (error.code === 'ECONNRESET') return;
    const address = plainAddress(socket.remoteAddress ?? '');
    log.limited('TLS', 'info', 'a TLS handshake failed', { address, reason: error.message });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const watch = setInterval(() => dropStalled(connections, idleTimeoutMs), WATCH_MS);
  certificate.onPair(({ cert, key, ca }) => server.setSecureContext({ cert, key, ca }));

  return {
    port: (server.address() as AddressInfo).port,
    async stop(force = false) {
      stopping = true;
      server.close();
      const closed = [...connections.keys()].map(socket => new Promise(resolve => socket.once('close', resolve)));
      for (const [socket, { underWay }] of connections) {
        if (force) socket.destroy();
        else if (underWay === 0) socket.end();
      }
      await Promise.all(closed);
      clearInterval(watch);
    },
  };
}

/** A socket's own timeout does not see a client that has stopped reading. */
function dropStalled(connections: Map<TLSSocket, Connection>, idleTimeoutMs: number) {
  const now = performance.now();
  for (const [socket, connection] of connections) {
    const bytes = socket.bytesRead + socket.bytesWritten;
    if (bytes !== connection.bytes) Object.assign(connection, { bytes, movedAt: now });
    else if (now - connection.movedAt > idleTimeoutMs) socket.destroy();
  }
}
