import type { Socket } from 'node:net';

/** For so long. */
export const LINGER_MS = 1_000;

/** Closes a connection whose client may still be sending. Closing it at once could lose the answer on its way. */
export function lingerThenClose(socket: Socket) {
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(late));
  socket.once('end', () => socket.destroy());
  socket.on('data', () => {});
  socket.end();
}
