import { RequestError } from '../errors.ts';
import type { BodyRoom } from './body-room.ts';

/** A body that comes in pieces. */
export interface IncomingBody {
  readonly whole: Promise<Buffer>;
  take(piece: Buffer): void;
  end(): void;
  /** Less than the whole comes; what has come is let go. */
  fail(error: unknown): void;
}

export function incomingBody(room: BodyRoom, most: number): IncomingBody {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const place = room.open();
  let pieces: Buffer[] | undefined = [];
  let size = 0;

  function fail(error: unknown) {
    pieces = undefined;
    place.close();
    reject(error);
  }

  return {
    whole: promise,
    take(piece) {
      if (!pieces) return;
      size += piece.length;
      try {
        if (size > most) throw new RequestError(413, `the body is too large, expected at most ${most} bytes`);
        place.grow(piece.length);
        pieces.push(piece);
      } catch (error) {
        fail(error);
      }
    },
    end() {
      place.close();
      if (pieces) resolve(Buffer.concat(pieces));
    },
    fail,
  };
}

export function leftEarly(): DOMException {
  return new DOMException('The connection was closed before the whole request had come.', 'AbortError');
}

export function tooSlow(): RequestError {
  return new RequestError(408, 'the whole request took too long to come');
}
