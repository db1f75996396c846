import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type CollectorBindings, PEER_GONE } from '../collector/routes.ts';
import type { Log } from '../log.ts';
import type { Answer } from '../server.ts';

/** A sender that is told that its request is refused may finish for so long; closing at once could lose the answer. */
const LINGER_MS = 1_000;
const PIECE_BYTES = 64 * 1024;
const AT_ONCE_BYTES = 1024 * 1024;

/** Hands requests of node:http to `answer`, which takes those of fetch, with the whole body read. */
export function requestListener(answer: Answer, maxBodySize: number, log: Log): RequestListener {
  return (incoming, outgoing) => {
    respond(incoming, outgoing).catch(error => {
      if (!outgoing.destroyed) log.error('an answer broke off', { method: incoming.method, reason: error.message });
      outgoing.destroy();
    });
  };

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse) {
    if (Number(incoming.headers['content-length'] ?? 0) > maxBodySize) return refuse(413, incoming, outgoing);
    const body = await readBody(incoming, maxBodySize);
    if (body === 'too large') return refuse(413, incoming, outgoing);
    if (body === 'cut off') return;
    const left = new AbortController();
    outgoing.once('close', () => left.abort());
    const request = toRequest(incoming, body, left.signal);
    if (!request) return refuse(400, incoming, outgoing);
    await send(await answer(request, bindingsOf(incoming.socket as TLSSocket)), outgoing);
  }
}

async function refuse(status: number, incoming: IncomingMessage, outgoing: ServerResponse) {
  outgoing.writeHead(status, { 'Content-Length': 0, Connection: 'close' });
  outgoing.flushHeaders();
  incoming.resume();
  const ended = new Promise(resolve => incoming.once('close', resolve));
  if (!incoming.complete) await Promise.race([ended, Bun.sleep(LINGER_MS)]);
  outgoing.end();
}

type Body = Uint8Array<ArrayBuffer> | 'too large' | 'cut off';

function readBody(incoming: IncomingMessage, limit: number): Promise<Body> {
  return new Promise(resolve => {
    const chunks: Buffer<ArrayBuffer>[] = [];
    let size = 0;
    incoming.on('data', chunk => {
      size += chunk.length;
      if (size > limit) resolve('too large');
      else chunks.push(chunk);
    });
    incoming.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    incoming.once('close', () => resolve('cut off'));
    incoming.once('error', () => resolve('cut off'));
  });
}

/** Undefined for what can't be the address or method of a request. */
function toRequest(incoming: IncomingMessage, body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
  const fields: [string, string][] = [];
  for (let n = 0; n < rawHeaders.length; n += 2) fields.push([rawHeaders[n]!, rawHeaders[n + 1]!]);
  // In a URL it would end the host.
  if (/[/?#@\\]/.test(headers.host ?? '')) return undefined;
  try {
    return new Request(url.startsWith('/') ? `https://${headers.host || 'localhost'}${url}` : url, {
      method,
      headers: fields,
      // What asks for something ends with its client, as with Bun.serve.
      ...(method === 'GET' || method === 'HEAD' ? { signal } : { body }),
    });
  } catch {
    return undefined;
  }
}

function bindingsOf(socket: TLSSocket): CollectorBindings {
  return {
    get address() {
      return socket.remoteAddress ?? PEER_GONE;
    },
    get clientCertificate() {
      if (socket.authorized) return 'accepted';
      const shown = Object.keys(socket.getPeerCertificate() ?? {}).length > 0;
      return shown ? `the one shown is not accepted (${socket.authorizationError})` : 'none was shown';
    },
  };
}

/** Sends what is there at once with its length, else in chunks as fast as the other side takes them. */
async function send(response: Response, outgoing: ServerResponse) {
  const headers = [...response.headers].flat();
  const reader: Reader | undefined = response.body?.getReader();
  if (!reader) {
    outgoing.writeHead(response.status, headers).end();
    return;
  }
  outgoing.once('close', () => reader.cancel().catch(() => {}));
  const { beginning, rest } = await readAtOnce(reader);
  if (!rest) {
    // Text without a type: Bun.serve writes this one, too.
    if (beginning.length > 0 && !response.headers.has('content-type'))
      headers.push('Content-Type', 'text/plain;charset=utf-8');
    if (!response.headers.has('content-length')) headers.push('Content-Length', String(beginning.length));
    outgoing.writeHead(response.status, headers).end(beginning);
    return;
  }
  outgoing.writeHead(response.status, headers);
  await write(outgoing, beginning);
  for (let next = await rest; !next.done && !outgoing.destroyed; next = await reader.read())
    await write(outgoing, next.value);
  outgoing.end();
}

/** In pieces, so that it can be told who still reads. */
async function write(outgoing: ServerResponse, bytes: Uint8Array) {
  for (let at = 0; at < bytes.byteLength && !outgoing.destroyed; at += PIECE_BYTES) {
    if (!outgoing.write(bytes.subarray(at, at + PIECE_BYTES))) await drained(outgoing);
  }
}

function drained(outgoing: ServerResponse) {
  return new Promise<void>(resolve => {
    function done() {
      outgoing.off('drain', done).off('close', done);
      resolve();
    }
    outgoing.on('drain', done).on('close', done);
  });
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

/** What can be read without waiting for anything, at most about AT_ONCE_BYTES; `rest` is the read that has to wait, if one has. */
async function readAtOnce(reader: Reader): Promise<{ beginning: Buffer; rest?: ReturnType<Reader['read']> }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const rest = reader.read();
    const next = size > AT_ONCE_BYTES ? undefined : await Promise.race([rest, immediately()]);
    if (!next) return { beginning: Buffer.concat(chunks), rest };
    if (next.done) return { beginning: Buffer.concat(chunks) };
    chunks.push(next.value);
    size += next.value.byteLength;
  }
}

function immediately() {
  return new Promise<undefined>(resolve => setImmediate(resolve, undefined));
}
