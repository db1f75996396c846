import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import type { BodyRoom } from './body-room.ts';
import type { Connection } from './connections.ts';
import { drained } from './drained.ts';
import { isHost } from './head.ts';
import { incomingBody, leftEarly, tooSlow } from './incoming-body.ts';
import { LINGER_MS } from './linger.ts';
import type { Peer } from './peer.ts';
import type { Service } from './service.ts';

interface RequestOptions {
  fetch: Service['fetch'];
  scheme: 'http' | 'https';
  room: BodyRoom;
  maxBodyBytes: number;
  isClosing(): boolean;
  log: Log;
}

const PIECE_BYTES = 64 * 1024;
const AT_ONCE_BYTES = 1024 * 1024;
/** After this time, hardly any client that has closed its side still reads the answer, so we stop the work. */
const CLOSED_GRACE_MS = 2_000;

/** Hands the requests that node:http reads from a connection to `fetch`. */
export function requestListener(
  { fetch, scheme, room, maxBodyBytes, isClosing, log }: RequestOptions,
  connection: Connection,
  peer: Peer,
): RequestListener {
  let underWay = 0;

  return (incoming, outgoing) => {
    underWay++;
    connection.turnTo('answering');
    outgoing.once('close', () => {
      underWay--;
      if (underWay === 0) connection.turnTo('idle');
    });
    respond(incoming, outgoing).catch(error => {
      if (!outgoing.destroyed) log.error('an answer broke off', { method: incoming.method, reason: error.message });
      outgoing.destroy();
    });
  };

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse) {
    const response = await responseTo(incoming, outgoing);
    const headers = [...response.headers].flat();
    if (isClosing() || !incoming.complete) headers.push('Connection', 'close');
    await send(response, headers, incoming.method === 'HEAD', outgoing);
    await end(incoming, outgoing);
  }

  async function responseTo(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response> {
    const { host, 'content-length': length = '0' } = incoming.headers;
    if (Number(length) > maxBodyBytes)
      return refusal(413, `the body is too large, expected at most ${maxBodyBytes} bytes`);
    if (host && !isHost(host))
      return refusal(400, `Host: got ${JSON.stringify(host.slice(0, 100))}, expected a host name`);
    const request = toRequest(incoming, outgoing);
    return request ? fetch(request, peer) : refusal(400, 'this address or method makes no sense');
  }

  /** Undefined if the address or method is invalid. */
  function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Request | undefined {
    const { method = 'GET', url = '/', headers, rawHeaders } = incoming;
    const fields: [string, string][] = [];
    for (let n = 0; n < rawHeaders.length; n += 2) fields.push([rawHeaders[n]!, rawHeaders[n + 1]!]);
    const hasBody =
      method !== 'GET' && method !== 'HEAD' && ('content-length' in headers || 'transfer-encoding' in headers);
    const signal = untilClientLeaves(incoming, outgoing);
    try {
      return new Request(url.startsWith('/') ? `${scheme}://${headers.host || 'localhost'}${url}` : url, {
        method,
        headers: fields,
        body: hasBody ? bodyOf(incoming) : null,
        signal,
      });
    } catch {
      return undefined;
    }
  }

  /** Reads nothing before somebody asks for it. */
  function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        async pull(controller) {
          const body = await wholeBody(incoming);
          if (body.length > 0) controller.enqueue(body);
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async function wholeBody(incoming: IncomingMessage): Promise<Buffer> {
    const body = incomingBody(room, maxBodyBytes);
    connection.turnTo('receiving');
    connection.onLate = () => body.fail(tooSlow());
    incoming.on('data', body.take).once('end', body.end);
    for (const event of ['close', 'error']) incoming.once(event, () => body.fail(leftEarly()));
    try {
      return await body.whole;
    } finally {
      connection.onLate = undefined;
      connection.turnTo('answering');
    }
  }
}

/**
 * Aborted once the client has left. A client that closed its connection looks like one that has sent everything and
 * waits, until something is written to it. An answer that has begun notices by itself.
 */
function untilClientLeaves({ socket }: IncomingMessage, outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  let grace: Timer | undefined;
  const closedItsSide = () => {
    grace = setTimeout(() => {
      if (!outgoing.headersSent) gone.abort();
    }, CLOSED_GRACE_MS);
  };
  if (socket.readableEnded) closedItsSide();
  else socket.once('end', closedItsSide);
  outgoing.once('close', () => {
    clearTimeout(grace);
    socket.off('end', closedItsSide);
    if (!outgoing.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Whoever it is for: `message` is what most read, `error` what ABRT does. */
function refusal(status: number, message: string): Response {
  return Response.json({ message, error: message }, { status });
}

/** Sends a body that is ready at once with its length, and any other in chunks as fast as the other side takes them. */
async function send(response: Response, headers: string[], isHead: boolean, outgoing: ServerResponse) {
  const reader: Reader | undefined = response.body?.getReader();
  if (!reader) {
    // For HEAD it would say that the whole body is empty too.
    if (!isHead && ![204, 304].includes(response.status)) headers.push('Content-Length', '0');
    outgoing.writeHead(response.status, headers);
    return;
  }
  outgoing.once('close', () => reader.cancel().catch(() => {}));
  const { beginning, rest } = await readAtOnce(reader);
  if (!rest) {
    // Bun sets the type of text only if it serves the text itself.
    if (beginning.length > 0 && !response.headers.has('content-type'))
      headers.push('Content-Type', 'text/plain;charset=utf-8');
    if (!response.headers.has('content-length')) headers.push('Content-Length', String(beginning.length));
  }
  outgoing.writeHead(response.status, headers);
  await write(outgoing, beginning);
  for (let next = await rest; next && !next.done && !outgoing.destroyed; next = await reader.read())
    await write(outgoing, next.value);
}

/** Lets a client that is still sending finish for a while: closing at once could lose the answer. */
async function end(incoming: IncomingMessage, outgoing: ServerResponse) {
  if (!incoming.complete) {
    outgoing.flushHeaders();
    const ended = new Promise(resolve => incoming.once('close', resolve));
    incoming.resume();
    await Promise.race([ended, Bun.sleep(LINGER_MS)]);
  }
  outgoing.end();
}

/** Writes in pieces, which shows whether the client still reads. */
async function write(outgoing: ServerResponse, bytes: Uint8Array) {
  for (let at = 0; at < bytes.byteLength && !outgoing.destroyed; at += PIECE_BYTES) {
    if (!outgoing.write(bytes.subarray(at, at + PIECE_BYTES))) await drained(outgoing);
  }
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

/** Reads what is there without waiting, at most about AT_ONCE_BYTES; `rest` is the read that has to wait, if any. */
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
