import type { Socket } from 'node:net';
import { lingerThenClose } from './linger.ts';

/** A request of which no sense can be made. */
export interface Unreadable {
  address: string | null;
  reason: string;
  /** It begins like one that posts something: a machine's record perhaps. */
  isPost: boolean;
}

/** What an HTTP parser says of it; `rawPacket` is what it was reading. */
export type ParseError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** The client left in the middle of a request: nothing was wrong with what came. */
const CUT_OFF = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);
const TOO_LARGE = 'HPE_HEADER_OVERFLOW';

export function unreadable(
  { code = '', message, rawPacket }: ParseError,
  address: string | null,
): Unreadable | undefined {
  if (CUT_OFF.has(code)) return undefined;
  const reason = code === TOO_LARGE ? 'its headers are too large' : message.replace(/^Parse Error: /, '');
  return { address, reason, isPost: rawPacket?.subarray(0, 5).toString('latin1') === 'POST ' };
}

/** Says what is wrong, and closes the connection: where the next request begins is not known. */
export function answerUnreadable(socket: Socket, { code }: ParseError, { reason }: Unreadable) {
  const status = code === TOO_LARGE ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify({ message: `this is no HTTP request that can be read: ${reason}` });
  socket.write(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json;charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  lingerThenClose(socket);
}
