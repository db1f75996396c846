import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '../log.ts';
import type { BodyRoom } from './body-room.ts';
import type { Connection } from './connections.ts';
import { drained } from './drained.ts';
import { type RecordHead, readRecordHead } from './head.ts';
import { type IncomingBody, incomingBody, leftEarly, tooSlow } from './incoming-body.ts';
import { lingerThenClose } from './linger.ts';
import type { Peer } from './peer.ts';
import type { RecordAnswer, RecordService } from './service.ts';

interface RecordConnectionOptions {
  records: RecordService;
  room: BodyRoom;
  connection: Connection;
  peer: Peer;
  /** True when the server stops: each answer is then the last of its connection. */
  isClosing(): boolean;
  log: Log;
  /** Gives the connection to another parser, with the bytes read so far. */
  handOver(read: Buffer): void;
}

/** How much of later requests is read while one is being answered. */
const AHEAD_BYTES = 64 * 1024;
const EMPTY_LINE = Buffer.from('\r\n');

/**
 * Serves a connection that posts records, as long as its requests have the plain form that clients send; the first
 * other request goes to `handOver` with the connection. This skips most of HTTP for a record, and refuses none for a
 * control character in a header.
 */
export function serveRecords(socket: Socket, options: RecordConnectionOptions) {
  const { records, room, connection, peer, isClosing, log, handOver } = options;
  /** Bytes of requests that are not looked at yet. */
  let read: Buffer | undefined;
  let answering = false;
  /** Bytes still to come of the body under way. They go into `body` once someone asks for it. */
  let missing = 0;
  let body: IncomingBody | undefined;
  let ended = false;
  let paused = false;
  connection.onLate = () => {
    if (!body) return void socket.destroy();
    connection.turnTo('answering');
    body.fail(tooSlow());
  };
  socket.on('data', onData).on('end', onEnd).on('close', onClose);

  function onData(chunk: Buffer) {
    const piece = missing > 0 ? chunk.subarray(0, missing) : undefined;
    if (piece) takeOfBody(piece);
    const rest = piece ? chunk.subarray(piece.length) : chunk;
    if (rest.length > 0) read = read ? Buffer.concat([read, rest]) : rest;
    if (!answering) next();
    else if (read && read.length > AHEAD_BYTES) {
      paused = true;
      socket.pause();
    }
  }

  function takeOfBody(piece: Buffer) {
    missing -= piece.length;
    body?.take(piece);
    if (missing > 0) return;
    connection.turnTo('answering');
    body?.end();
  }

  /** The client sends no more, but may still read. */
  function onEnd() {
    ended = true;
    if (missing > 0) body?.fail(leftEarly());
    if (!answering) socket.end();
  }

  function onClose() {
    ended = true;
    if (missing > 0) body?.fail(leftEarly());
  }

  function next() {
    while (read?.subarray(0, EMPTY_LINE.length).equals(EMPTY_LINE)) read = read.subarray(EMPTY_LINE.length);
    if (!read?.length) {
      read = undefined;
      return wait('idle');
    }
    const head = readRecordHead(read, records.isPath);
    if (head === 'unusual') return giveAway(read);
    if (head === 'incomplete') return wait('receiving');
    serve(head, read.subarray(head.headBytes)).catch(breakOff);
  }

  function wait(phase: 'idle' | 'receiving') {
    if (ended) socket.end();
    else if (connection.phase !== phase) connection.turnTo(phase);
  }

  function breakOff(error: Error) {
    log.error('an answer broke off', { method: 'POST', reason: error.message });
    socket.destroy();
  }

  function giveAway(read: Buffer) {
    socket.off('data', onData).off('end', onEnd).off('close', onClose);
    connection.onLate = undefined;
    handOver(read);
  }

  async function serve({ path, headers, bodyBytes, keepAlive }: RecordHead, come: Buffer) {
    answering = true;
    read = come.length > bodyBytes ? come.subarray(bodyBytes) : undefined;
    const begun = come.subarray(0, bodyBytes);
    missing = bodyBytes - begun.length;
    // The time limit of the request began with its head.
    if (missing === 0) connection.turnTo('answering');
    else if (connection.phase !== 'receiving') connection.turnTo('receiving');

    function wholeBody(): Promise<Buffer> {
      if (begun.length === bodyBytes) return Promise.resolve(begun);
      if (begun.length + missing < bodyBytes) throw new Error('a body is asked for after some of it was let go');
      body = incomingBody(room, bodyBytes);
      body.take(begun);
      if (ended) body.fail(leftEarly());
      return body.whole;
    }

    const answer = await records.answer({ path, headers, peer, body: wholeBody });
    body = undefined;
    if (socket.destroyed) return;
    const isLast = !keepAlive || missing > 0 || isClosing() || (ended && !read);
    const taken = socket.write(answerText(answer, isLast));
    if (isLast) return leave();
    if (!taken) await drained(socket);
    answering = false;
    if (paused) socket.resume();
    paused = false;
    next();
  }

  function leave() {
    socket.off('data', onData).off('end', onEnd).off('close', onClose);
    if (ended) socket.end();
    else lingerThenClose(socket);
  }
}

function answerText({ status, json, headers = {} }: RecordAnswer, isLast: boolean): string {
  const body = JSON.stringify(json);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json;charset=utf-8\r\nDate: ${date()}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  if (isLast) head += 'Connection: close\r\n';
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

let [dateText, datedAt] = ['', 0];

/** The date header's text, made once a second. */
function date(): string {
  const now = Date.now();
  if (now - datedAt >= 1_000) {
    datedAt = now - (now % 1_000);
    dateText = new Date(now).toUTCString();
  }
  return dateText;
}
