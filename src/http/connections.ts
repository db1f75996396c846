import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { plainAddress } from '../config/network.ts';
import type { Log } from '../log.ts';

/** After how long a connection is dropped. */
interface Timing {
  /** Nothing comes, though no answer is awaited. */
  idleMs: number;
  /** A request is not complete, however steadily it comes. */
  requestMs: number;
  /** An answer is awaited, or waits for its reader, and no byte moves. A slow reader's kernel may ask for more once in minutes. */
  stalledMs: number;
}

const TIMING: Timing = { idleMs: 30_000, requestMs: 60_000, stalledMs: 300_000 };

/** The others are for the database, files and children. */
const SHARE_OF_DESCRIPTORS = 0.75;
const WATCH_MS = 2_000;

type Phase = 'idle' | 'receiving' | 'answering';

export interface Connection {
  readonly socket: Socket;
  readonly phase: Phase;
  turnTo(phase: Phase): void;
  /** Instead of being dropped, since its request takes too long. */
  onLate: (() => void) | undefined;
}

/** The connections of all listeners. */
export interface Connections {
  readonly open: number;
  readonly most: number;
  /** So many did not find a place since the start. */
  readonly refused: number;
  readonly lastRefusedAt: Date | undefined;
  /** Undefined where there are too many: it is closed. */
  add(socket: Socket): Connection | undefined;
}

interface Watched extends Connection {
  phase: Phase;
  since: number;
  /** In both directions, as last looked, and when they last changed. */
  bytes: number;
  movedAt: number;
}

export function watchConnections(log: Log, changes: Partial<Timing> = {}, most = connectionsAtMost()): Connections {
  const timing = { ...TIMING, ...changes };
  const connections = new Set<Watched>();
  let refused = 0;
  let lastRefusedAt: Date | undefined;
  let watch: Timer | undefined;

  function lookAtAll() {
    const now = performance.now();
    for (const connection of connections) look(connection, now);
  }

  function forget(connection: Watched) {
    connections.delete(connection);
    if (connections.size > 0) return;
    clearInterval(watch);
    watch = undefined;
  }

  /** By the bytes: a socket's own timeout does not see a client that has stopped reading. */
  function look(connection: Watched, now: number) {
    const { socket } = connection;
    const bytes = socket.bytesRead + socket.bytesWritten;
    if (bytes !== connection.bytes) {
      connection.bytes = bytes;
      connection.movedAt = now;
      if (connection.phase === 'idle') connection.turnTo('receiving');
    }
    const still = now - connection.movedAt;
    if (connection.phase === 'answering') {
      if (still <= timing.stalledMs) return;
      const seconds = Math.round(still / 1000);
      log.limited('stalled', 'warn', 'dropped a client that did not read its answer', {
        address: plainAddress(socket.remoteAddress ?? ''),
        seconds,
      });
      socket.destroy();
    } else if (
      still > timing.idleMs ||
      (connection.phase === 'receiving' && now - connection.since > timing.requestMs)
    ) {
      if (connection.onLate) connection.onLate();
      else socket.destroy();
    }
  }

  return {
    get open() {
      return connections.size;
    },
    most,
    get refused() {
      return refused;
    },
    get lastRefusedAt() {
      return lastRefusedAt;
    },
    add(socket) {
      // A client may vanish at any moment; 'close' follows.
      socket.on('error', () => {});
      if (connections.size >= most) {
        refused++;
        lastRefusedAt = new Date();
        log.limited('connections', 'warn', 'closed a connection, since there are too many', {
          address: plainAddress(socket.remoteAddress ?? ''),
          open: connections.size,
        });
        socket.destroy();
        return undefined;
      }
      const now = performance.now();
      const connection: Watched = {
        socket,
        phase: 'idle',
        since: now,
        bytes: 0,
        movedAt: now,
        onLate: undefined,
        turnTo(phase) {
          connection.phase = phase;
          connection.since = connection.movedAt = performance.now();
          // What moves from now on belongs to another request.
          if (phase === 'idle') connection.bytes = socket.bytesRead + socket.bytesWritten;
        },
      };
      connections.add(connection);
      watch ??= setInterval(lookAtAll, Math.min(WATCH_MS, timing.idleMs / 4));
      socket.once('close', () => forget(connection));
      return connection;
    },
  };
}

/** Past the limit for open files nothing could be accepted, and looking for what to accept would never end. */
function connectionsAtMost(): number {
  const [, files] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return files === undefined ? Number.POSITIVE_INFINITY : Math.floor(Number(files) * SHARE_OF_DESCRIPTORS);
}
