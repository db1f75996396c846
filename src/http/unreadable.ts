import type { Socket } from 'node:net';
import { lingerThenClose } from './linger.ts';

/** A request that no parser can read. */
export interface Unreadable {
  address: string | null;
  reason: string;
  /** Whether it begins like a POST, so it may be a machine's record. */
  isPost: boolean;
}

/** The error of an HTTP parser; `rawPacket` holds the bytes it was reading. */
export type ParseError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** The client left in the middle of a request; what came was not wrong. */
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

/** Says what is wrong and closes the connection, since nobody knows where the next request begins. */
export function answerUnreadable(socket: Socket, { code }: ParseError, { reason }: Unreadable) {
  const status = code === TOO_LARGE ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify({ message: `this HTTP request cannot be read: ${reason}` });
  socket.write(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json;charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  lingerThenClose(socket);
}
