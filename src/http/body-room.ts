import { RequestError } from '../errors.ts';

/** For all bodies that have begun to come and are not complete. */
const BYTES = 64 * 1024 * 1024;
/** At least this many bodies fit, however large they may be. */
const LARGEST_BODIES = 4;

/** Room in memory for the bodies that all listeners are reading. */
export interface BodyRoom {
  /** Bytes in use. */
  readonly held: number;
  /** Opens a place for a body; it grows as the body comes. */
  open(): BodyPlace;
}

interface BodyPlace {
  /** Throws a RequestError if there is no room for this many more bytes. */
  grow(bytes: number): void;
  close(): void;
}

export function bodyRoom(largestBody: number, bytes = Math.max(BYTES, LARGEST_BODIES * largestBody)): BodyRoom {
  let held = 0;
  return {
    get held() {
      return held;
    },
    open() {
      let own = 0;
      return {
        grow(more) {
          if (held + more > bytes)
            throw new RequestError(
              503,
              'the server is reading too many requests at the moment: send this one again later',
            );
          held += more;
          own += more;
        },
        close() {
          held -= own;
          own = 0;
        },
      };
    },
  };
}
